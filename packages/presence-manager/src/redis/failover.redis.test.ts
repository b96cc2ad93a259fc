import { cutReplication, failovers, freshPrefix, until } from '@gyre/redis/testing';
import { tagOf } from '@gyre/redis';
import { afterEach, describe, expect, it } from 'vitest';
import { startNode, startWitness } from './stage.testing.ts';
import type { StageNode } from './stage.testing.ts';

/** Milliseconds between renewals: a lease lives for five of them. */
const renewMs = 500;

const things: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of things.splice(0).toReversed()) await thing.close();
});

function keep<T extends { close(): Promise<void> }>(thing: T): T {
  things.push(thing);
  return thing;
}

async function clients({ manager }: StageNode, channel: string): Promise<string> {
  const page = await manager.members(channel).catch(() => undefined);
  return page === undefined ? 'no answer' : [...page.members.keys()].toSorted().join(' ');
}

describe.each(failovers)('on %s', (_, start) => {
  it('a replica that takes over and lacks what was said last comes to know it, and nobody leaves twice', async () => {
    const { redis, master, replicas } = await start(tagOf('c'));
    keep(redis);
    const prefix = freshPrefix();
    const witness = keep(await startWitness(redis.url, prefix));
    const [one, two] = [
      keep(await startNode(redis.url, prefix, renewMs)),
      keep(await startNode(redis.url, prefix, renewMs)),
    ];
    const [lease] = one.leases;
    if (lease === undefined) throw new Error('a node without a lease');
    const add = (node: StageNode, client: string): Promise<void> =>
      node.manager.add('c', { user: `user of ${client}`, client });
    for (const client of ['stays', 'goes']) await add(one, client);
    await add(two, 'other');
    expect(await master.admin.wait(replicas.length, 5000)).toBe(replicas.length);

    await cutReplication(master, replicas);
    await one.manager.remove('c', 'goes');
    await add(one, 'comes');
    expect(await clients(two, 'c')).toBe('comes other stays');
    const holders = [one, two].map((node) => node.leases[0]?.holder);
    await master.crash();

    await until(() => [one, two].every((node, i) => node.leases[0]?.holder !== holders[i]));
    // A node may take another lease twice: when it finds the old one over, and when it finds the Redis another one. The
    // others know of it with their next renewal.
    const isRight = async (node: StageNode): Promise<boolean> => {
      const stats = await node.manager.stats('c').catch(() => undefined);
      return (await clients(node, 'c')) === 'comes other stays' && stats?.clients === 3 && stats.users === 3;
    };
    await until(async () => (await isRight(one)) && (await isRight(two)));
    // What was left under the leases of before would be swept by now.
    await until(async () => (await lease.shard.call(lease.tag, ['ZCARD', lease.key]).catch(() => 0)) === 2);
    await witness.settled();
    expect([witness.leaves, witness.joins]).toEqual([[], []]);
    await until(async () => (await isRight(one)) && (await isRight(two)));
  });
});
