import type { ClientInfo } from '@gyre/protocol';
import { openLeases, openRedis, redisKey } from '@gyre/redis';
import type { Lease, RedisOptions, RedisShards, Shard } from '@gyre/redis';
import { testOptions } from '@gyre/redis/testing';
import { redisPresenceManager } from './index.ts';
import type { Announce, RedisPresenceManager } from './index.ts';

/** One node of a cluster, as far as presence goes. */
export interface StageNode {
  readonly redis: RedisShards;
  readonly leases: readonly Lease[];
  readonly manager: RedisPresenceManager;
  readonly errors: unknown[];
  /** Its process is gone, without a word. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** A started node. */
export async function startNode(
  address: string | readonly string[],
  prefix: string,
  renewMs?: number,
  more: Partial<RedisOptions> = {},
): Promise<StageNode> {
  const redis = openRedis(testOptions(address, { ...more, prefix }));
  await redis.start();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const leases = openLeases(redis, { onError, ...(renewMs === undefined ? {} : { renewMs }) });
  const announce: Announce = (event: 'join' | 'leave', channel: string, { client }: ClientInfo) => ({
    bus: busOf(prefix, redis.place(channel).tag),
    message: Buffer.from(`${event} ${channel}/${client}`),
  });
  const manager = redisPresenceManager({ redis, leases, announce, onError });
  await Promise.all(leases.map((lease) => lease.start()));
  const kill = async (): Promise<void> => {
    await redis.close();
    await Promise.all(leases.map((lease) => lease.close()));
  };
  return {
    redis,
    leases,
    manager,
    errors,
    kill,
    close: async () => {
      await manager.close();
      await kill();
    },
  };
}

/** Where everything about the channels of a tag is announced. */
const busOf = (prefix: string, tag: string): string => redisKey(prefix, tag, 'test', 'announcements');

/** Hears everything that is announced. */
export interface Witness {
  /** `channel/client`, as they come. */
  readonly joins: readonly string[];
  readonly leaves: readonly string[];
  /** Resolves when all that was announced before has come. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function startWitness(address: string | readonly string[], prefix: string): Promise<Witness> {
  const redis = openRedis(testOptions(address, { prefix }));
  await redis.start();
  const heard: Record<string, string[]> = { join: [], leave: [], fence: [] };
  const everywhere = (act: (shard: Shard, tag: string, bus: string) => Promise<unknown>): Promise<unknown> =>
    Promise.all(
      redis.shards.flatMap((shard) =>
        shard
          .masters()
          .flat()
          .map((tag) => act(shard, tag, busOf(prefix, tag))),
      ),
    );
  await everywhere((shard, tag, bus) =>
    shard.subscribe(tag, bus, (message) => {
      const [event = '', name = ''] = message.toString().split(/ (.*)/s);
      heard[event]?.push(name);
    }),
  );
  let fences = 0;
  return {
    joins: heard['join'] ?? [],
    leaves: heard['leave'] ?? [],
    settled: async () => {
      const fence = ++fences;
      await everywhere(async (shard, tag, bus) => {
        const name = `${fence} ${shard.index} ${tag}`;
        // Again where it was lost: after a failover a connection may come back later than others.
        await until(async () => {
          if (heard['fence']?.includes(name) === true) return true;
          await shard.call(tag, [shard.publishCommand, bus, `fence ${name}`]);
          return false;
        });
      });
    },
    close: () => redis.close(),
  };
}

/** Resolves when the condition holds; rejects when it has not for thirty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
