import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClientInfo } from '@gyre/protocol';
import { freshPrefix, startRedis } from '@gyre/redis/testing';
import type { OwnRedis } from '@gyre/redis/testing';
import { clientKey } from './entry.ts';
import { channelKeys, namesKey } from './keys.ts';
import type { Order } from './paused-node.testing.ts';
import { dropMembers, putMembers } from './scripts.ts';
import { startNode, startWitness, until } from './stage.testing.ts';
import type { StageNode, Witness } from './stage.testing.ts';

/** Milliseconds between renewals: a lease lives for five of them. */
const renewMs = 300;

let server: OwnRedis;
let prefix: string;
let witness: Witness;
const nodes: StageNode[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.close();
});

beforeEach(async () => {
  prefix = freshPrefix();
  witness = await startWitness(server.url, prefix);
});

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((one) => one.close()));
  await witness.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function node(every = renewMs, url = server.url, ioTimeout = 4000): Promise<StageNode> {
  const started = await startNode(url, prefix, every, { io_timeout: ioTimeout });
  nodes.push(started);
  return started;
}

function info(client: string, user = `user of ${client}`): ClientInfo {
  return { user, client };
}

async function addAll(one: StageNode, channel: string, clients: readonly string[]): Promise<void> {
  await Promise.all(clients.map((client) => one.manager.add(channel, info(client))));
}

async function clients(one: StageNode, channel: string): Promise<string[]> {
  return [...(await one.manager.members(channel)).members.keys()].sort();
}

const ids = (from: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${from}${String(i).padStart(4, '0')}`);

const holderOf = (one: StageNode): string => one.leases[0]?.holder ?? '';

/** A user of Redis that can be locked out. */
async function account(name: string): Promise<{
  readonly url: string;
  readonly lock: () => Promise<void>;
  readonly unlock: () => Promise<void>;
}> {
  const user = `${name}-${prefix}`;
  await server.admin.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all');
  return {
    url: `redis://${user}:secret@127.0.0.1:${server.port}`,
    lock: async () => {
      await server.admin.call('ACL', 'SETUSER', user, 'off');
      await server.admin.call('CLIENT', 'KILL', 'USER', user);
    },
    unlock: async () => {
      await server.admin.call('ACL', 'SETUSER', user, 'on');
    },
  };
}

/** Resolves when it has lost its lease and goes on under another one. */
function reborn(one: StageNode, holder: string): Promise<void> {
  return until(() => holderOf(one) !== holder);
}

/** How often Redis ran these commands. */
async function calls(names: readonly string[]): Promise<number[]> {
  const stats = await server.admin.info('commandstats');
  return names.map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0));
}

describe('a node that dies', () => {
  it('leaves no members, and each of them is reported once by one of those that live', async () => {
    const [dies, one, two] = [await node(), await node(), await node()];
    const gone = ids('gone', 700);
    const stay = ids('stay', 20);
    await addAll(dies, 'big', gone.slice(0, 500));
    await Promise.all(gone.slice(500).map((id) => dies.manager.add(`channel of ${id}`, info(id))));
    await addAll(one, 'big', stay);
    await two.manager.add('big', info('same user', 'user of gone0000'));
    const dead = holderOf(dies);
    expect(await two.manager.stats('big')).toEqual({ clients: 521, users: 520 });

    await dies.kill();
    await until(async () => (await clients(two, 'big')).length === 21);
    await until(() => witness.leaves.length >= 700);
    expect(witness.leaves.toSorted()).toEqual(
      [
        ...gone.slice(0, 500).map((id) => `big/${id}`),
        ...gone.slice(500).map((id) => `channel of ${id}/${id}`),
      ].sort(),
    );
    expect(await clients(one, 'big')).toEqual(['same user', ...stay]);
    expect(await two.manager.stats('big')).toEqual({ clients: 21, users: 21 });
    const [lease] = one.leases;
    await until(async () => (await server.admin.zscore(lease?.key ?? '', dead)) === null);
    await until(async () =>
      (await server.admin.keys(`${prefix}*${dead}`)).every((key) => key.includes(':px:')),
    );
    await witness.settled();
    expect([witness.leaves.length, witness.joins.length]).toEqual([700, 0]);
    expect(one.manager.counters.swept + two.manager.counters.swept).toBe(700);
  });

  it('is swept once by two that do it at the same time', async () => {
    const [dies, one, two] = [await node(), await node(), await node()];
    const gone = ids('gone', 300);
    await addAll(dies, 'c', gone);
    const dead = holderOf(dies);
    const sweep = (by: StageNode): Promise<readonly string[]>[] => {
      const [lease] = by.leases;
      if (lease === undefined) throw new Error('a node without a lease');
      const where = { lease, prefix, tag: by.redis.place('c').tag, channel: 'c' };
      const why = { holder: dead, only: true, sweep: true };
      return gone.map((id) => dropMembers(where, [{ key: clientKey(id) }], why));
    };
    const both = await Promise.all([...sweep(one), ...sweep(two)]);
    expect(both.flat().filter((removed) => removed === 'removed').length).toBe(300);
    expect(await one.manager.stats('c')).toEqual({ clients: 0, users: 0 });
  });

  it('is not seen from the end of its lease on, and not swept by one that has just come', async () => {
    const one = await node(1500);
    await addAll(one, 'c', ids('a', 20));
    const [lease] = one.leases;
    const holder = holderOf(one);
    await server.admin.zincrby(lease?.key ?? '', -(lease?.ttlMs ?? 0), holder);
    const comes = await node(1500);
    expect(comes.leases[0]?.dead()).toEqual([holder]);
    expect(await clients(comes, 'c')).toEqual([]);
    expect(await comes.manager.stats('c')).toEqual({ clients: 0, users: 0 });
    await comes.manager.add('c', info('lives'));
    await comes.manager.add('c', info('lives too', 'user of a0000'));
    expect(await comes.manager.stats('c')).toEqual({ clients: 2, users: 2 });
    for (const client of ['lives', 'lives too']) await comes.manager.remove('c', client);
    // It was alive after all, and is back in time.
    await reborn(one, holder);
    await until(async () => (await clients(comes, 'c')).length === 20);
    expect(await comes.manager.stats('c')).toEqual({ clients: 20, users: 20 });
    await witness.settled();
    expect([witness.leaves, witness.joins]).toEqual([[], []]);
  });

  it('is swept by one that starts after all are dead', async () => {
    const dies = await node();
    await addAll(dies, 'c', ids('gone', 10));
    await dies.kill();
    const later = await node();
    await until(() => witness.leaves.length === 10);
    expect(await later.manager.stats('c')).toEqual({ clients: 0, users: 0 });
  });
});

