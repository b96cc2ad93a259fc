import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshPrefix, startProxy, startRedis } from '@gyre/redis/testing';
import type { OwnRedis } from '@gyre/redis/testing';
import { startNode, startWitness, until } from './stage.testing.ts';
import type { StageNode, Witness } from './stage.testing.ts';

/** Milliseconds between renewals: a lease lives for five of them. */
const renewMs = 300;

const things: { close(): Promise<void> }[] = [];
let server: OwnRedis;
let prefix: string;
let witness: Witness;

function keep<T extends { close(): Promise<void> }>(thing: T): T {
  things.push(thing);
  return thing;
}

beforeEach(async () => {
  server = keep(await startRedis());
  prefix = freshPrefix();
  witness = keep(await startWitness(server.url, prefix));
});

afterEach(async () => {
  for (const thing of things.splice(0).toReversed()) await thing.close();
});

async function add({ manager }: StageNode, client: string): Promise<void> {
  await manager.add('c', { user: 'u', client });
}

describe('that a member left', () => {
  it('is told in the step that removes it, where that is asked for', async () => {
    const one = keep(await startNode(server.url, prefix, renewMs));
    for (const client of ['told', 'not told']) await add(one, client);
    expect(await one.manager.remove('c', 'told', true)).toBe(false);
    expect(await one.manager.remove('c', 'not told')).toBe(true);
    await witness.settled();
    expect(witness.leaves).toEqual(['c/told']);
  });

  it.each([
    [true, ['c/goes']],
    [false, []],
  ])('is told once where the answer is lost, if it was to be told: %s', async (tell, leaves) => {
    const proxy = keep(await startProxy(server.port));
    const one = keep(await startNode(proxy.url, prefix, renewMs));
    const other = keep(await startNode(server.url, prefix, renewMs));
    for (const client of ['goes', 'stays', 'warm']) await add(one, client);
    // An answer that the script is not known would be lost in place of the one that is meant.
    await one.manager.remove('c', 'warm');
    const holder = one.leases[0]?.holder ?? '';
    proxy.swallow(1, () => 0.5);
    await expect(one.manager.remove('c', 'goes', tell)).rejects.toMatchObject({ code: 100 });
    proxy.swallow(0, () => 0.5);
    // It has been written anew since, and what was left under its former name has been swept.
    await until(() => one.leases[0]?.holder !== holder && one.manager.gauges().owed === 0);
    await until(async () => (await server.admin.zscore(one.leases[0]?.key ?? '', holder)) === null);
    await witness.settled();
    expect([...(await other.manager.members('c')).members.keys()]).toEqual(['stays']);
    expect([witness.leaves, witness.joins]).toEqual([leaves, []]);
  });
});
