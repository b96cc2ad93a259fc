import { startRedis, type OwnRedis } from '../../packages/redis/src/testing.ts';
import { describe, expect, it } from 'vitest';
import {
  api,
  connectClient,
  gyre,
  HandshakeRefused,
  rawSocket,
  record,
  recordClient,
  teardown,
  until,
  type Gyre,
} from '../harness/index.ts';

/** What a node takes and keeps while Redis is away, or while it was away itself; and how it leaves Redis. */

const without_namespace = {
  presence: true,
  join_leave: true,
  force_push_join_leave: true,
  history_size: 100,
  history_ttl: '60s',
  force_recovery: true,
};

async function redisOfOurs(): Promise<OwnRedis> {
  const redis = await startRedis();
  teardown(async () => {
    // Whoever stands still is not ended by a signal.
    await redis.resume();
    await redis.close();
  });
  return redis;
}

function startNode(redis: readonly OwnRedis[], config: object = {}): Promise<Gyre> {
  return gyre.start({
    config: {
      client: { insecure: true },
      channel: { without_namespace },
      engine: {
        type: 'redis',
        redis: { address: redis.map(({ url }) => url), prefix: 'test', io_timeout: '1s' },
      },
      ...config,
    },
  });
}

/** 101, or the status that refused a handshake. */
async function handshake(server: Gyre): Promise<number> {
  try {
    (await rawSocket(server)).destroy();
    return 101;
  } catch (error) {
    if (error instanceof HandshakeRefused) return error.status;
    throw error;
  }
}

const ready = async (server: Gyre): Promise<number> => (await fetch(`${server.url}/ready`)).status;

/** The lines of the log with this message. */
function lines(server: Gyre, message: string): Record<string, unknown>[] {
  return server
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['message'] === message);
}

const serves = async (server: Gyre): Promise<boolean> =>
  (await handshake(server)) === 101 && (await ready(server)) === 200;

/** Waits until a node takes nobody, and so long that any other would not either: leases differ by a second at most. */
async function outageIsFelt(witness: Gyre): Promise<void> {
  await until(async () => (await handshake(witness)) === 503 && (await ready(witness)) === 503, slow);
  const since = performance.now();
  await until(() => performance.now() - since > 1500);
}

const slow = { deadline: 20_000 };

async function subscribed(server: Gyre, channel = 'c') {
  const client = await connectClient(server);
  const connection = recordClient(client);
  const subscription = client.newSubscription(channel);
  const events = record(subscription);
  subscription.subscribe();
  await subscription.ready();
  return { client, connection, events };
}

describe('while no Redis answers', () => {
  it('a node keeps its connections, says 100, takes nobody, is not ready; and all is well afterwards', async () => {
    const redis = await redisOfOurs();
    const node = await startNode([redis]);
    const { client, connection, events } = await subscribed(node);
    await until(() => serves(node), slow);

    await redis.pause();
    await until(async () => (await handshake(node)) === 503, slow);
    await until(async () => (await ready(node)) === 503, slow);
    const { error } = await api(node, 'publish', { channel: 'c', data: 1 });
    expect(error).toMatchObject({ code: 100 });
    const other = client.newSubscription('other');
    const refused = record(other);
    other.subscribe();
    await until(() => refused.error.length > 0, slow);
    expect(refused.error[0]).toMatchObject({ error: { code: 100 } });
    expect((await fetch(`${node.url}/health`)).status).toBe(200);
    const because = 'Redis does not answer';
    expect(await (await fetch(`${node.url}/ready`)).json()).toEqual({ ready: false, reason: because });
    await until(() => lines(node, 'not ready').length > 0, slow);

    await redis.resume();
    await until(() => serves(node), slow);
    await until(() => lines(node, 'ready').length > 0, slow);
    expect(lines(node, 'not ready')).toMatchObject([{ level: 'warn', because }]);
    await other.ready();
    const again = () => api(node, 'publish', { channel: 'c', data: 2, idempotency_key: '2' });
    await until(async () => (await again()).error === undefined, slow);
    await until(() => events.publication.some(({ data }) => data === 2), slow);
    expect(connection.connecting).toEqual([]);
    expect(connection.disconnected).toEqual([]);
  });

  it('a node that is told to takes connections, and stays ready', async () => {
    const redis = await redisOfOurs();
    const [node, other] = await Promise.all([
      startNode([redis], { health: { ready_without_redis: true } }),
      startNode([redis]),
    ]);
    await redis.crash();
    await outageIsFelt(other);
    await until(() => serves(node), slow);
    expect((await connectClient(node)).state).toBe('connected');
  });
});

describe('while Redis takes publications and no writes', () => {
  const unavailable = { code: 100, message: 'Redis is not available' };

  it('a node takes nobody and is not ready, the log has what Redis says, and callers have not', async () => {
    const redis = await redisOfOurs();
    const node = await startNode([redis]);
    await until(() => serves(node), slow);
    await redis.admin.config('SET', 'min-replicas-to-write', 1);
    await until(async () => (await handshake(node)) === 503 && (await ready(node)) === 503, slow);
    const publication = { channel: 'c', data: 1, idempotency_key: '1' };
    for (const [method, body] of [
      ['publish', publication],
      ['history_remove', { channel: 'c' }],
      ['disconnect', { user: 'u' }],
    ] as const) {
      expect((await api(node, method, body)).error, method).toEqual(unavailable);
    }
    await until(() => /lease[^\n]*NOREPLICAS|NOREPLICAS[^\n]*lease/.test(node.logs()));
    // One line is enough for what is expected.
    expect(node.logs()).not.toMatch(/"stack"/);
    await redis.admin.config('SET', 'min-replicas-to-write', 0);
    await until(() => serves(node), slow);
  });

  it('a node whose Redis is a replica says so to presence in words of ours, too', async () => {
    const [redis, master] = [await redisOfOurs(), await redisOfOurs()];
    const node = await startNode([redis]);
    await until(() => serves(node), slow);
    await redis.admin.call('REPLICAOF', '127.0.0.1', master.port);
    await until(async () => (await handshake(node)) === 503 && (await ready(node)) === 503, slow);
    expect(node.logs()).toContain(`127.0.0.1:${redis.port} is a read-only replica`);
    expect((await api(node, 'presence', { channel: 'c' })).error).toEqual(unavailable);
  });
});

