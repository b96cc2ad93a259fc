import { beforeAll, expect, it } from 'vitest';
import { startRedis, type OwnRedis } from '../../packages/redis/src/testing.ts';
import { api, connectClient, gyre, teardown, until, type Gyre } from '../harness/index.ts';
import { metrics } from '../harness/metrics.ts';

let redis: OwnRedis;
let nodes: readonly [Gyre, Gyre];
beforeAll(async () => {
  redis = await startRedis([]);
  teardown(() => redis.close());
  const config = {
    client: { insecure: true },
    prometheus: { enabled: true },
    engine: { type: 'redis', redis: { address: redis.url, prefix: 'test' } },
    channel: { without_namespace: { presence: true, history_size: 10, history_ttl: '60s' } },
  };
  nodes = [await gyre.start({ config }), await gyre.start({ config })];
});

async function valueOf(node: Gyre, name: string): Promise<number> {
  return (await metrics(node)).get(`gyre_${name}`) ?? NaN;
}

it('metrics tell of a Redis that is well', async () => {
  const [node] = nodes;
  const client = await connectClient(node);
  const subscription = client.newSubscription('c');
  subscription.subscribe();
  await subscription.ready();
  const writes = await valueOf(node, 'redis_commands_total{shard="0",lane="write"}');
  for (const key of ['k', 'k']) await api(node, 'publish', { channel: 'c', data: 1, idempotency_key: key });
  expect(await valueOf(node, 'redis_commands_total{shard="0",lane="write"}')).toBeGreaterThan(writes + 1);
  expect(await valueOf(node, 'redis_answer_seconds_count{shard="0",lane="write"}')).toBeGreaterThan(0);
  expect(await valueOf(node, 'broker_publish_suppressed_count{reason="idempotency"}')).toBe(1);
  expect(await valueOf(node, 'presence_members')).toBe(1);
  expect(await valueOf(node, 'presence_owed_members')).toBe(0);
  expect(await valueOf(node, 'redis_lease_failures_total{shard="0"}')).toBe(0);
  await until(async () => (await valueOf(node, 'node_pub_sub_lag_seconds_count{shard="0"}')) > 0);
  expect(await valueOf(node, 'redis_beacon_age_seconds{shard="0"}')).toBeLessThan(4);
  expect(await valueOf(node, 'redis_round_trip_seconds{shard="0"}')).toBeLessThan(4);
});

it('metrics tell of a pub/sub connection that broke, and that it is well again', async () => {
  const [node] = nodes;
  const breaks = () => valueOf(node, 'redis_connection_breaks_total{shard="0",connection="pubsub"}');
  const before = await breaks();
  await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(async () => (await breaks()) === before + 1);
  expect(await valueOf(node, 'broker_redis_pub_sub_errors{error="connection"}')).toBe(before + 1);
  await until(async () => (await valueOf(node, 'redis_beacon_age_seconds{shard="0"}')) < 4);
});

it('metrics tell of a node that does not answer', async () => {
  const [node, other] = nodes;
  process.kill(other.pid, 'SIGSTOP');
  try {
    const answer = await api(node, 'disconnect', { user: 'nobody' });
    expect(answer.error).toMatchObject({ code: 100 });
    expect(await valueOf(node, 'control_unacked_total')).toBe(1);
  } finally {
    process.kill(other.pid, 'SIGCONT');
  }
  await until(async () => (await api(node, 'disconnect', { user: 'nobody' })).error === undefined);
});

it('metrics tell of a Redis that is gone', async () => {
  const [node] = nodes;
  await redis.close();
  const of = (name: string) => valueOf(node, name);
  await until(async () => (await of('redis_lease_failures_total{shard="0"}')) > 0);
  await until(async () => (await of('redis_errors_total{shard="0",error="none"}')) > 0, { deadline: 20_000 });
  // Infinity has another name there.
  await until(async () => !((await of('redis_beacon_age_seconds{shard="0"}')) < 4));
  await until(async () => Number.isNaN(await of('redis_round_trip_seconds{shard="0"}')));
});
