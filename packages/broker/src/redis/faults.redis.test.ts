import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRedis, tagOf } from '@gyre/redis';
import type { RedisOptions } from '@gyre/redis';
import { startProxy, startRedis, testOptions, until } from '@gyre/redis/testing';
import type { OwnRedis } from '@gyre/redis/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PublishOptions } from '../broker.ts';
import { hostileNames } from '../contract/bytes.ts';
import { Recorder, all, kept, refusal, saying, text, texts } from '../contract/stage.ts';
import type { Durability } from './engine.ts';
import { redisBroker } from './index.ts';
import type { RedisBroker } from './index.ts';

interface Node {
  readonly broker: RedisBroker;
  readonly events: Recorder;
  readonly options: RedisOptions;
  close(): Promise<void>;
}

const things: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of things.splice(0).toReversed()) await thing.close();
});

function keep<T extends { close(): Promise<void> }>(thing: T): T {
  things.push(thing);
  return thing;
}

async function node(
  url: string,
  more: Partial<RedisOptions> = {},
  durability: Durability = 'master',
): Promise<Node> {
  const options = testOptions(url, more);
  const redis = openRedis(options);
  await redis.start();
  const broker = redisBroker(redis, { onError: () => {}, durability });
  const events = new Recorder();
  await broker.start(events);
  const close = async (): Promise<void> => {
    await broker.close();
    await redis.close();
  };
  return keep({ broker, events, options, close });
}

let server: OwnRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

describe('a publication whose answer is lost', () => {
  it.each<[string, PublishOptions]>([
    ['history', { history: kept }],
    ['history and a version', { history: kept, version: 3 }],
    ['a key', { idempotencyKey: 'k' }],
    ['history and a key', { history: kept, idempotencyKey: 'k' }],
  ])('is tried again and published once: with %s', async (_, options) => {
    const proxy = keep(await startProxy(server.port));
    const { broker, options: own } = await node(proxy.url, { io_timeout: 2000 });
    const witness = await node(server.url, { prefix: own.prefix });
    await witness.broker.subscribe('c');
    // An answer that the script is not known would be lost in place of the one that is meant.
    await broker.publish('other', saying('0'), options);
    const { publishRetriesFound: found, publishRetriesAppended: appended } = broker.stats;
    proxy.mute('commands');
    const result = await broker.publish('c', saying('1'), options);
    expect(result.suppressed).toBeUndefined();
    expect(broker.stats).toMatchObject({
      publishRetriesFound: found + 1,
      publishRetriesAppended: appended,
    });
    // The witness publishes after it, so it has heard all of it.
    await witness.broker.publish('c', saying('end'), {});
    await until(() => witness.events.texts('c').at(-1) === 'end');
    expect(witness.events.texts('c')).toEqual(['1', 'end']);
    if (options.history === undefined) return;
    const page = await all(witness.broker, 'c');
    expect([texts(page), page.position]).toEqual([['1'], result.position]);
  });

  it('is found behind all that others have published since, by each of many that look', async () => {
    const proxy = keep(await startProxy(server.port));
    const { broker, options } = await node(proxy.url, { io_timeout: 2000 });
    const other = await node(server.url, { prefix: options.prefix });
    const history = { ...kept, size: 5000 };
    const publish = ({ broker: by }: { readonly broker: RedisBroker }, words: string) =>
      by.publish('c', saying(words), { history });
    await publish({ broker }, 'warm');
    proxy.mute('commands');
    const ours = Array.from({ length: 20 }, (_, i) => `ours ${i}`);
    // Some others come before they are looked for, and some between one and the next.
    const sent = ours.map(async (words) => {
      const { position } = await publish({ broker }, words);
      await publish(other, 'other');
      return position?.offset;
    });
    await until(async () => (await all(other.broker, 'c')).publications.length > ours.length);
    for (let i = 0; i < 700; i++) await publish(other, 'other');
    const offsets = await Promise.all(sent);
    const page = await all(other.broker, 'c');
    const found = page.publications.filter(({ data }) => text(data).startsWith('ours'));
    expect(found.map(({ data }) => text(data))).toEqual(ours);
    expect(offsets).toEqual(found.map(({ offset }) => offset));
    expect(broker.stats).toMatchObject({ publishRetriesFound: ours.length, publishRetriesAppended: 0 });
    const findings = `${options.prefix}{${tagOf('c')}}:f:c`;
    expect(await server.admin.pttl(findings)).toBeGreaterThan(0);
  });

  it('is published by the next attempt where it was not before', async () => {
    const proxy = keep(await startProxy(server.port));
    const { broker } = await node(proxy.url, { io_timeout: 600 });
    await broker.publish('c', saying('1'), { history: kept });
    // The command lies in a server that stands still; the next one comes before it runs.
    await server.admin.call('CLIENT', 'PAUSE', '700', 'WRITE');
    const { position } = await broker.publish('c', saying('2'), { history: kept });
    expect(position?.offset).toBe(2);
    expect(texts(await all(broker, 'c'))).toEqual(['1', '2']);
  });

  it('is refused with 100 where nothing is ever heard, and not tried again without history and key', async () => {
    const proxy = keep(await startProxy(server.port));
    const { broker } = await node(proxy.url, { io_timeout: 400 });
    proxy.mute('commands');
    const once = broker.publish('c', saying('1'), {});
    await expect(once).rejects.toEqual(refusal(100));
    await expect(once).rejects.toMatchObject({ temporary: true });
    proxy.shut();
    await expect(broker.publish('c', saying('2'), { history: kept })).rejects.toEqual(refusal(100));
    await expect(broker.history('c', { limit: 0 }, kept)).rejects.toEqual(refusal(100));
    await expect(broker.positions(['c'])).rejects.toEqual(refusal(100));
  });
});