describe('a node that is told of a Redis Cluster where there is none', () => {
  it('is not ready, and ends when it is told to', async () => {
    const redis = await redisOfOurs();
    const seed = `127.0.0.1:${redis.port}`;
    const section = { cluster_address: [seed], io_timeout: '4s' };
    const node = await startNode([], {
      engine: { type: 'redis', redis: section },
      // Less than a call takes that waits.
      shutdown: { timeout: '3s', ready_wait: '0s' },
    });
    expect([await handshake(node), await ready(node)]).toEqual([503, 503]);
    expect(node.logs()).toContain(`${seed}: ERR This instance has cluster support disabled`);
    expect((await node.stop()).code).toBe(0);
    expect(node.logs()).not.toContain('left undone');
  });
});

describe('while one of two Redis is away', () => {
  it.each([0, 1])('only its own channels are gone, be it the first or the second: %i', async (down) => {
    const redis = [await redisOfOurs(), await redisOfOurs()] as const;
    // Another that has none but the one which goes.
    const [node, witness] = await Promise.all([startNode(redis), startNode([redis[down]!])]);
    const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const refused = async (channel: string) =>
      (await api(node, 'publish', { channel, data: 1 })).error?.code === 100;

    await redis[down]!.crash();
    const gone = await Promise.all(names.map(refused));
    expect(new Set(gone)).toEqual(new Set([true, false]));
    await outageIsFelt(witness);
    await until(() => serves(node), slow);
    expect(await Promise.all(names.map(refused))).toEqual(gone);
    await subscribed(node, names[gone.indexOf(false)]);
  });
});

describe('[F04] a node that stood still', () => {
  it('takes nobody before it has heard what was said meanwhile', async () => {
    const redis = await redisOfOurs();
    // Also where it may go on without Redis: that it was away itself is something else.
    const [a, b] = await Promise.all([
      startNode([redis], { health: { ready_without_redis: true } }),
      startNode([redis]),
    ]);
    const { client } = await subscribed(a);
    const ended = recordClient(client).disconnected;

    process.kill(a.pid, 'SIGSTOP');
    const disconnect = { user: '', disconnect: { code: 4501, reason: 'x' } };
    // Until it is not counted on any more, which takes two seconds.
    await until(async () => (await api(b, 'disconnect', disconnect)).error === undefined, slow);
    await redis.pause();
    process.kill(a.pid, 'SIGCONT');
    expect(await handshake(a)).toBe(503);
    expect(ended).toEqual([]);
    await redis.resume();
    await until(async () => (await handshake(a)) === 101, slow);
    // Not sooner than it was carried out.
    await until(() => ended.length > 0);
    expect(ended[0]).toMatchObject({ code: 4501 });
    await until(async () => (await ready(a)) === 200, slow);
    await until(() => /"stood still for [1-9]\d?\.\d s"/.test(a.logs()));
  });
});

describe('a node that starts while Redis does not answer', () => {
  it('says so, and when it is ready', async () => {
    const redis = await redisOfOurs();
    await redis.pause();
    const node = await startNode([redis]);
    await until(() => lines(node, 'serving, not ready').length > 0);
    expect(lines(node, 'serving, not ready')).toMatchObject([
      { level: 'warn', because: 'Redis does not answer', engine: 'redis', redis: 'does not answer' },
    ]);
    await redis.resume();
    await until(() => lines(node, 'ready').length > 0, slow);
  });
});

describe('a node that ends', () => {
  it('leaves nobody in presence, tells of each, and is out of info and leases at once', async () => {
    const redis = await redisOfOurs();
    const [a, b] = await Promise.all([
      startNode([redis], { shutdown: { drain_time: '500ms' } }),
      startNode([redis]),
    ]);
    const others = await Promise.all([1, 2, 3].map(() => subscribed(a)));
    const { events } = await subscribed(b);
    expect((await a.stop()).code).toBe(0);

    const { result } = await api<{ num_clients: number }>(b, 'presence_stats', { channel: 'c' });
    expect(result?.num_clients).toBe(1);
    expect((await api<{ nodes: object[] }>(b, 'info')).result?.nodes).toHaveLength(1);
    const [key = ''] = await redis.admin.keys('test*:lease:*');
    expect(await redis.admin.zcard(key)).toBe(1);
    await until(() => events.leave.length >= others.length);
    expect(new Set(events.leave.map(({ info }) => info.client)).size).toBe(others.length);
    // Nobody waits for it any more.
    expect((await api(b, 'disconnect', { user: 'nobody' })).error).toBeUndefined();
  });

  it('ends in time while Redis does not answer, and says what it leaves behind', async () => {
    const redis = await redisOfOurs();
    const node = await startNode([redis], {
      engine: { type: 'redis', redis: { address: redis.url, prefix: 'test', io_timeout: '10s' } },
      shutdown: { timeout: '6s' },
    });
    const { connection } = await subscribed(node);
    await redis.pause();
    // 1 is what it ends with when its time is over.
    expect((await node.stop()).code).toBe(0);
    expect(connection.connecting[0]).toMatchObject({ code: 3001 });
    expect(node.logs()).toMatch(/presence.*left undone/);
  });
});
