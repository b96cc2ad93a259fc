/**
 * Connections to Redis for whoever keeps something there.
 *
 * ```ts
 * const redis = openRedis(options, log);
 * await redis.start();
 * const { shard, tag } = redis.place(channel);                     // which Redis, which hash tag
 * const key = redisKey(redis.prefix, tag, 'm', channel);           // prefix{tag}:m:channel
 * await shard.call(tag, ['HSET', key, 'field', bytes]);            // one command
 * const addMember = script(new URL('./lua/add_member.lua', import.meta.url));
 * await addMember(shard, tag, [key], [runId, 1, bytes]);           // one script
 * ```
 * All keys of a script carry the same tag. Nothing else builds keys than the `keys.ts` of each package.
 */
export { RedisError } from './errors.ts';
export { tellFailures } from './failures.ts';
export { openLeases } from './lease.ts';
export type { Lease, LeaseListener, LeaseOptions } from './lease.ts';
export { parseShards } from './options.ts';
export type { RedisOptions, ShardAddress, TlsOptions } from './options.ts';
export { openRedis, place } from './shards.ts';
export type { Place } from './shards.ts';
export { partitions, redisKey, tagOf } from './slots.ts';
export { script } from './script.ts';
export type { Script } from './script.ts';
export { runId } from './types.ts';
export type { Arg, Lane, Listener, Log, RedisShards, Reply, Shard, ShardStats, Watch } from './types.ts';