describe('a break of the pub/sub connection', () => {
  it('is told for every channel, and positions tell what is missing', async () => {
    const { broker, events, options } = await node(server.url);
    const other = await node(server.url, { prefix: options.prefix });
    for (const channel of ['a', 'b', 'c']) {
      await broker.subscribe(channel);
      await other.broker.publish(channel, saying('1'), { history: kept });
    }
    await broker.unsubscribe('b');
    await until(() => events.publications.length === 3);
    await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const missed = await other.broker.publish('c', saying('2'), { history: kept });
    await until(() => events.uncertainties.length === 2);
    expect(events.uncertainties.toSorted()).toEqual(['a', 'c']);
    const known = await broker.positions(['a', 'c']);
    expect(known.get('a')).toEqual(events.publications[0]?.position);
    expect(known.get('c')).toEqual(missed.position);
    await other.broker.publish('c', saying('3'), { history: kept });
    await until(() => events.texts('c').at(-1) === '3');
  });
});

describe('a Redis that comes back with an older copy', () => {
  // It may be away for longer than nodes usually wait.
  const patient = { io_timeout: 20_000 };

  it('goes on under a new epoch, from which positions up to the cut recover', async () => {
    const own = keep(await startRedis(['--dbfilename', 'dump.rdb']));
    const { broker, options } = await node(own.url, patient);
    const publish = (words: string) => broker.publish('c', saying(words), { history: kept });
    const positions = [await publish('1'), await publish('2'), await publish('3')].map((one) => one.position);
    await own.admin.save();
    copyFileSync(join(own.dir, 'dump.rdb'), join(own.dir, 'old.rdb'));
    const lost = [await publish('lost'), await publish('lost too')].map((one) => one.position);
    copyFileSync(join(own.dir, 'old.rdb'), join(own.dir, 'dump.rdb'));
    await own.restart();

    const { position } = await broker.publish('c', saying('4'), { history: kept });
    expect(position).toEqual({ offset: 4, epoch: expect.any(String) });
    const [first] = positions;
    expect(position?.epoch).not.toBe(first?.epoch);
    for (const [i, since] of positions.entries()) {
      const page = await broker.history('c', { limit: -1, since: since ?? { offset: 0, epoch: '?' } }, kept);
      expect([texts(page), page.position]).toEqual([['2', '3', '4'].slice(i), position]);
    }
    for (const since of lost) {
      const read = broker.history('c', { limit: -1, since: since ?? { offset: 0, epoch: '?' } }, kept);
      await expect(read).rejects.toEqual(refusal(112));
    }
    expect((await broker.positions(['c'])).get('c')).toEqual(position);
    // Another node sees the same, and the epoch stays.
    const other = await node(own.url, { prefix: options.prefix });
    const next = await other.broker.publish('c', saying('5'), { history: kept });
    expect(next.position).toEqual({ offset: 5, epoch: position?.epoch });
  });

  it('again and again knows the positions of four epochs before, up to where each was cut off', async () => {
    const own = keep(await startRedis());
    const { broker } = await node(own.url, patient);
    const epochs: string[] = [];
    for (let i = 1; i <= 6; i++) {
      const { position } = await broker.publish('c', saying(`${i}`), { history: kept });
      epochs.push(position?.epoch ?? '');
      if (i === 6) break;
      await own.admin.save();
      await broker.publish('c', saying('lost'), { history: kept });
      await own.restart();
    }
    expect(new Set(epochs).size).toBe(6);
    const since = (offset: number, epoch = '') =>
      broker.history('c', { limit: -1, since: { offset, epoch } }, kept);
    for (let i = 2; i <= 5; i++) {
      expect(texts(await since(i, epochs[i - 1]))).toEqual(['3', '4', '5', '6'].slice(i - 2));
      await expect(since(i + 1, epochs[i - 1])).rejects.toEqual(refusal(112));
    }
    await expect(since(1, epochs[0])).rejects.toEqual(refusal(112));
  });

  it('is noticed by who reads first, too', async () => {
    const own = keep(await startRedis());
    const { broker } = await node(own.url, patient);
    const { position } = await broker.publish('c', saying('1'), { history: kept });
    await own.admin.save();
    const lost = await broker.publish('c', saying('lost'), { history: kept });
    await own.restart();
    const page = await broker.history('c', { limit: -1 }, kept);
    expect(texts(page)).toEqual(['1']);
    expect(page.position).toEqual({ offset: 1, epoch: expect.any(String) });
    expect(page.position.epoch).not.toBe(position?.epoch);
    const since = { limit: -1, since: lost.position ?? { offset: 0, epoch: '?' } };
    await expect(broker.history('c', since, kept)).rejects.toEqual(refusal(112));
    const next = await broker.publish('c', saying('2'), { history: kept });
    expect(next.position).toEqual({ ...page.position, offset: 2 });
  });

  it('that lost everything begins anew', async () => {
    const own = keep(await startRedis());
    const { broker } = await node(own.url, patient);
    const before = await broker.publish('c', saying('1'), { history: kept });
    await own.restart();
    const { position } = await broker.publish('c', saying('2'), { history: kept });
    expect(position?.offset).toBe(1);
    expect(position?.epoch).not.toBe(before.position?.epoch);
    const since = { limit: -1, since: before.position ?? { offset: 0, epoch: '?' } };
    await expect(broker.history('c', since, kept)).rejects.toEqual(refusal(112));
  });

  it('that lost meta and kept the stream begins anew, too', async () => {
    const { broker, options } = await node(server.url);
    for (const words of ['1', '2']) await broker.publish('c', saying(words), { history: kept });
    const metas = await server.admin.keys(`${options.prefix}{*}:m:*`);
    await server.admin.del(...metas);
    const { position } = await broker.publish('c', saying('new'), { history: kept });
    expect(position?.offset).toBe(1);
    expect(texts(await all(broker, 'c'))).toEqual(['new']);
  });
});

