import { isDeepStrictEqual } from 'node:util';
import { buildTree } from './read.ts';
import { schema, type Config } from './schema.ts';
import { scopeOf, valueAt } from './table.ts';
import { deepFreeze } from './tree.ts';

/** Options and sections that may change while the server runs. */
const changing = [
  'log.level',
  'client',
  'channel',
  'rpc',
  'http_api.key',
  'http_api.insecure',
  'http_api.error_mode',
  'grpc_api.key',
  'grpc_api.error_mode',
  'grpc_api.key',
  'grpc_api.error_mode',
  'health.ready_without_redis',
  'shutdown',
];

/** What in these sections may not: connections count on it, or something was built on it. */
const staying = ['client.ping_interval', 'client.pong_timeout', 'client.concurrency', 'client.proxy'];

export interface Reloaded {
  /** The new configuration, as far as it can take effect: complete and frozen. */
  readonly config: Config;
  /** Options that have changed, but stay as they are until the server is started again. */
  readonly kept: readonly string[];
}

/**
 * Joins what a running server can take over of another configuration with what it was started with.
 * @param started what it runs with
 * @param next what was read now
 */
export function reloadConfig(started: Config, next: Config): Reloaded {
  const kept: string[] = [];
  const values = new Map<string, unknown>();
  for (const path of scopeOf(schema).rows.keys()) {
    const [old, value] = [valueAt(started, path), valueAt(next, path)];
    const stays = !isWithin(path, changing) || isWithin(path, staying);
    if (stays && !isDeepStrictEqual(old, value)) kept.push(path);
    values.set(path, stays ? old : value);
  }
  const config = buildTree(schema, values) as unknown as Config;
  deepFreeze(config);
  return { config, kept };
}

function isWithin(path: string, sections: readonly string[]): boolean {
  return sections.some((section) => path === section || path.startsWith(`${section}.`));
}
