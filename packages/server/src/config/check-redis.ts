import { isDeepStrictEqual } from 'node:util';
import { parseShards } from '@gyre/redis/options';
import type { Say } from './findings.ts';
import { schema, type Config } from './schema.ts';
import { scopeOf, valueAt } from './table.ts';

const SECTION = 'engine.redis.';

/** The ways to Redis, the one that counts first. */
const ways = ['cluster_address', 'sentinel_address', 'address'] as const;

/**
 * The rules of `engine.redis`.
 * @param where what set a path, undefined for a default
 */
export function checkRedis(
  config: Config,
  where: (path: string) => string | undefined,
  error: Say,
  warn: Say,
): void {
  if (config.engine.type !== 'redis') return checkUnused(config, where, warn);
  const { tls: _tls, sentinel_tls: _sentinelTls, ...redis } = config.engine.redis;
  const none = { address: [], cluster_address: [], sentinel_address: [] };
  const [used = 'address', ...others] = ways.filter((way) => redis[way].length > 0);
  for (const other of others) {
    if (isSet(config, SECTION + other)) {
      warn(SECTION + other, `not used, since ${SECTION}${used} is set and stands above it`);
    }
  }
  if (/[{}]/.test(redis.prefix)) return error(`${SECTION}prefix`, 'has no "{" and no "}"');
  if (used === 'sentinel_address' && redis.sentinel_master_name === '') {
    return error(`${SECTION}sentinel_master_name`, `needed where ${SECTION}sentinel_address is set`);
  }
  for (const item of redis[used]) {
    try {
      parseShards({ ...redis, ...none, [used]: [item] });
    } catch (fault) {
      error(SECTION + used, fault instanceof Error ? fault.message : String(fault));
    }
  }
}

/** Nodes on memory do not hear one another: whoever has set up a Redis does not want that. */
function checkUnused(config: Config, where: (path: string) => string | undefined, warn: Say): void {
  // Beside a type that was written down, what only repeats a default says nothing: a file with every option does both.
  const chosen = where('engine.type') !== undefined;
  const set = [...scopeOf(schema).rows.keys()].filter(
    (path) => path.startsWith(SECTION) && where(path) !== undefined && (!chosen || isSet(config, path)),
  );
  if (set.length === 0) return;
  warn(
    'engine.type',
    `"${config.engine.type}", so nodes do not hear one another; without effect: ${set.join(', ')}`,
  );
}

/** Something other than the default. */
function isSet(config: Config, path: string): boolean {
  return !isDeepStrictEqual(valueAt(config, path), scopeOf(schema).rows.get(path)?.leaf.default);
}
