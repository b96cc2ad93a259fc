import { openLeases, openRedis } from '@gyre/redis';
import type { Lease, RedisShards } from '@gyre/redis';
import { testOptions } from '@gyre/redis/testing';
import type { ControlBus } from '../control.ts';
import { redisControlBus } from './control-bus.ts';

/** One node of a cluster, as far as control goes; its bus is not started. */
export interface StageNode {
  readonly redis: RedisShards;
  readonly lease: Lease;
  readonly bus: ControlBus;
  readonly errors: unknown[];
  /** Its process is gone, without a word. */
  kill(): Promise<void>;
  /** After `bus.close()`. */
  close(): Promise<void>;
}

/** A node with a lease. */
export async function makeNode(
  address: string | readonly string[],
  prefix: string,
  name: string,
  renewMs?: number,
): Promise<StageNode> {
  const redis = openRedis(testOptions(address, { prefix }));
  await redis.start();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const [lease] = openLeases(redis, { onError, ...(renewMs === undefined ? {} : { renewMs }) });
  if (lease === undefined) throw new Error('a Redis without shards');
  await lease.start();
  const bus = redisControlBus({ prefix, lease, name, onError });
  const kill = async (): Promise<void> => {
    await redis.close();
    await lease.close();
  };
  return { redis, lease, bus, errors, kill, close: kill };
}

/** Resolves when the condition holds; rejects when it has not for thirty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
