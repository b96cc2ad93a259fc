/**
 * What every engine has to pass: each sentence of the interface as a test, with nothing in it that is of one engine.
 * Calling the function in a test file of vitest declares the tests.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientInfo } from '@gyre/protocol';
import type { PresenceManager, PresenceStats } from './presence-manager.ts';

/** What several managers share, fresh and empty. */
export interface PresenceManagerStore {
  /** A manager for one more node. Called once where `severalNodes` is false. */
  node(): PresenceManager | Promise<PresenceManager>;
  /** Called after all its managers are closed. */
  close?(): void | Promise<void>;
}

/** How the contract gets at an engine. */
export interface PresenceManagerContract {
  /** Called for each test. */
  create(): PresenceManagerStore | Promise<PresenceManagerStore>;
  readonly can: {
    /** Managers of one store are nodes of one cluster. */
    readonly severalNodes: boolean;
  };
  /** Seeds of the random test; default one new one. */
  readonly seeds?: readonly number[];
}

/** The contract of `PresenceManager`. */
export function presenceManagerContract(name: string, contract: PresenceManagerContract): void {
  describe(`${name}`, () => {
    membership(contract);
    stats(contract);
    pages(contract);
    cursors(contract);
    randomCalls(contract);
    closing(contract);
    describe.runIf(contract.can.severalNodes)('several nodes', () => {
      severalNodes(contract);
    });
  });
}

const hostileNames = [
  '{}',
  '{a}b',
  '__proto__',
  'constructor',
  'a\nb\0',
  ' ',
  '1:a',
  'größe',
  '😀',
  'x'.repeat(4096),
];

function useStore(contract: PresenceManagerContract): () => Promise<PresenceManager> {
  let store: PresenceManagerStore;
  const managers: PresenceManager[] = [];
  beforeEach(async () => {
    store = await contract.create();
  });
  afterEach(async () => {
    await Promise.all(managers.splice(0).map((manager) => manager.close()));
    await store.close?.();
  });
  return async () => {
    const manager = await store.node();
    managers.push(manager);
    return manager;
  };
}

function member(client: string, user = `user of ${client}`): ClientInfo {
  return { user, client };
}

/** Client ids, in an order that does not depend on the engine. */
async function clients(manager: PresenceManager, channel: string): Promise<string[]> {
  return [...(await manager.members(channel)).members.keys()].sort();
}

/** All pages; `between` runs after each one but the last. */
async function walk(
  manager: PresenceManager,
  channel: string,
  limit: number,
  between: (page: number) => Promise<void> = async () => {},
): Promise<{ seen: string[]; sizes: number[] }> {
  const seen: string[] = [];
  const sizes: number[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page = await manager.members(channel, { limit, cursor });
    seen.push(...page.members.keys());
    sizes.push(page.members.size);
    cursor = page.cursor;
    if (cursor !== undefined) await between(sizes.length);
  }
  return { seen, sizes };
}

