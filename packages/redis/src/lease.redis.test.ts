import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openLeases } from './lease.ts';
import type { Lease } from './lease.ts';
import { openRedis } from './shards.ts';
import { freshPrefix, startRedis, testOptions } from './testing.ts';
import type { OwnRedis } from './testing.ts';
import type { RedisShards } from './types.ts';

let server: OwnRedis;
let prefix: string;
const leases: Lease[] = [];
const connections: RedisShards[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.close();
});

beforeEach(() => {
  prefix = freshPrefix();
});

afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.close()));
  await Promise.all(connections.splice(0).map((redis) => redis.close()));
  errors.splice(0);
});

async function make(renewMs = 250, ioTimeout = 10_000): Promise<Lease> {
  const redis = openRedis(testOptions(server.url, { prefix, io_timeout: ioTimeout }));
  connections.push(redis);
  await redis.start();
  const [lease] = openLeases(redis, { renewMs, onError: (error) => errors.push(error) });
  if (lease === undefined) throw new Error('a Redis without shards');
  leases.push(lease);
  return lease;
}

async function take(renewMs = 250): Promise<Lease> {
  const lease = await make(renewMs);
  await lease.start();
  return lease;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Resolves after as many renewals. */
function renewals(lease: Lease, count: number): Promise<void> {
  return new Promise((resolve) => {
    lease.listen({
      renewed: () => {
        if (--count === 0) resolve();
      },
    });
  });
}

/** Makes it look as if it had been renewed so long ago. */
async function age(lease: Lease, ms: number): Promise<void> {
  await server.admin.zincrby(lease.key, -ms, lease.holder);
}

describe('a lease', () => {
  it('has one holder for as long as it is renewed, which no other process has', async () => {
    const [one, two] = [await take(), await take()];
    const { holder } = one;
    await renewals(one, 4);
    expect(one.holder).toBe(holder);
    expect(holder).toMatch(/^[\w-]{22}$/);
    expect(two.holder).not.toBe(holder);
    expect(await one.held()).toBe(holder);
    expect(await two.alive([holder, two.holder, 'nobody'])).toEqual(new Set([holder, two.holder]));
    expect(two.dead()).toEqual([]);
  });

  it('is known to be alive from its beginning on', async () => {
    // So long that no renewal tells of it by chance.
    const one = await take(5000);
    const two = await take(5000);
    expect(await one.alive([two.holder])).toEqual(new Set([two.holder]));
  });

  it('that is not renewed is over, for ever, until it is forgotten', async () => {
    const [dies, lives] = [await take(), await take()];
    const { holder } = dies;
    await dies.close();
    await until(() => lives.dead().includes(holder));
    expect(await lives.alive([holder])).toEqual(new Set());
    await renewals(lives, 2);
    expect(lives.dead()).toEqual([holder]);
    await lives.forget(holder);
    await until(() => lives.dead().length === 0);
    expect(await lives.alive([holder])).toEqual(new Set());
  });

  it.each([
    ['was over', (lease: Lease) => age(lease, lease.ttlMs)],
    ['was forgotten', async (lease: Lease) => server.admin.del(lease.key)],
    ['was abandoned', async (lease: Lease) => lease.abandon()],
  ])('that %s has another holder at the next renewal, and tells', async (_, harm) => {
    const lease = await take();
    const { holder } = lease;
    const told: string[] = [];
    lease.listen({ changed: () => told.push('changed'), renewed: () => told.push(lease.holder) });
    await harm(lease);
    await until(() => told.includes('changed'));
    expect(told.slice(told.indexOf('changed'))[1]).toBe(lease.holder);
    expect(lease.holder).not.toBe(holder);
    await renewals(lease, 3);
    expect(told.filter((one) => one === 'changed')).toEqual(['changed']);
  });

  it('that is late is renewed after catching up, by the clock of Redis', async () => {
    const lease = await take();
    const { holder } = lease;
    const scores: number[] = [];
    const score = async (): Promise<number> => Number(await server.admin.zscore(lease.key, holder));
    let aged = false;
    /** Ages of the lease, by the clock of Redis, when it was late by itself: where this machine stood still. */
    const ages: number[] = [];
    let release = (): void => {};
    const caughtUp = new Promise<void>((resolve) => {
      release = resolve;
    });
    lease.listen({
      late: async () => {
        if (!aged) {
          const [seconds, microseconds] = await server.admin.time();
          ages.push(Number(seconds) * 1000 + Number(microseconds) / 1000 - (await score()));
          return;
        }
        scores.push(await score(), await score());
        await caughtUp;
        scores.push(await score());
      },
    });
    await renewals(lease, 3);
    for (const milliseconds of ages) expect(milliseconds).toBeGreaterThan(2 * lease.renewMs);
    aged = true;
    await age(lease, 3 * lease.renewMs);
    await until(() => scores.length === 2);
    release();
    await renewals(lease, 1);
    expect(new Set(scores).size).toBe(1);
    expect([scores.length, lease.holder]).toEqual([3, holder]);
    expect(await score()).toBeGreaterThan(scores[0] ?? Infinity);
  });

  it('is tried for until Redis answers, and says once that it does not', async () => {
    const lease = await make(250, 500);
    let said = -1;
    lease.listen({ changed: () => (said = errors.length) });
    await server.pause();
    await lease.start();
    expect(lease.holder).toBe('');
    await expect(lease.held()).rejects.toMatchObject({ name: 'RedisError' });
    await until(() => errors.length > 0);
    await server.resume();
    await until(() => lease.holder !== '');
    expect(said).toBe(1);
  });

  it('has been held since Redis said so, and not since it was asked', async () => {
    const lease = await make(100, 10_000);
    const held: number[] = [];
    lease.listen({ changed: () => held.push(lease.heldMs) });
    await server.pause();
    const started = lease.start();
    const end = performance.now() + 2 * lease.ttlMs;
    await until(() => performance.now() > end);
    await server.resume();
    await started;
    expect(held[0]).toBeLessThan(lease.ttlMs);
  });

  it('says whether others count on it', async () => {
    const lease = await take();
    expect(lease.standing).toBe('current');
    const seen = new Set<string>();
    lease.listen({ late: async () => void seen.add(lease.standing) });
    await server.pause();
    const pausedAt = performance.now();
    try {
      await until(() => lease.standing === 'away');
      // Long enough for Redis to say so too, by its own clock.
      await until(() => performance.now() > pausedAt + 3 * lease.renewMs);
    } finally {
      await server.resume();
    }
    await until(() => lease.standing === 'current');
    expect([...seen]).toEqual(['late']);

    // As after SIGSTOP: the loop is held, and before it has heard of anything nobody counts on it.
    const end = performance.now() + 3 * lease.renewMs;
    while (performance.now() < end);
    expect(lease.standing).toBe('late');
    await until(() => lease.standing === 'current');
  });

  it('of a listener that throws is renewed as ever', async () => {
    const lease = await take();
    const failure = new Error('a listener of this test throws');
    lease.listen({
      renewed: () => {
        throw failure;
      },
    });
    await renewals(lease, 3);
    expect(new Set(errors)).toEqual(new Set([failure]));
  });

  it('may be closed twice, and is then refused', async () => {
    const lease = await take();
    await Promise.all([lease.close(), lease.close()]);
    await expect(lease.alive(['nobody'])).rejects.toMatchObject({ name: 'RedisError', outcome: 'none' });
  });
});
