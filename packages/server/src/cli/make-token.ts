import { createSigner } from 'fast-jwt';
import { formatDuration } from '../config/duration.ts';
import { ConfigError, loadConfig, type Config, type OwnFlags } from '../config/load.ts';
import { commandLine, type CommandLine } from './command-line.ts';
import type { Terminal } from './run.ts';
import { tokensOf } from './tokens-of.ts';

const common: OwnFlags = {
  '--user': 'value',
  '-u': 'value',
  '--ttl': 'value',
  '-t': 'value',
  '--quiet': 'switch',
  '-q': 'switch',
};

/** The flags of each command, beside options of the configuration. */
export const makeFlags = {
  gentoken: common,
  gensubtoken: { ...common, '--channel': 'value', '-s': 'value' },
} satisfies Record<string, OwnFlags>;

/** A week, in seconds. */
const TTL = '604800';

export async function gentoken(argv: readonly string[], terminal: Terminal): Promise<number> {
  const line = commandLine(argv, makeFlags.gentoken);
  const { env, cwd, complain } = terminal;
  const { config } = loadConfig({ argv: line.options, env, cwd });
  const made = makeToken(line, 'client.token', config.client.token, {});
  const verdict = await (await tokensOf(config, complain)).connection(made.token);
  return say(made, verdict, line, `Connection token of ${made.user}`, terminal);
}

export async function gensubtoken(argv: readonly string[], terminal: Terminal): Promise<number> {
  const line = commandLine(argv, makeFlags.gensubtoken);
  const { env, cwd, complain } = terminal;
  const { config } = loadConfig({ argv: line.options, env, cwd });
  const channel = line.flag('-s', '--channel') ?? '';
  if (channel === '') throw new ConfigError(['--channel: which one is missing']);
  const own = config.client.subscription_token.enabled;
  const made = own
    ? makeToken(line, 'client.subscription_token', config.client.subscription_token, { channel })
    : makeToken(line, 'client.token', config.client.token, { channel });
  const verdict = await (await tokensOf(config, complain)).subscription(made.token);
  const what = `Subscription token of ${made.user} for the channel ${JSON.stringify(channel)}`;
  return say(made, verdict, line, what, terminal);
}

interface Made {
  readonly token: string;
  /** As it is spoken of. */
  readonly user: string;
  readonly goodFor: string;
}

/** Signs what the section asks of a token. */
function makeToken(
  line: CommandLine,
  path: string,
  section: Config['client']['token'],
  claims: Readonly<Record<string, string>>,
): Made {
  const ttl = line.flag('-t', '--ttl') ?? TTL;
  if (!/^(-1|[1-9]\d{0,9})$/.test(ttl)) {
    throw new ConfigError(['--ttl: expected seconds, or -1 for a token that never expires']);
  }
  if (section.hmac_secret_key === '') {
    throw new ConfigError([
      `${path}.hmac_secret_key is not set: there is nothing to sign with. A server in development mode shows its ` +
        `own when it starts: --${path}.hmac_secret_key <secret>`,
    ]);
  }
  const user = line.flag('-u', '--user') ?? '';
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    ...(user === '' ? {} : { [section.user_id_claim || 'sub']: user }),
    ...claims,
    ...(section.audience === '' ? {} : { aud: section.audience }),
    ...(section.issuer === '' ? {} : { iss: section.issuer }),
    iat: now,
    ...(ttl === '-1' ? {} : { exp: now + Number(ttl) }),
  };
  return {
    token: createSigner({ algorithm: 'HS256', key: section.hmac_secret_key })(payload),
    user: user === '' ? 'nobody' : `user ${JSON.stringify(user)}`,
    goodFor: ttl === '-1' ? 'ever' : formatDuration(Number(ttl) * 1000),
  };
}

/** A token that the same configuration would refuse, since it asks for more than can be known here, is not handed out. */
function say(made: Made, verdict: object, line: CommandLine, what: string, { print }: Terminal): number {
  if ('because' in verdict) {
    throw new ConfigError([
      `a server with this configuration refuses such a token: ${String(verdict.because)}`,
    ]);
  }
  const quiet = line.flag('-q', '--quiet') !== undefined;
  print(quiet ? `${made.token}\n` : `${what}, good for ${made.goodFor}:\n\n${made.token}\n`);
  return 0;
}