function membership(contract: PresenceManagerContract): void {
  const node = useStore(contract);

  it('has a member when add resolves, and none when remove does', async () => {
    const manager = await node();
    for (const client of ['a', 'b', 'c']) {
      await manager.add('c', member(client));
      expect(await clients(manager, 'c')).toContain(client);
    }
    await manager.remove('c', 'b');
    expect(await clients(manager, 'c')).toEqual(['a', 'c']);
    await manager.remove('c', 'a');
    await manager.remove('c', 'c');
    expect(await manager.members('c')).toEqual({ members: new Map() });
  });

  it('gives infos as they are, by client id', async () => {
    const manager = await node();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const infos: ClientInfo[] = [
      { user: 'u', client: 'a', connInfo: bytes, chanInfo: Buffer.from(' {"a" : 1.0}') },
      { user: '', client: 'b', connInfo: Buffer.alloc(0) },
      { user: '😀\n', client: 'c' },
    ];
    for (const info of infos) await manager.add('c', info);
    const { members } = await manager.members('c');
    for (const info of infos) expect(members.get(info.client)).toEqual(info);
    expect(members.size).toBe(3);
  });

  it('replaces the info of a member', async () => {
    const manager = await node();
    await manager.add('c', { ...member('a'), connInfo: Buffer.from('1') });
    await manager.add('c', { ...member('a'), chanInfo: Buffer.from('2') });
    const { members } = await manager.members('c');
    expect([...members.values()]).toEqual([{ ...member('a'), chanInfo: Buffer.from('2') }]);
  });

  it.each([false, true])(
    'removes only who is there, and tells of nobody else (asked to: %s)',
    async (tell) => {
      const manager = await node();
      // Nobody has told that they left.
      expect(await manager.remove('nobody', 'a', tell)).toBe(true);
      await manager.add('c', member('a'));
      expect(await manager.remove('c', 'b', tell)).toBe(true);
      expect(await manager.remove('d', 'a', tell)).toBe(true);
      expect(await clients(manager, 'c')).toEqual(['a']);
      expect(await manager.stats('c')).toEqual({ clients: 1, users: 1 });
    },
  );

  it('removes who is there, and tells nobody unless it is asked to', async () => {
    const manager = await node();
    for (const client of ['a', 'b']) await manager.add('c', member(client));
    expect(await manager.remove('c', 'a')).toBe(true);
    await manager.remove('c', 'b', true);
    expect(await manager.stats('c')).toEqual({ clients: 0, users: 0 });
  });

  it('takes calls for one client in the order in which they were made', async () => {
    const manager = await node();
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      for (const client of ['stays', 'goes']) {
        calls.push(manager.add('c', { ...member(client), connInfo: Buffer.from(`${i}`) }));
        if (i < 19 || client === 'goes') calls.push(manager.remove('c', client));
      }
    }
    await Promise.all(calls);
    const { members } = await manager.members('c');
    expect([...members.values()]).toEqual([{ ...member('stays'), connInfo: Buffer.from('19') }]);
  });

  it('confuses no two channels, clients or users, whatever their names', async () => {
    const manager = await node();
    for (const channel of hostileNames) {
      for (const name of hostileNames) await manager.add(channel, member(name, name));
    }
    for (const channel of hostileNames) {
      expect(await clients(manager, channel)).toEqual([...hostileNames].sort());
      expect(await manager.stats(channel)).toEqual({
        clients: hostileNames.length,
        users: hostileNames.length,
      });
      for (const name of hostileNames) await manager.remove(channel, name);
      expect(await clients(manager, channel)).toEqual([]);
    }
  });

  it('gives a page that does not change any more', async () => {
    const manager = await node();
    await manager.add('c', member('a'));
    const { members } = await manager.members('c');
    await manager.add('c', member('b'));
    await manager.remove('c', 'a');
    expect([...members.keys()]).toEqual(['a']);
  });
}

function stats(contract: PresenceManagerContract): void {
  const node = useStore(contract);

  it('counts clients and distinct users, "" as one', async () => {
    const manager = await node();
    const seen: PresenceStats[] = [await manager.stats('c')];
    for (const [client, user] of [
      ['a', 'ann'],
      ['b', 'ann'],
      ['c', ''],
      ['d', ''],
      ['e', 'bob'],
    ] as const) {
      await manager.add('c', member(client, user));
      seen.push(await manager.stats('c'));
    }
    for (const client of ['a', 'c', 'b', 'b', 'd', 'e']) {
      await manager.remove('c', client);
      seen.push(await manager.stats('c'));
    }
    expect(seen.map(({ clients: count, users }) => `${count} of ${users}`)).toEqual([
      '0 of 0',
      '1 of 1',
      '2 of 1',
      '3 of 2',
      '4 of 2',
      '5 of 3',
      '4 of 3',
      '3 of 3',
      '2 of 2',
      '2 of 2',
      '1 of 1',
      '0 of 0',
    ]);
  });

  it('counts a member once however often it is added, also as another user', async () => {
    const manager = await node();
    for (const user of ['ann', 'ann', 'bob', 'bob']) {
      await manager.add('c', member('a', user));
      expect(await manager.stats('c')).toEqual({ clients: 1, users: 1 });
    }
    await manager.add('c', member('b', 'ann'));
    expect(await manager.stats('c')).toEqual({ clients: 2, users: 2 });
  });
}

