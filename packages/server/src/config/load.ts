import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkConfig } from './check.ts';
import { applyToItems, envSettings, withDotEnv } from './env.ts';
import { readConfigFile } from './file.ts';
import { ConfigError, type Findings } from './findings.ts';
import { parseFlags } from './flags.ts';
import { buildTree, collectSettings, readSetting, type Setting } from './read.ts';
import { schema, type Config } from './schema.ts';
import { scopeOf, valueAt } from './table.ts';
import { deepFreeze } from './tree.ts';
import { findUnserved } from './unserved.ts';

export { ConfigError } from './findings.ts';
export { parseFlags, type OwnFlags, type ParsedFlags } from './flags.ts';
export type { ChannelConfig, Config } from './schema.ts';

type Partially<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Partially<T[K]> }
    : T;

/** Some options by section; durations in milliseconds. */
export type PartialConfig = Partially<Config>;

/** Where a configuration comes from. */
export interface LoadInput {
  /** Flags, without the program and its command. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `.env`, `config.json` and relative paths are looked for. */
  readonly cwd: string;
  /** Every warning is an error. */
  readonly strict?: boolean;
  /** In place of the table's defaults. */
  readonly defaults?: PartialConfig;
}

export interface LoadedConfig {
  /** Complete, checked, and frozen to the last leaf. */
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Whether anybody configured anything: a file, a flag or a variable of ours. */
  readonly configured: boolean;
  /** The file, variables and flags that did. */
  readonly configuredBy: readonly string[];
  /** The file that was read, absolute. */
  readonly file: string | undefined;
  /** What set an option, by its path. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Loads the configuration: a flag wins over a variable, a variable over the file, the file over the default. The file
 * is that of `--config`, else `config.json` of the directory where there is one.
 * @throws ConfigError with all that is wrong
 */
export function loadConfig(input: LoadInput): LoadedConfig {
  const scope = scopeOf(schema);
  const env = withDotEnv(input.env, input.cwd);
  const flags = parseFlags(input.argv);
  const findings: Findings = { errors: [...flags.findings.errors], warnings: [...flags.findings.warnings] };
  for (const argument of flags.positional)
    findings.errors.push(`unexpected argument ${JSON.stringify(argument)}`);

  const file = findFile(flags.file, input.cwd);
  const fileSettings = file ? settingsOfFile(file, env, findings) : [];
  const variables = envSettings(env, scope);
  const settings = [...fileSettings, ...variables.settings, ...flags.settings];

  const sources = new Map<string, string>();
  const tree = buildTree(schema, valuesOf(settings, input.defaults ?? {}, sources, findings));
  applyToItems(variables.rest, scope, tree, sources, findings);
  const config = tree as unknown as Config;
  const where = (path: string) => sourceOf(sources, path);
  findUnserved(scope, config, '', where, findings);
  // A value that could not be read has left its default behind: what the rules say of that would mislead.
  if (findings.errors.length === 0) checkConfig(config, where, findings);

  const { errors, warnings } = input.strict
    ? { errors: [...findings.errors, ...findings.warnings], warnings: [] }
    : findings;
  if (errors.length > 0) throw new ConfigError(errors, warnings);
  deepFreeze(config);
  const configuredBy = new Set([
    ...(file === undefined ? [] : [file.name]),
    ...[...variables.settings, ...flags.settings].map(({ source }) => source),
    ...variables.rest.map(({ name }) => name),
    ...flags.unknown,
  ]);
  return {
    config,
    warnings,
    configured: configuredBy.size > 0,
    configuredBy: [...configuredBy],
    file: file?.path,
    sources,
  };
}

interface FoundFile {
  readonly path: string;
  /** As written on the command line. */
  readonly name: string;
}

/** A file that was asked for has to be there; without one, `config.json` is taken where it is, as Centrifugo does. */
function findFile(asked: string | undefined, cwd: string): FoundFile | undefined {
  const name = asked ?? 'config.json';
  const path = resolve(cwd, name);
  return asked !== undefined || existsSync(path) ? { path, name } : undefined;
}

function settingsOfFile(file: FoundFile, env: LoadInput['env'], findings: Findings): Setting[] {
  const tree = readConfigFile(file.path, file.name, env, findings);
  return collectSettings(scopeOf(schema), tree, { prefix: '', source: file.name, findings });
}

function valuesOf(
  settings: readonly Setting[],
  defaults: PartialConfig,
  sources: Map<string, string>,
  findings: Findings,
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const path of scopeOf(schema).rows.keys()) {
    const value = valueAt(defaults, path);
    if (value !== undefined) values.set(path, structuredClone(value));
  }
  for (const setting of settings) {
    const value = readSetting(setting, '', findings);
    if (value === undefined) continue;
    values.set(setting.row.path, value);
    sources.set(setting.row.path, setting.source);
  }
  return values;
}

/** An option of an item came with its list, unless a variable set it apart. */
function sourceOf(sources: ReadonlyMap<string, string>, path: string): string | undefined {
  return sources.get(path) ?? sources.get(path.replace(/\[.*$/, ''));
}