/** A node in another process. */
async function otherProcess(): Promise<{
  readonly child: ChildProcess;
  readonly order: (order: Order) => Promise<unknown>;
}> {
  const file = fileURLToPath(new URL('paused-node.testing.ts', import.meta.url));
  const child = fork(file, [server.url, prefix, `${renewMs}`], { execArgv: ['--conditions=source'] });
  children.push(child);
  await once(child, 'message');
  return {
    child,
    order: async (order) => {
      child.send(order);
      const [answer] = (await once(child, 'message')) as unknown[];
      return answer;
    },
  };
}

describe('a node that is stopped and goes on', () => {
  it('has its members back, after each of them left once and joined once', async () => {
    const other = await node();
    const { child, order } = await otherProcess();
    await order({ add: ids('paused', 50) });
    await addAll(other, 'c', ids('other', 5));
    expect(await other.manager.stats('c')).toEqual({ clients: 55, users: 55 });

    child.kill('SIGSTOP');
    await until(async () => (await clients(other, 'c')).length === 5);
    expect(await other.manager.stats('c')).toEqual({ clients: 5, users: 5 });
    await until(() => witness.leaves.length >= 50);
    child.kill('SIGCONT');
    await until(async () => (await clients(other, 'c')).length === 55);
    await until(() => witness.joins.length >= 50);
    await witness.settled();
    const told = ids('paused', 50).map((id) => `c/${id}`);
    expect([witness.leaves.toSorted(), witness.joins.toSorted()]).toEqual([told, told]);
    expect(await other.manager.stats('c')).toEqual({ clients: 55, users: 55 });
    // This time its channel is still to be told, by whoever removed it.
    expect(await order({ remove: 'paused0000' })).toBe(true);
    expect((await clients(other, 'c')).length).toBe(54);
  });

  it('knows of whom others have told already that they left', async () => {
    // Others hold it for dead long before its own next renewal.
    const [slow, other] = [await node(10_000), await node()];
    await addAll(slow, 'c', ['a', 'b']);
    await until(() => witness.leaves.length === 2);
    expect(await slow.manager.remove('c', 'a')).toBe(false);
    await slow.manager.add('c', info('b'));
    expect(await slow.manager.remove('c', 'b')).toBe(true);
    await witness.settled();
    expect([witness.leaves.toSorted(), witness.joins]).toEqual([['c/a', 'c/b'], ['c/b']]);
    expect(other.manager.counters.swept).toBe(2);
  });
});