function pages(contract: PresenceManagerContract): void {
  const node = useStore(contract);
  const ids = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(3, '0'));

  it.each([1, 7, 50, 99, 100, 1000])('gives every member once, %d a page', async (limit) => {
    const manager = await node();
    for (const id of ids) await manager.add('c', member(id));
    const { seen, sizes } = await walk(manager, 'c', limit);
    expect(seen.sort()).toEqual(ids);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit);
    // A cursor leads to a page that has something in it.
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  it('gives one empty page of a channel without members', async () => {
    const manager = await node();
    expect(await manager.members('c', { limit: 10, cursor: '' })).toEqual({ members: new Map() });
  });

  it('gives those who stay exactly once while others come and go', async () => {
    const manager = await node();
    const leaves = (id: string): boolean => Number(id) % 3 === 0;
    for (const id of ids) await manager.add('c', member(id));
    let left = 0;
    const { seen } = await walk(manager, 'c', 9, async (page) => {
      await manager.add('c', member(`new ${page}`));
      await manager.add('c', { ...member('001'), connInfo: Buffer.from(`${page}`) });
      for (const id of ids.filter(leaves).slice(left, left + 5)) await manager.remove('c', id);
      left += 5;
    });
    const stayed = ids.filter((id) => !leaves(id));
    const rest = seen.filter((id) => !id.startsWith('new') && !leaves(id));
    expect(rest.sort()).toEqual(stayed);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('goes on where it was when nearly all have gone, or all and others came', async () => {
    const manager = await node();
    for (const id of ids) await manager.add('c', member(id));
    const first = await manager.members('c', { limit: 10, cursor: '' });
    const stays = ids.find((id) => !first.members.has(id)) ?? '';
    for (const id of ids) if (id !== stays) await manager.remove('c', id);
    const { cursor = '' } = first;
    expect([...(await manager.members('c', { limit: 10, cursor })).members.keys()]).toEqual([stays]);
    await manager.remove('c', stays);
    expect((await manager.members('c', { limit: 10, cursor })).members.size).toBe(0);
  });
}

function cursors(contract: PresenceManagerContract): void {
  const node = useStore(contract);

  it.each(['no such cursor', '!', ' ', '-1', '1.5', '\0', '😀', '9'.repeat(400), '{}'])(
    'refuses %j as a cursor with 107',
    async (cursor) => {
      const manager = await node();
      for (const client of ['a', 'b', 'c']) await manager.add('c', member(client));
      for (const channel of ['c', 'nobody']) {
        await expect(manager.members(channel, { limit: 1, cursor })).rejects.toMatchObject({
          name: 'ClientError',
          code: 107,
        });
      }
    },
  );
}

function randomCalls(contract: PresenceManagerContract): void {
  const node = useStore(contract);
  const seeds = contract.seeds ?? [Math.floor(Math.random() * 2 ** 32)];

  it.each(seeds)('agrees with a list after random calls (seed %d)', async (seed) => {
    const manager = await node();
    const random = generator(seed);
    let list: { channel: string; info: ClientInfo }[] = [];
    for (let i = 0; i < 1000; i++) {
      const channel = `c${random(2)}`;
      const info = { ...member(`${random(40)}`, `u${random(8)}`), connInfo: Buffer.from(`${i}`) };
      list = list.filter((one) => one.channel !== channel || one.info.client !== info.client);
      if (random(2) === 0) {
        list.push({ channel, info });
        await manager.add(channel, info);
      } else await manager.remove(channel, info.client);

      const there = list.filter((one) => one.channel === channel).map((one) => one.info);
      const { members } = await manager.members(channel);
      const byClient = (a: ClientInfo, b: ClientInfo): number => (a.client < b.client ? -1 : 1);
      expect([i, ...[...members.values()].sort(byClient)]).toEqual([i, ...there.sort(byClient)]);
      expect([i, await manager.stats(channel)]).toEqual([
        i,
        { clients: there.length, users: new Set(there.map(({ user }) => user)).size },
      ]);
      const { seen } = await walk(manager, channel, 1 + random(9));
      expect([i, ...seen.sort()]).toEqual([i, ...there.map(({ client }) => client)]);
    }
  });
}

/** Whole numbers below `n`, the same ones for the same seed. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

function closing(contract: PresenceManagerContract): void {
  const node = useStore(contract);

  it('may be closed twice, at once too', async () => {
    const manager = await node();
    await manager.add('c', member('a'));
    await expect(Promise.all([manager.close(), manager.close()])).resolves.toBeDefined();
    await expect(manager.close()).resolves.toBeUndefined();
  });
}

function severalNodes(contract: PresenceManagerContract): void {
  const node = useStore(contract);

  it('knows on every node who is there', async () => {
    const nodes = [await node(), await node(), await node()];
    const ids = Array.from({ length: 30 }, (_, i) => `${i}`.padStart(2, '0'));
    await Promise.all(ids.map(async (id, i) => nodes[i % 3]?.add('c', member(id, `u${i % 7}`))));
    for (const manager of nodes) {
      expect(await clients(manager, 'c')).toEqual(ids);
      expect(await manager.stats('c')).toEqual({ clients: 30, users: 7 });
      expect((await walk(manager, 'c', 7)).seen.sort()).toEqual(ids);
    }
    await nodes[0]?.remove('c', '00');
    for (const manager of nodes) expect(await clients(manager, 'c')).toEqual(ids.slice(1));
  });
}
