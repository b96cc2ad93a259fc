import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshPrefix, startRedis } from '@gyre/redis/testing';
import type { OwnRedis } from '@gyre/redis/testing';
import { refusal } from '../contract/stage.ts';
import type { ControlCommand } from '../control.ts';
import { controlKeys } from './keys.ts';
import { sendUntilApplied, startedNode, until } from './stage.testing.ts';
import type { StageNode, StartedNode } from './stage.testing.ts';
import { encodeMessage, encodeSent } from './wire.ts';

/** Milliseconds between renewals: nodes are counted on for two of them, and live for five. */
const renewMs = 500;

let server: OwnRedis;
let prefix: string;
const nodes: StartedNode[] = [];

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
  await Promise.all(nodes.splice(0).map((one) => one.close()));
});

async function node(name: string, every = renewMs, url = server.url): Promise<StartedNode> {
  const started = await startedNode(url, prefix, name, every);
  nodes.push(started);
  return started;
}

const about = (channel: string): ControlCommand => ({ type: 'unsubscribe', target: { user: 'u' }, channel });

const keysOf = (one: StageNode) => controlKeys(prefix, one.lease.tag);

/** A user of Redis that can be locked out. */
async function account(name: string): Promise<{
  readonly user: string;
  readonly url: string;
  readonly lock: () => Promise<void>;
  readonly unlock: () => Promise<void>;
}> {
  const user = `${name}-${prefix}`;
  await server.admin.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all');
  return {
    user,
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

describe('a command', () => {
  it('reaches nodes whose pub/sub connections break', async () => {
    const [one, two] = [await node('one', 1000), await node('two', 1000)];
    for (const channel of ['a', 'b', 'c']) {
      await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await one.bus.send(about(channel));
    }
    expect([one.applied, two.applied]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it('reaches a node that is cut off when it is back, and is said to be missing there until then', async () => {
    const { url, lock, unlock } = await account('cut');
    const [one, cut] = [await node('one', 1000), await node('cut', 1000, url)];
    await one.bus.send(about('before'));
    await lock();
    await expect(one.bus.send(about('meanwhile'))).rejects.toMatchObject({
      code: 100,
      temporary: true,
      message: 'applied on 1 of 2 nodes',
    });
    await expect(cut.bus.send(about('from there'))).rejects.toEqual(refusal(100));
    await expect(cut.bus.survey('info', {})).rejects.toEqual(refusal(100));
    await unlock();
    await until(() => cut.applied.includes('meanwhile'));
    await one.bus.send(about('after'));
    expect(one.applied.filter((channel) => channel !== 'from there')).toEqual([
      'before',
      'meanwhile',
      'after',
    ]);
    expect(cut.applied).toEqual(one.applied);
  });

  it('is not waited for on a node whose lease is late, which reads it before it has one again', async () => {
    const { url, lock, unlock } = await account('cut');
    const [one, cut] = [await node('one'), await node('cut', renewMs, url)];
    const { holder } = cut.lease;
    await lock();
    await sendUntilApplied(one, about('late'));
    expect(cut.applied).toEqual([]);
    await until(() => one.lease.dead().includes(holder));
    let appliedBefore = -1;
    cut.lease.listen({ changed: () => (appliedBefore = cut.applied.length) });
    await unlock();
    await until(() => cut.lease.holder !== holder);
    expect(appliedBefore).toBe(one.applied.length);
    await one.bus.send(about('again'));
    expect(cut.applied).toEqual(one.applied);
  });

  it('that needs the lease of its node is no reason for the node to have none', async () => {
    const { url, lock, unlock } = await account('cut');
    const [one, cut] = [await node('one'), await node('cut', renewMs, url)];
    const { holder } = cut.lease;
    let release = (): void => {};
    cut.hold = new Promise((resolve) => {
      release = resolve;
    });
    cut.lease.listen({ changed: () => release() });
    await lock();
    await sendUntilApplied(one, about('a'));
    await until(() => one.lease.dead().includes(holder));
    await unlock();
    await until(() => cut.applied.includes('a'));
    expect(cut.lease.holder).not.toBe(holder);
  });

  it('is found by a node that nothing woke', async () => {
    const one = await node('one');
    const sent = encodeSent({ sender: 'nobody', number: 1, command: about('silent') });
    await server.admin.xadd(keysOf(one).commands, '*', 'c', sent);
    await until(() => one.applied.includes('silent'));
  });

  it('is answered for though the outcomes cannot be told', async () => {
    const { url, user } = await account('mute');
    const [mute, two] = [await node('mute', 1000, url), await node('two', 1000)];
    // May not use the bus channel of its own any more.
    await server.admin.call('ACL', 'SETUSER', user, 'resetchannels', `&${keysOf(two).all}`);
    await mute.bus.send(about('a'));
    expect([mute.applied, two.applied]).toEqual([['a'], ['a']]);
    expect(mute.errors).not.toEqual([]);
  });

  it('that nobody can read is reported, and those after it are applied', async () => {
    const one = await node('one');
    await server.admin.xadd(keysOf(one).commands, '*', 'c', 'nonsense');
    await one.bus.send(about('good'));
    expect(one.applied).toEqual(['good']);
    expect(one.errors).toEqual([expect.any(SyntaxError)]);
  });

  it('does not wait for a node that leaves meanwhile', async () => {
    const [one, leaves] = [await node('one', 1000), await node('leaves', 1000)];
    leaves.hold = new Promise(() => {});
    const sent = one.bus.send(about('a'));
    await until(() => one.applied.length === 1);
    await leaves.bus.close();
    await sent;
    await one.bus.send(about('b'));
    expect(leaves.applied).toEqual([]);
  });

  it('was said before a node came and is none of its business', async () => {
    const one = await node('one');
    await one.bus.send(about('early'));
    const two = await node('two');
    await one.bus.send(about('later'));
    expect(two.applied).toEqual(['later']);
  });
});

describe('a node that dies', () => {
  it('is not waited for longer than its lease', async () => {
    const [one, dies, two] = [await node('one'), await node('dies'), await node('two')];
    await dies.kill();
    for (const said of await sendUntilApplied(one, about('a'))) expect(said).toBe('applied on 2 of 3 nodes');
    expect(two.applied).toContain('a');
    let missing: readonly string[] = ['?'];
    const missed: string[] = [];
    while (missing.length > 0) {
      const { answers, missingNodes } = await one.bus.survey('info', {});
      expect(answers.map(({ name }) => name).sort()).toEqual(['one', 'two']);
      missing = missingNodes;
      missed.push(...missing);
    }
    expect(new Set(missed).size).toBeLessThan(2);
  });

  it('is not waited for from two periods after its last renewal on', async () => {
    const [one, dies] = [await node('one', 2000), await node('dies', 2000)];
    await dies.kill();
    await server.admin.zincrby(dies.lease.key, -5000, dies.lease.holder);
    await one.bus.send(about('a'));
    expect((await one.bus.survey('info', {})).missingNodes).toEqual(['dies']);
  });

  it('is named as missing while it may live', async () => {
    const [one, dies] = [await node('one', 2000), await node('dies', 2000)];
    await dies.kill();
    const { answers, missingNodes } = await one.bus.survey('info', {});
    expect([answers.map(({ name }) => name), missingNodes]).toEqual([['one'], ['dies']]);
  });
});

describe('a Redis', () => {
  it('that loses everything has all nodes again, and they what is said then', async () => {
    const [one, two] = [await node('one'), await node('two')];
    await one.bus.send(about('a'));
    await server.admin.flushall();
    await until(async () => (await server.admin.hlen(keysOf(one).nodes)) === 2);
    await sendUntilApplied(one, about('b'));
    // Whoever had no lease at that moment was not waited for.
    await until(() => [one, two].every(({ applied }) => applied.at(-1) === 'b'));
    for (const { applied } of [one, two]) expect(applied[0]).toBe('a');
    const { answers } = await two.bus.survey('info', {});
    expect(answers.map(({ name }) => name).sort()).toEqual(['one', 'two']);
  });

  it('that comes back with older data has nothing done again', async () => {
    const [one, two] = [await node('one'), await node('two')];
    for (const channel of ['a', 'b']) await one.bus.send(about(channel));
    await server.admin.save();
    for (const channel of ['c', 'd']) await two.bus.send(about(channel));
    await server.restart();
    await until(
      async () => (await two.bus.survey('info', {}).catch(() => ({ answers: [] }))).answers.length === 2,
    );
    await sendUntilApplied(one, about('e'));
    for (const { applied } of [one, two]) {
      expect(applied.slice(0, 4)).toEqual(['a', 'b', 'c', 'd']);
      expect(new Set(applied.slice(4))).toEqual(new Set(['e']));
    }
    await server.admin.flushall();
  });

  it.each([
    ['nothing', () => []],
    ['less', () => [encodeSent({ sender: 'nobody', number: 2, command: about('late') })]],
  ])(
    'whose clock goes back, with %s of what was read, has all that comes done, and once',
    async (_, rest) => {
      // So seldom that nobody looks at the stream by itself meanwhile.
      const [one, two] = [await node('one', 5000), await node('two', 5000)];
      const { commands, all } = keysOf(one);
      const later = Date.now() + 3_600_000;
      const sent = encodeSent({ sender: 'nobody', number: 1, command: about('a') });
      await server.admin.xadd(commands, `${later}-5`, 'c', sent);
      await server.admin.publish(all, encodeMessage({ type: 'wake', sender: 'nobody' }));
      await until(() => one.applied.length + two.applied.length === 2);
      await server.admin.del(commands);
      for (const entry of rest()) await server.admin.xadd(commands, `${later}-4`, 'c', entry);
      for (const channel of ['b', 'c']) await one.bus.send(about(channel));
      await two.bus.send(about('d'));
      for (const { applied } of [one, two]) expect(applied).toEqual(['a', 'b', 'c', 'd']);
    },
  );

  it('holds a bounded number of commands, and nothing for ever', async () => {
    const [one] = [await node('one'), await node('two')];
    const { commands } = keysOf(one);
    const sent = encodeSent({ sender: 'nobody', number: 1, command: about('x') });
    const filling = server.admin.pipeline();
    for (let i = 0; i < 12_000; i++) filling.xadd(commands, '*', 'c', sent);
    await filling.exec();
    await until(() => one.applied.length === 12_000);
    await sendUntilApplied(one, about('y'));
    expect(await server.admin.xlen(commands)).toBeLessThan(10_500);
    const keys = await server.admin.keys(`${prefix}*`);
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) expect([key, await server.admin.pttl(key)]).not.toEqual([key, -1]);
  });
});