describe('a node that was cut off', () => {
  it('has its members back, none of them twice, and says which of them had been swept', async () => {
    const { url, lock, unlock } = await account('cut');
    const [cut, other] = [await node(renewMs, url), await node()];
    await addAll(cut, 'c', ids('cut', 50));
    await addAll(other, 'c', ids('other', 5));
    const holder = holderOf(cut);
    await lock();
    await until(() => witness.leaves.length === 50);
    expect(await clients(other, 'c')).toEqual(ids('other', 5));

    await unlock();
    await reborn(cut, holder);
    await until(async () => (await clients(other, 'c')).length === 55);
    await until(() => cut.manager.gauges().owed === 0);
    expect(await other.manager.stats('c')).toEqual({ clients: 55, users: 55 });
    await witness.settled();
    const told = ids('cut', 50).map((id) => `c/${id}`);
    expect([witness.leaves.toSorted(), witness.joins.toSorted()]).toEqual([told, told]);
    expect([other.manager.counters.swept, cut.manager.counters.rejoined]).toEqual([50, 50]);
    await cut.manager.remove('c', 'cut0000');
    expect((await clients(other, 'c')).length).toBe(54);
  });

  it('removes when it is back whom it could not remove, and has nobody whose adding was refused', async () => {
    const { url, lock, unlock } = await account('cut');
    // Long enough that the lease outlives the cut.
    const [cut, other] = [await node(2000, url, 300), await node(2000)];
    await addAll(cut, 'c', ['stays', 'goes']);
    await lock();
    const refused = { name: 'ClientError', code: 100, temporary: true };
    await expect(cut.manager.remove('c', 'goes', true)).rejects.toMatchObject(refused);
    await expect(cut.manager.add('c', info('new'))).rejects.toMatchObject(refused);
    await expect(cut.manager.members('c')).rejects.toMatchObject(refused);
    await expect(cut.manager.stats('c')).rejects.toMatchObject(refused);
    expect(await clients(other, 'c')).toEqual(['goes', 'stays']);
    await unlock();
    await until(async () => (await clients(other, 'c')).length === 1);
    await until(() => cut.manager.gauges().owed === 0);
    expect(await clients(other, 'c')).toEqual(['stays']);
    // Whoever called could not tell.
    await witness.settled();
    expect([cut.manager.gauges().members, witness.leaves, witness.joins]).toEqual([1, ['c/goes'], []]);
  });
});

describe('a Redis', () => {
  it('that stands still for longer than a lease costs nobody anything', async () => {
    const [one, two] = [await node(), await node()];
    await addAll(one, 'c', ids('one', 20));
    await addAll(two, 'c', ids('two', 20));
    const holders = [holderOf(one), holderOf(two)];
    await server.pause();
    const end = performance.now() + 8 * renewMs;
    await until(() => performance.now() > end);
    await server.resume();
    await reborn(one, holders[0] ?? '');
    await reborn(two, holders[1] ?? '');
    await until(async () => (await clients(one, 'c')).length === 40);
    const [lease] = one.leases;
    await until(async () => (await server.admin.zcard(lease?.key ?? '')) === 2);
    expect(await two.manager.stats('c')).toEqual({ clients: 40, users: 40 });
    await witness.settled();
    expect([witness.leaves, witness.joins]).toEqual([[], []]);
  });

  it('that is down takes only its own channels with it', async () => {
    const second = await startRedis();
    const one = await startNode([server.url, second.url], prefix, 1000, { io_timeout: 300 });
    nodes.push(one);
    const channels = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const [up, down] = [0, 1].map((index) =>
      channels.filter((c) => one.redis.place(c).shard.index === index),
    );
    for (const channel of channels) await one.manager.add(channel, info('a'));
    await second.close();
    for (const channel of up ?? []) expect(await clients(one, channel)).toEqual(['a']);
    for (const channel of down ?? [])
      await expect(clients(one, channel)).rejects.toMatchObject({ code: 100 });
    expect([up?.length, down?.length].every((count) => Number(count) > 0)).toBe(true);
  });

  it('that may still do what it did not answer is left with no trace of it', async () => {
    const one = await node(1000, server.url, 200);
    await addAll(one, 'c', ['there']);
    const holder = holderOf(one);
    await server.pause();
    await expect(one.manager.add('c', info('unsure'))).rejects.toMatchObject({ code: 100 });
    await server.resume();
    // Whatever comes late now comes to a lease that nobody holds.
    await reborn(one, holder);
    await until(() => one.manager.gauges().owed === 0);
    expect(await clients(one, 'c')).toEqual(['there']);
    expect(await one.manager.stats('c')).toEqual({ clients: 1, users: 1 });
  });

  it.each([
    ['loses everything', async () => server.admin.flushall()],
    ['restarts without data', async () => server.restart()],
  ])('that %s has all members again', async (_, harm) => {
    const [one, two] = [await node(), await node()];
    await addAll(one, 'c', ids('one', 600));
    await addAll(two, 'c', ids('two', 5));
    await addAll(two, 'd', ['a']);
    await harm();
    await until(async () => (await clients(one, 'c').catch(() => [])).length === 605);
    await until(async () => (await clients(one, 'd')).length === 1);
    expect(await two.manager.stats('c')).toEqual({ clients: 605, users: 605 });
    await witness.settled();
    expect([witness.leaves, witness.joins]).toEqual([[], []]);
  });

  it('that comes back with older data shows who is there now', async () => {
    const one = await node(500);
    await addAll(one, 'c', ['stays', 'goes']);
    await server.admin.save();
    await one.manager.remove('c', 'goes');
    await one.manager.add('c', info('comes'));
    const holder = holderOf(one);
    await server.restart();
    await reborn(one, holder);
    await until(async () => (await clients(one, 'c').catch(() => [])).join(' ') === 'comes stays');
    // The one that went was there again, under the lease of before. That it left was told before.
    expect(await one.manager.stats('c')).toEqual({ clients: 2, users: 2 });
    const [lease] = one.leases;
    await until(async () => (await server.admin.zcard(lease?.key ?? '')) === 1);
    await witness.settled();
    expect([witness.leaves, witness.joins, one.manager.counters.mended]).toEqual([[], [], 1]);
    await server.admin.flushall();
  });
});

