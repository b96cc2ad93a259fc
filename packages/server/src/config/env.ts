import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError, type Findings } from './findings.ts';
import { nearest } from './near.ts';
import { removed, replaced } from './options/removed.ts';
import { goneKey, itemLabel, readSetting, replacedKey, type Setting } from './read.ts';
import { envName, scopeOf, valueAt, type Scope, type TableRow } from './table.ts';
import { parseBool } from './value.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** A variable with one of our prefixes that is no row of the file's scope. */
export interface Variable {
  readonly name: string;
  /** What follows the prefix. */
  readonly key: string;
  readonly prefix: string;
  readonly value: string;
}

/** Later ones win. */
const prefixes = ['CENTRIFUGO_', 'GYRE_'];

/**
 * The environment with what `.env` in a directory adds; a variable that is set, even to nothing, is not touched.
 * @throws ConfigError where the file is there but cannot be read
 */
export function withDotEnv(env: Env, directory: string): Env {
  try {
    return { ...parseEnv(readFileSync(join(directory, '.env'), 'utf8')), ...env };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return env;
    throw new ConfigError([`.env: cannot be read (${code ?? String(error)})`]);
  }
}

/** What variables set, later ones winning, and the variables that are left to `applyToItems`. */
export function envSettings(env: Env, scope: Scope): { settings: Setting[]; rest: Variable[] } {
  const byOldName: Setting[] = [];
  const byName: Setting[] = [];
  const rest: Variable[] = [];
  const settings: Setting[] = [];
  for (const prefix of prefixes) {
    for (const variable of variablesOf(env, prefix)) {
      const row = scope.env.get(variable.key);
      if (!row) {
        rest.push(variable);
        continue;
      }
      const bucket = variable.key === envName(row.path) ? byName : byOldName;
      bucket.push({ row, value: variable.value, text: true, source: variable.name });
    }
    settings.push(...byOldName.splice(0), ...byName.splice(0));
  }
  return { settings, rest };
}

function variablesOf(env: Env, prefix: string): Variable[] {
  const found: Variable[] = [];
  for (const name of Object.keys(env).sort()) {
    const value = env[name];
    if (!value || !name.startsWith(prefix) || name.startsWith(`${prefix}VAR_`)) continue;
    if (!isOfKubernetes(name, value)) found.push({ name, key: name.slice(prefix.length), prefix, value });
  }
  return found;
}

/**
 * Kubernetes puts variables for every Service into every pod, under the Service's name, which may well begin with
 * ours. `X_PORT` of such a Service can only be told from an option by its value.
 */
function isOfKubernetes(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}

interface Target {
  readonly item: Record<string, unknown>;
  readonly row: TableRow;
  /** Of the item, for messages: `channel.namespaces[chat].` */
  readonly prefix: string;
}

/**
 * Sets options of named items of lists: `GYRE_CHANNEL_NAMESPACES_CHAT_PRESENCE` is `presence` of the namespace `chat`.
 * Changes the items in `tree`, notes in `sources` where values came from; variables that name nothing go to the findings.
 */
export function applyToItems(
  rest: readonly Variable[],
  scope: Scope,
  tree: Record<string, unknown>,
  sources: Map<string, string>,
  findings: Findings,
): void {
  if (rest.length === 0) return;
  const targets = itemTargets(scope, tree);
  for (const variable of rest) {
    const named = targets.get(variable.key);
    if (!named) unknownVariable(variable, scope, targets, findings);
    for (const { item, row, prefix } of named ?? []) {
      const setting = { row, value: variable.value, text: true, source: variable.name };
      const value = readSetting(setting, prefix, findings);
      if (value === undefined) continue;
      setAt(item, row.path, value);
      sources.set(prefix + row.path, variable.name);
    }
  }
}

/** Names that differ only in `-`, `.` and letter case are one in variables: the variable is for all of them. */
function itemTargets(scope: Scope, tree: Record<string, unknown>): Map<string, Target[]> {
  const targets = new Map<string, Target[]>();
  for (const { path, leaf } of scope.rows.values()) {
    if (leaf.type !== 'objects' || !Object.hasOwn(leaf.item.fields, 'name')) continue;
    const items = valueAt(tree, path) as readonly Record<string, unknown>[];
    items.forEach((item, index) => {
      const label = itemLabel(item, index);
      for (const [key, row] of scopeOf(leaf.item).env) {
        if (row.path === 'name') continue;
        const name = `${envName(path)}_${envName(label)}_${key}`;
        targets.set(name, [...(targets.get(name) ?? []), { item, row, prefix: `${path}[${label}].` }]);
      }
    });
  }
  return targets;
}

function setAt(tree: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let inner = tree;
  for (const key of keys) inner = inner[key] as Record<string, unknown>;
  inner[last] = value;
}

function unknownVariable(
  { name, key, prefix, value }: Variable,
  scope: Scope,
  targets: ReadonlyMap<string, readonly Target[]>,
  findings: Findings,
): void {
  const mark = removed.get(key.toLowerCase());
  const now = replaced.get(key.toLowerCase());
  if (now !== undefined) return replacedKey(name, 'environment', now, findings);
  if (mark) return goneKey(name, 'environment', mark, parseBool(value) !== false, findings);
  const near = nearest(key, [...scope.env.keys(), ...targets.keys()]).map((known) => {
    const [target] = targets.get(known) ?? [];
    const path = scope.env.get(known)?.path ?? (target ? target.prefix + target.row.path : '');
    return `${prefix}${known} (${path})`;
  });
  if (near.length > 0) findings.errors.push(`unknown variable ${name}, the nearest is ${near.join(' or ')}`);
  else findings.warnings.push(`unknown variable ${name}`);
}