describe('keys', () => {
  it('are different for different things, lie in the slot of their channel, and all end', async () => {
    const { broker, options } = await node(server.url);
    const names = [...new Set([...hostileNames, 'a', 'a:b', 'b', 'meta.a', '1:ab', 'ab'])].filter(
      (name) => name.length < 100,
    );
    for (const channel of names) {
      await broker.history(channel, { limit: 0 }, kept);
      for (const idempotencyKey of names) {
        const options = { history: kept, idempotencyKey };
        const data = `${channel} ${idempotencyKey}`;
        expect(await broker.publish(channel, saying(data), options)).not.toHaveProperty('suppressed');
      }
      await broker.announce(channel, 'join', { user: 'u', client: 'c' });
    }
    for (const channel of names) {
      const page = await all(broker, channel);
      expect(texts(page)).toEqual(names.map((key) => `${channel} ${key}`));
    }
    const found = await server.admin.keys(`${options.prefix}*`);
    expect(found).toHaveLength(names.length * 2 + names.length ** 2);
    const ends = await Promise.all(found.map((key) => server.admin.pttl(key)));
    expect(Math.min(...ends)).toBeGreaterThan(0);
    const tags = found.map((key) => /^[^{]*\{(\d+)\}:[smi]:/.exec(key)?.[1]);
    expect(tags).not.toContain(undefined);
  });

  it('end after every kind of use', async () => {
    const { broker, options } = await node(server.url);
    const history = { size: 2, ttlMs: 60_000, metaTtlMs: 120_000 };
    for (const channel of ['a', 'b', 'c']) {
      await broker.subscribe(channel);
      for (const version of [1, 2, 2, 3]) await broker.publish(channel, saying('x'), { history, version });
      await broker.publish(channel, saying('x'), { idempotencyKey: 'k' });
      await broker.publish(channel, saying('x'), { history, idempotencyKey: 'l', idempotencyTtlMs: 5000 });
      await broker.positions([channel, `${channel} that nobody used`]);
    }
    await broker.removeHistory('a');
    await broker.history('new', { limit: -1 }, history);
    const found = await server.admin.keys(`${options.prefix}*`);
    expect(found).toHaveLength(3 * 4 - 1 + 1);
    for (const key of found) {
      const ttl = await server.admin.pttl(key);
      expect([key, ttl > 0 && ttl <= 300_000]).toEqual([key, true]);
    }
  });
});

describe('a long stream', () => {
  it('is read in slices, both ways, as if it were one', async () => {
    const { broker } = await node(server.url);
    const history = { ...kept, size: 5000 };
    const count = 2500;
    await Promise.all(
      Array.from({ length: count }, (_, i) => broker.publish('c', saying(`${i}`), { history })),
    );
    const offsets = Array.from({ length: count }, (_, i) => i + 1);
    const read = async (
      limit: number,
      reverse: boolean,
      offset?: number,
    ): Promise<(number | undefined)[]> => {
      const since = offset === undefined ? {} : { since: { offset, epoch: '' } };
      const page = await broker.history('c', { limit, reverse, ...since }, kept);
      expect(page.position.offset).toBe(count);
      return page.publications.map((publication) => publication.offset);
    };
    expect(await read(-1, false)).toEqual(offsets);
    expect(await read(-1, true)).toEqual(offsets.toReversed());
    expect(await read(2000, false, 200)).toEqual(offsets.slice(200, 2200));
    expect(await read(1000, false)).toEqual(offsets.slice(0, 1000));
    expect(await read(1001, true, 1500)).toEqual(offsets.slice(498, 1499).toReversed());
  });
});

describe('scripts', () => {
  it('come back after SCRIPT FLUSH, with every publication once and in order', async () => {
    const { broker, events } = await node(server.url);
    await broker.subscribe('c');
    for (let i = 0; i < 20; i++) {
      if (i % 5 === 0) await server.admin.script('FLUSH');
      await broker.publish('c', saying(`${i}`), { history: kept });
    }
    const expected = Array.from({ length: 20 }, (_, i) => `${i}`);
    expect(texts(await all(broker, 'c'))).toEqual(expected);
    await until(() => events.publications.length === 20);
    expect(events.publications.map(({ publication }) => text(publication.data))).toEqual(expected);
  });
});

describe('a publication that a replica should have', () => {
  /** A server with a replica, and a broker that waits for it. */
  async function replicated(durability: Durability) {
    const master = keep(await startRedis(['--repl-diskless-sync-delay', '0']));
    const replica = keep(await startRedis(['--replicaof', '127.0.0.1', `${master.port}`]));
    await until(async () => (await master.admin.info('replication')).includes('state=online'));
    const { broker, options } = await node(master.url, {}, durability);
    const kept = async () => (await replica.admin.keys(`${options.prefix}{*}:s:*`)).length;
    return { broker, replica, kept };
  }

  it('is there when it is answered, whatever else is published', async () => {
    const { broker, kept: count } = await replicated('replica');
    let confirmed = 0;
    for (let i = 1; i <= 20; i++) {
      const before = broker.stats.unreplicatedPublications;
      await Promise.all([
        broker.publish(`c${i}`, saying('1'), { history: kept }),
        broker.publish(`c${i}`, saying('2'), { history: kept, idempotencyKey: 'k' }),
      ]);
      // A machine that stands still for a moment makes it late.
      if (broker.stats.unreplicatedPublications > before) continue;
      expect(await count()).toBe(i);
      confirmed++;
    }
    expect(confirmed).toBeGreaterThan(0);
  });

  it.each(['replica', 'replica_required'] as const)('and that is away, with %s', async (durability) => {
    const { broker, replica } = await replicated(durability);
    await replica.pause();
    const sent = Array.from({ length: 50 }, (_, i) =>
      broker.publish(`c${i % 7}`, saying('x'), { history: kept }),
    );
    const outcomes = await Promise.allSettled(sent);
    await replica.resume();
    expect(broker.stats.unreplicatedPublications).toBe(50);
    for (const outcome of outcomes) {
      if (durability === 'replica') expect(outcome.status).toBe('fulfilled');
      else expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 100, temporary: true } });
    }
    // What none is to keep waits for none.
    await replica.pause();
    await broker.publish('c', saying('x'), {});
    await broker.publish('c', saying('x'), { idempotencyKey: 'k' });
    await replica.resume();
    expect(broker.stats.unreplicatedPublications).toBe(50);
  });
});
