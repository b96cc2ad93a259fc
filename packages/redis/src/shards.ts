import { randomUUID } from 'node:crypto';
import { ClusterShard } from './cluster-shard.ts';
import { parseShards } from './options.ts';
import type { RedisOptions } from './options.ts';
import { ServerShard } from './server-shard.ts';
import { hash, tagOf } from './slots.ts';
import type { Log, RedisShards, Shard, Watch } from './types.ts';

/** Where a name lives. */
export interface Place {
  readonly shard: Shard;
  readonly tag: string;
}

/** The place of a name among `shards`, which are at least one. A shard that is added takes its share, and nothing else moves. */
export function place(shards: readonly Shard[], name: string): Place {
  const [first, ...others] = shards;
  if (first === undefined) throw new Error('a Redis without shards');
  let shard = first;
  if (others.length > 0) {
    let best = hash(name, seedOf(first));
    for (const other of others) {
      const score = hash(name, seedOf(other));
      if (score <= best) continue;
      best = score;
      shard = other;
    }
  }
  return { shard, tag: tagOf(name) };
}

/** Never 0, which chooses the partition. */
const seedOf = ({ index }: Shard): number => Math.imul(index + 1, 0x9e3779b1);

/**
 * Opens all shards. Nothing is connected before `start`.
 * @param watch what is told how long a shard takes, by its index
 * @throws Error that says which option cannot be used
 */
export function openRedis(
  options: RedisOptions,
  log: Log = {},
  watch: (shard: number) => Watch = () => ({}),
): RedisShards {
  // Tells the beacons of this process apart from others'.
  const nodeId = randomUUID();
  const shards = parseShards(options).map((address, index) => {
    const needs = { log, nodeId, watch: watch(index) };
    return address.kind === 'cluster'
      ? new ClusterShard(index, address, options, needs)
      : new ServerShard(index, address, options, needs);
  });
  return {
    prefix: options.prefix,
    shards,
    place: (name) => place(shards, name),
    start: async () => {
      await Promise.all(shards.map((shard) => shard.start()));
    },
    verifiedAge: () => Math.min(...shards.map((shard) => shard.verifiedAge())),
    close: async () => {
      for (const shard of shards) shard.close();
    },
  };
}
