import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import { parseDocument } from 'yaml';
import { ConfigError, type Findings } from './findings.ts';
import { cleanTree, isTree } from './tree.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads a configuration file, JSON, YAML or TOML by its extension, with `${GYRE_VAR_X}` and `${CENTRIFUGO_VAR_X}` in
 * its texts replaced. Expanding texts, not the file, keeps a variable's value from adding keys.
 * @param name of the file in messages
 * @throws ConfigError where it cannot be read or parsed; what is wrong in it goes to `findings`
 */
export function readConfigFile(
  path: string,
  name: string,
  env: Env,
  findings: Findings,
): Readonly<Record<string, unknown>> {
  const parse = parsers[extname(path).toLowerCase()];
  if (!parse) throw new ConfigError([`${name}: the name must end in .json, .yaml, .yml or .toml`]);
  const tree = parse(readText(path, name).replace(/^\uFEFF/, ''), name) ?? {};
  if (!isTree(tree)) throw new ConfigError([`${name}: expected an object of options at the top`]);
  return cleanTree(tree, '', name, findings, (text) => expand(text, name, env, findings)) as Readonly<
    Record<string, unknown>
  >;
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError([`${name}: cannot be read (${code})`]);
  }
}

/** A variable that is missing or empty is an error: an empty key or secret must not slip in. */
function expand(text: string, name: string, env: Env, findings: Findings): string {
  return text.replaceAll(/\$\{((?:GYRE|CENTRIFUGO)_VAR_[A-Za-z0-9_]+)\}/g, (whole, variable: string) => {
    const value = env[variable];
    if (value) return value;
    findings.errors.push(`${name}: the variable ${variable} that the file refers to is not set`);
    return whole;
  });
}

// What parsers say quotes the file, which may hold secrets: only the place is passed on.
const parsers: Readonly<Record<string, (text: string, name: string) => unknown>> = {
  '.json': parseJson,
  '.yaml': parseYaml,
  '.yml': parseYaml,
  '.toml': parseTomlText,
};

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const found = /position (\d+)/.exec(error instanceof Error ? error.message : '');
    const before = text.slice(0, found ? Number(found[1]) : text.length).split('\n');
    throw notValid(name, 'JSON', before.length, (before.at(-1)?.length ?? 0) + 1);
  }
}

function parseYaml(text: string, name: string): unknown {
  const document = parseDocument(text, { merge: true, logLevel: 'silent' });
  const [error] = document.errors;
  if (error) throw notValid(name, 'YAML', error.linePos?.[0].line, error.linePos?.[0].col, error.code);
  try {
    return document.toJS();
  } catch {
    throw notValid(name, 'YAML');
  }
}

function parseTomlText(text: string, name: string): unknown {
  try {
    return parseToml(text);
  } catch (error) {
    if (error instanceof TomlError) throw notValid(name, 'TOML', error.line, error.column);
    throw error;
  }
}

function notValid(name: string, format: string, line?: number, column?: number, why?: string): ConfigError {
  const place = line === undefined ? '' : ` at line ${line}, column ${column ?? 1}`;
  return new ConfigError([`${name}: not valid ${format}${place}${why === undefined ? '' : ` (${why})`}`]);
}
