import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisKey } from './slots.ts';
import { useStage } from './stage.testing.ts';
import { startProxy, startRedis, until } from './testing.ts';
import type { OwnRedis } from './testing.ts';
import type { RedisShards, Shard } from './types.ts';

let server: OwnRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

/** Bus channels of one shard, and what came in them. */
class Ear {
  readonly got: string[] = [];
  readonly gaps: string[] = [];
  readonly redis: RedisShards;
  readonly shard: Shard;

  constructor(redis: RedisShards) {
    this.redis = redis;
    this.shard = redis.place('x').shard;
    this.shard.onGap((channels) => this.gaps.push(...channels));
  }

  at(name: string): [tag: string, channel: string] {
    const { tag } = this.redis.place(name);
    return [tag, redisKey(this.redis.prefix, tag, 'c', name)];
  }

  subscribe(name: string): Promise<void> {
    return this.shard.subscribe(...this.at(name), (message) =>
      this.got.push(`${name}: ${message.toString()}`),
    );
  }

  unsubscribe(name: string): Promise<void> {
    return this.shard.unsubscribe(...this.at(name));
  }

  /** @returns how many heard it */
  async publish(name: string, message: string): Promise<unknown> {
    const [tag, channel] = this.at(name);
    return this.shard.call(tag, [this.shard.publishCommand, channel, message]);
  }
}

/** Ends the pub/sub connections that are there now, as an administrator does. */
async function killSubscribers(): Promise<void> {
  await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
}

