import type { ClientInfo } from '@gyre/protocol';
import { openLeases, openRedis } from '@gyre/redis';
import type { Lease, RedisOptions, RedisShards } from '@gyre/redis';
import { testOptions } from '@gyre/redis/testing';
import { redisPresenceManager } from './index.ts';
import type { RedisPresenceManager } from './index.ts';

/** One node of a cluster, as far as presence goes. */
export interface StageNode {
  readonly redis: RedisShards;
  readonly leases: readonly Lease[];
  readonly manager: RedisPresenceManager;
  /** `channel/client` of each member that this node was told of. */
  readonly swept: string[];
  readonly rejoined: string[];
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
  const swept: string[] = [];
  const rejoined: string[] = [];
  const tell = (list: string[]) => (channel: string, info: ClientInfo) => {
    list.push(`${channel}/${info.client}`);
  };
  const manager = redisPresenceManager({
    redis,
    leases,
    swept: tell(swept),
    rejoined: tell(rejoined),
    onError,
  });
  await Promise.all(leases.map((lease) => lease.start()));
  const kill = async (): Promise<void> => {
    await redis.close();
    await Promise.all(leases.map((lease) => lease.close()));
  };
  return {
    redis,
    leases,
    manager,
    swept,
    rejoined,
    errors,
    kill,
    close: async () => {
      await manager.close();
      await kill();
    },
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
