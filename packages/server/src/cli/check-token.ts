import { ClientError } from '@gyre/protocol';
import { ConfigError, loadConfig } from '../config/load.ts';
import { commandLine } from './command-line.ts';
import type { Terminal } from './run.ts';
import { tokensOf, type Tokens } from './tokens-of.ts';

/** Says whether a connection token is good, why not, and what is in it. The exit code is 1 where it is not. */
export function checktoken(argv: readonly string[], terminal: Terminal): Promise<number> {
  return check('connection', argv, terminal);
}

/** The same of a subscription token. */
export function checksubtoken(argv: readonly string[], terminal: Terminal): Promise<number> {
  return check('subscription', argv, terminal);
}

async function check(kind: keyof Tokens, argv: readonly string[], terminal: Terminal): Promise<number> {
  const { options, positional } = commandLine(argv, {}, 1);
  const [token] = positional;
  if (token === undefined) throw new ConfigError(['which token is missing']);
  const { env, cwd, complain, print } = terminal;
  const { config } = loadConfig({ argv: options, env, cwd });
  const tokens = await tokensOf(config, complain);
  const refused = await refusal(tokens, kind, token.trim());
  print(
    refused === undefined ? `The ${kind} token is good.\n` : `The ${kind} token is refused: ${refused}\n`,
  );
  print(contents(token.trim()));
  return refused === undefined ? 0 : 1;
}

/** Why a token is refused; undefined for a good one. */
async function refusal(tokens: Tokens, kind: keyof Tokens, token: string): Promise<string | undefined> {
  try {
    const verdict = await tokens[kind](token);
    return 'refused' in verdict ? verdict.because : undefined;
  } catch (error) {
    if (error instanceof ClientError) return 'its key cannot be looked for now';
    throw error;
  }
}

/** What is written in a token, as far as it can be read, whether it is true or not. */
function contents(token: string): string {
  const [header, claims] = token.split('.').map((part) => parse(Buffer.from(part, 'base64url').toString()));
  if (header === undefined || claims === undefined) return '';
  const times = ['iat', 'nbf', 'exp', 'expire_at'].flatMap((name) => {
    const time = claims[name];
    const fits = typeof time === 'number' && Math.abs(time) < 8.64e12;
    return fits ? [`${name} ${new Date(time * 1000).toISOString()}\n`] : [];
  });
  return `
header ${JSON.stringify(header)}
claims ${JSON.stringify(claims, null, 2)}
${times.join('')}`;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
