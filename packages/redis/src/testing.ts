/**
 * A Redis for tests: that of `REDIS_URL`, or one that is started here on a free port and ended afterwards. Never a mock.
 */
import { randomUUID } from 'node:crypto';
import type { RedisOptions } from './options.ts';
import { startRedis } from './server.testing.ts';
import { startCluster, startSentinel } from './topology.testing.ts';
import type { TestRedis } from './server.testing.ts';

export { startProxy } from './proxy.testing.ts';
export type { Proxy } from './proxy.testing.ts';
export { startRedis } from './server.testing.ts';
export type { OwnRedis, TestRedis } from './server.testing.ts';
export { startCluster, startSentinel } from './topology.testing.ts';
export type { TestCluster, TestSentinel } from './topology.testing.ts';
export { until } from './until.testing.ts';
export { cutReplication, failovers, holderOf } from './failover.testing.ts';

/** The options of a node over `address`, under a prefix that nobody else has unless one is given. */
export function testOptions(
  address: string | readonly string[],
  more: Partial<RedisOptions> = {},
): RedisOptions {
  return {
    address: typeof address === 'string' ? [address] : address,
    cluster_address: [],
    sentinel_address: [],
    sentinel_master_name: '',
    sentinel_user: '',
    sentinel_password: '',
    user: '',
    password: '',
    db: 0,
    client_name: '',
    force_resp2: false,
    connect_timeout: 1000,
    io_timeout: 4000,
    prefix: freshPrefix(),
    ...more,
  };
}

export function freshPrefix(): string {
  return `test-${randomUUID()}`;
}

/** `REDIS_URL` if it is set, else a server of our own. */
export async function testRedis(): Promise<TestRedis> {
  const url = process.env['REDIS_URL'];
  return url ? { url, close: async () => {} } : startRedis();
}

/** Every kind of Redis that a contract has to hold on; several servers are shards. */
export const topologies: readonly [name: string, start: () => Promise<readonly TestRedis[]>][] = [
  ['a server', async () => [await testRedis()]],
  ['two shards', async () => [await testRedis(), await startRedis()]],
  ['Sentinel', async () => [await startSentinel()]],
  ['a Cluster', async () => [await startCluster()]],
];
