import { tagOf } from '@gyre/redis';
import { cutReplication, failovers, freshPrefix, until } from '@gyre/redis/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { ControlCommand } from '../control.ts';
import { controlKeys } from './keys.ts';
import { startedNode, sendUntilApplied } from './stage.testing.ts';
import type { StartedNode } from './stage.testing.ts';

const things: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of things.splice(0).toReversed()) await thing.close();
});

function keep<T extends { close(): Promise<void> }>(thing: T): T {
  things.push(thing);
  return thing;
}

const about = (channel: string): ControlCommand => ({ type: 'unsubscribe', target: { user: 'u' }, channel });

async function answering({ bus }: StartedNode): Promise<string> {
  const { answers } = await bus.survey('info', {}).catch(() => ({ answers: [] }));
  return answers
    .map(({ name }) => name)
    .toSorted()
    .join(' ');
}

describe.each(failovers)('on %s', (_, start) => {
  it.each([
    ['the last command', ['a', 'b']],
    ['all of them', []],
  ])(
    'a replica that takes over and lacks %s has nothing done again, and all that comes',
    async (_, before) => {
      const { redis, master, replicas } = await start(tagOf('lease'));
      keep(redis);
      const prefix = freshPrefix();
      const node = async (name: string) => keep(await startedNode(redis.url, prefix, name));
      const [one, two] = [await node('one'), await node('two')];
      for (const channel of before) await one.bus.send(about(channel));
      expect(await master.admin.wait(replicas.length, 5000)).toBe(replicas.length);
      await cutReplication(master, replicas);
      await two.bus.send(about('lost'));
      const known = [...before, 'lost'];
      expect([one.applied, two.applied]).toEqual([known, known]);
      await master.crash();

      await until(async () => (await answering(one)) === 'one two');
      await sendUntilApplied(two, about('after'));
      await sendUntilApplied(one, about('later'));
      for (const { applied } of [one, two]) {
        expect(applied.slice(0, known.length)).toEqual(known);
        // Those that were said not to have been applied everywhere were sent again.
        expect([...new Set(applied.slice(known.length))]).toEqual(['after', 'later']);
      }
      const { commands } = controlKeys(prefix, one.lease.tag);
      const kept = Number(await one.lease.shard.call(one.lease.tag, ['XLEN', commands], 'control'));
      expect(one.applied.length).toBe(kept + 1);
    },
  );
});
