import { startRedis } from '../../packages/redis/src/testing.ts';
import { describe, expect, it } from 'vitest';
import { api, connectClient, gyre, record, teardown, until, type Gyre } from '../harness/index.ts';

/** Three real processes over one Redis, an official client on the first. */
async function startThree(...args: string[]) {
  const redis = await startRedis(args);
  teardown(() => redis.close());
  const config = {
    client: { insecure: true },
    engine: { type: 'redis', redis: { address: redis.url, prefix: 'test' } },
    channel: {
      without_namespace: {
        presence: true,
        join_leave: true,
        force_push_join_leave: true,
        history_size: 1000,
        history_ttl: '60s',
        force_recovery: true,
      },
    },
  };
  const nodes = (await Promise.all([1, 2, 3].map(() => gyre.start({ config })))) as [Gyre, Gyre, Gyre];
  return { redis, nodes };
}

async function listen(node: Gyre) {
  const client = await connectClient(node);
  const subscription = client.newSubscription('c');
  const events = record(subscription);
  subscription.subscribe();
  await subscription.ready();
  return { client, events };
}

const dataOf = ({ publication }: { publication: { data: unknown }[] }) => publication.map(({ data }) => data);

describe('three nodes', () => {
  it('are one server: subscribed on A, published on B, asked on C', async () => {
    const {
      nodes: [a, b, c],
    } = await startThree();
    const { client, events } = await listen(a);
    expect((await api(b, 'publish', { channel: 'c', data: 1 })).result).toMatchObject({ offset: 1 });
    await until(() => events.publication.length === 1);
    const { result: presence } = await api<{ presence: object }>(c, 'presence', { channel: 'c' });
    expect(Object.keys(presence?.presence ?? {})).toHaveLength(1);
    expect((await api(c, 'channels')).result).toEqual({ channels: { c: { num_clients: 1 } } });
    const { result: info } = await api<{ nodes: { num_clients: number }[] }>(c, 'info');
    expect(info?.nodes.map((node) => node.num_clients).toSorted()).toEqual([0, 0, 1]);
    let closed: { code: number } | undefined;
    client.on('disconnected', (context) => (closed = context));
    expect(
      (await api(b, 'disconnect', { user: '', disconnect: { code: 4501, reason: 'x' } })).error,
    ).toBeUndefined();
    await until(() => closed !== undefined);
    expect(closed?.code).toBe(4501);
  });

  it('tell the log who joins and who is gone, by name', async () => {
    const {
      nodes: [a, b, c],
    } = await startThree();
    const told = (what: string, { port }: Gyre) =>
      a
        .logs()
        .split('\n')
        .filter((line) => line.includes(`"${what}"`) && line.includes(`_${port}"`)).length;
    await until(() => told('a node joined', b) === 1 && told('a node joined', c) === 1, { deadline: 20_000 });
    expect((await c.stop('SIGKILL')).signal).toBe('SIGKILL');
    await until(() => told('a node is gone', c) === 1, { deadline: 40_000 });
    expect([told('a node joined', a), told('a node is gone', b)]).toEqual([0, 0]);
  });

  it('lose nothing when the pub/sub connections are cut again and again', async () => {
    const {
      redis,
      nodes: [a, b, c],
    } = await startThree();
    const listeners = [await listen(a), await listen(b)];
    const sent: number[] = [];
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 10; i++) {
        sent.push(sent.length);
        expect((await api(c, 'publish', { channel: 'c', data: sent.length - 1 })).error).toBeUndefined();
        if (i === 5) await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      }
    }
    for (const { events } of listeners) {
      await until(() => events.publication.length >= sent.length);
      expect(dataOf(events)).toEqual(sent);
      expect(events.subscribing).toHaveLength(1);
    }
  });

  it('lose nothing when Redis is killed and comes back with all its data', async () => {
    const {
      redis,
      nodes: [a, , c],
    } = await startThree('--appendonly', 'yes', '--appendfsync', 'always');
    const { events } = await listen(a);
    const sent: number[] = [];
    const publish = async () => {
      const { error } = await api(c, 'publish', {
        channel: 'c',
        data: sent.length,
        idempotency_key: `${sent.length}`,
      });
      if (error === undefined) sent.push(sent.length);
      return error === undefined;
    };
    for (let i = 0; i < 20; i++) expect(await publish()).toBe(true);
    await redis.restart();
    // Whatever is answered 100 meanwhile is tried again under the same key.
    await until(async () => publish(), { deadline: 30_000 });
    for (let i = 0; i < 20; i++) await until(publish);
    await until(() => events.publication.length >= sent.length, { deadline: 30_000 });
    expect(dataOf(events)).toEqual(sent);
    expect(events.subscribed.slice(1).every(({ recovered }) => recovered)).toBe(true);
  });

  it('tell who has gone with a node that was killed', async () => {
    const {
      nodes: [a, b, c],
    } = await startThree();
    await listen(a);
    const { events } = await listen(b);
    await a.stop('SIGKILL');
    await until(() => events.leave.length > 0, { deadline: 30_000 });
    const count = async () =>
      (await api<{ num_clients: number }>(c, 'presence_stats', { channel: 'c' })).result;
    await until(async () => (await count())?.num_clients === 1, { deadline: 30_000 });
    const nodes = async () => (await api<{ nodes: object[] }>(c, 'info')).result?.nodes.length;
    await until(async () => (await nodes()) === 2, { deadline: 30_000 });
    expect(events.leave).toHaveLength(1);
  });
});