describe('subscriptions', () => {
  const stage = useStage();

  it('are confirmed when the call resolves, and end when the other one does', async () => {
    const ear = new Ear(await stage.open(server.url));
    await Promise.all(['a', 'b'].map((name) => ear.subscribe(name)));
    expect(await ear.publish('a', '1')).toBe(1);
    expect(await ear.publish('b', '2')).toBe(1);
    // What was published before comes before.
    await ear.unsubscribe('a');
    expect(ear.got).toContain('a: 1');
    expect(await ear.publish('a', '3')).toBe(0);
    await ear.unsubscribe('a');
    await ear.unsubscribe('never');
    await ear.publish('b', '4');
    await until(() => ear.got.length === 3);
    expect(ear.got.filter((text) => text.startsWith('b'))).toEqual(['b: 2', 'b: 4']);
    expect(ear.gaps).toEqual([]);
  });

  it('are delivered to their end, and are there again when the next call resolves', async () => {
    const ear = new Ear(await stage.open(server.url));
    const expected: string[] = [];
    for (let i = 0; i < 50; i++) {
      await ear.subscribe('a');
      // By a connection that waits for no tick.
      expect(await server.admin.publish(ear.at('a')[1], `${i}`)).toBe(1);
      expected.push(`a: ${i}`);
      const ended = ear.unsubscribe('a');
      // Half of the time Redis has been told by now.
      if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (i % 3 > 0) await ended;
    }
    await ear.subscribe('a');
    await ear.publish('a', 'end');
    await until(() => ear.got.at(-1) === 'a: end');
    expect(ear.got).toEqual([...expected, 'a: end']);
  });

  it('are what the last call said, in whatever order confirmations come', async () => {
    const ear = new Ear(await stage.open(server.url));
    const seed = Math.floor(Math.random() * 2 ** 32);
    let state = seed;
    const random = (n: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state % n;
    };
    const names = ['a', 'b', 'c', 'd', 'e'];
    const wanted = new Map<string, boolean>();
    const calls: Promise<void>[] = [];
    for (let i = 0; i < 2000; i++) {
      const name = names[random(5)] ?? '';
      wanted.set(name, random(2) === 0);
      calls.push(wanted.get(name) ? ear.subscribe(name) : ear.unsubscribe(name));
      if (random(10) === 0) await new Promise((resolve) => setImmediate(resolve));
      if (random(100) === 0) await Promise.all(calls.splice(0));
    }
    await Promise.all(calls);
    for (const name of names) {
      expect([name, seed, await ear.publish(name, 'x')]).toEqual([name, seed, wanted.get(name) ? 1 : 0]);
    }
  });

  it('come again after a break, and it is told which ones', async () => {
    const ear = new Ear(await stage.open(server.url));
    const names = Array.from({ length: 3000 }, (_, i) => `n${i}`);
    await Promise.all(names.map((name) => ear.subscribe(name)));
    await ear.subscribe('ended');
    await ear.unsubscribe('ended');
    await until(() => ear.shard.verifiedAge() < 1000);
    const ages: number[] = [];
    ear.shard.onGap(() => ages.push(ear.shard.verifiedAge()));
    await killSubscribers();
    await until(() => ear.gaps.length >= names.length);
    // Nothing is vouched for before all of it is there again.
    expect(ages.length).toBeGreaterThan(5);
    expect(new Set(ages)).toEqual(new Set([Infinity]));
    await until(() => ear.shard.verifiedAge() < 1000);
    expect(ear.gaps.toSorted()).toEqual(names.map((name) => ear.at(name)[1]).toSorted());
    for (const name of ['n0', 'n1500', 'n2999']) expect(await ear.publish(name, 'again')).toBe(1);
    expect(await ear.publish('ended', 'x')).toBe(0);
    await until(() => ear.got.length === 3);
  });

  it('are delivered from the moment the gap is told', async () => {
    const redis = await stage.open(server.url);
    const ear = new Ear(redis);
    const heard = new Promise((resolve) => ear.shard.onGap(() => resolve(ear.publish('a', 'now'))));
    await ear.subscribe('a');
    await killSubscribers();
    expect(await heard).toBe(1);
    await until(() => ear.got.length === 1);
  });

  it('wait while Redis is away for a moment, and are refused where it stays away', async () => {
    const proxy = stage.keep(await startProxy(server.port));
    const ear = new Ear(await stage.open(proxy.url, { io_timeout: 1500 }));
    await ear.subscribe('before');
    proxy.shut();
    const first = ear.subscribe('first');
    const ended = ear.unsubscribe('before');
    proxy.open();
    await Promise.all([first, ended]);
    expect(await ear.publish('first', 'x')).toBe(1);
    expect(await ear.publish('before', 'x')).toBe(0);
    proxy.shut();
    await expect(ear.subscribe('late')).rejects.toMatchObject({ name: 'RedisError', outcome: 'none' });
    await expect(ear.subscribe('later')).rejects.toMatchObject({ name: 'RedisError', outcome: 'none' });
    proxy.open();
    await until(() => ear.gaps.length > 0);
    // Who was told no is not subscribed behind his back.
    expect(ear.gaps).toEqual([ear.at('first')[1]]);
    // Its connection may take a moment longer.
    await until(() =>
      ear.publish('first', 'x').then(
        () => true,
        () => false,
      ),
    );
    expect(await ear.publish('late', 'x')).toBe(0);
    expect(await ear.publish('later', 'x')).toBe(0);
  });
});

describe('a pub/sub connection that delivers nothing', () => {
  const stage = useStage();

  it('is found and made again', async () => {
    const proxy = stage.keep(await startProxy(server.port));
    const ear = new Ear(await stage.open(proxy.url));
    await ear.subscribe('a');
    await until(() => ear.shard.verifiedAge() < 1000);
    await until(() => ear.shard.roundTripMs !== undefined);
    proxy.mute('subscriptions');
    await ear.publish('a', 'lost');
    await until(() => ear.gaps.length > 0);
    expect(ear.gaps).toEqual([ear.at('a')[1]]);
    expect(stage.warnings.join()).toContain('delivers nothing');
    await ear.publish('a', 'heard');
    await until(() => ear.got.length > 0);
    expect(ear.got).toEqual(['a: heard']);
    await until(() => ear.redis.verifiedAge() < 1000);
  });

  it('is not verified before its beacon comes, nor when it is gone', async () => {
    const proxy = stage.keep(await startProxy(server.port));
    const redis = await stage.open(proxy.url);
    await until(() => redis.verifiedAge() < 1000);
    proxy.shut();
    await until(() => redis.verifiedAge() === Infinity);
    const away = await stage.open('redis://127.0.0.1:1', { connect_timeout: 100 });
    expect(away.verifiedAge()).toBe(Infinity);
  });
});