describe('what Redis has', () => {
  it('is compared with what is there, and mended', async () => {
    const one = await node(200);
    await addAll(one, 'c', ids('a', 20));
    await addAll(one, 'd', ids('d', 20));
    const holder = holderOf(one);
    const [lease] = one.leases;
    if (lease === undefined) throw new Error('a node without a lease');
    const { tag } = one.redis.place('c');
    // Another one writes under its name, and keys are lost.
    const where = { lease, prefix, tag, channel: 'c' };
    await putMembers(
      where,
      holder,
      '',
      ids('stray', 5).map((id) => info(id)),
      () => undefined,
    );
    const d = channelKeys(prefix, one.redis.place('d').tag, 'd');
    await server.admin.del(...Object.values(d), namesKey(prefix, one.redis.place('d').tag, holder));
    expect((await clients(one, 'c')).length).toBe(25);
    await until(
      async () => (await clients(one, 'c')).length === 20 && (await clients(one, 'd')).length === 20,
    );
    expect(await one.manager.stats('c')).toEqual({ clients: 20, users: 20 });
    expect(await one.manager.stats('d')).toEqual({ clients: 20, users: 20 });
    expect([one.manager.counters.mended, holderOf(one)]).toEqual([25, holder]);
    await witness.settled();
    expect([witness.leaves, witness.joins]).toEqual([[], []]);
  });
});

describe('what lies in Redis', () => {
  it('costs no command while nobody comes or goes', async () => {
    const one = await node();
    await addAll(one, 'c', ids('a', 500));
    await until(() => one.manager.gauges().owed === 0);
    const perMember = ['sadd', 'hincrby', 'zrangebylex', 'zrem', 'pexpire'];
    const renewal = async (): Promise<number> => (await calls(['zremrangebyscore']))[0] ?? 0;
    const [before, renewed] = [await calls(perMember), await renewal()];
    await until(async () => (await renewal()) >= renewed + 5);
    const after = await calls(perMember);
    expect(after.slice(0, 4)).toEqual(before.slice(0, 4));
    // That of the lease.
    expect((after[4] ?? 0) - (before[4] ?? 0)).toBeLessThan(20);
  });

  it('ends by itself, all of it', async () => {
    const [one, two] = [await node(), await node()];
    await addAll(one, 'c', ids('a', 10));
    await addAll(two, 'c', ids('b', 10));
    await two.kill();
    await until(() => witness.leaves.length === 10);
    const keys = await server.admin.keys(`${prefix}*`);
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) expect([key, await server.admin.pttl(key)]).not.toEqual([key, -1]);
  });

  it('goes with a node that closes, without anybody being told', async () => {
    const [one, other] = [await node(), await node()];
    await addAll(one, 'c', ids('a', 700));
    await addAll(one, 'd', ids('a', 3));
    await one.manager.close();
    expect(await clients(other, 'c')).toEqual([]);
    expect(await other.manager.stats('c')).toEqual({ clients: 0, users: 0 });
    expect((await server.admin.keys(`${prefix}*`)).filter((key) => /:p[a-z]:/.test(key))).toEqual([]);
    await expect(one.manager.add('c', info('late'))).rejects.toMatchObject({ code: 100 });
    await witness.settled();
    expect(witness.leaves).toEqual([]);
  });
});
