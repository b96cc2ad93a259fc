import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TailBudget } from '../recovery/tail.ts';
import { Channel } from './channel.ts';
import { channelsPage } from './channels-page.ts';

function channelsNamed(names: Iterable<string>): Channel[] {
  return [...names].map((name) => {
    const channel = new Channel(name, Promise.resolve(), new TailBudget(0));
    channel.size = 1;
    return channel;
  });
}

/** All pages, one after the other. */
async function pages(channels: Iterable<Channel>, pattern: string, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  for (let after = ''; ;) {
    const { channels: page, more } = await channelsPage(channels, { pattern, after, limit });
    found.push(page.map(({ channel }) => channel));
    if (!more) return found;
    after = page.at(-1)!.channel;
  }
}

describe('pages of channels', () => {
  it('hold every channel once, in order, none of them empty but the only one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('', '*a*', '?'),
        async (names, limit, pattern) => {
          const all = await channelsPage(channelsNamed(names), { pattern, after: '', limit: 0 });
          const paged = await pages(channelsNamed(names), pattern, limit);
          expect(paged.flat()).toEqual(all.channels.map(({ channel }) => channel).toSorted(byCodeUnit));
          expect(paged.every((page) => page.length <= limit)).toBe(true);
          expect(paged.length === 1 || paged.every((page) => page.length > 0)).toBe(true);
        },
      ),
    );
  });

  it('leave out channels without subscribers', async () => {
    const channels = channelsNamed(['a', 'b']);
    channels[0]!.size = 0;
    expect(await pages(channels, '', 10)).toEqual([['b']]);
  });

  it('let other work go on, however many channels and whatever the pattern', async () => {
    const names = Array.from({ length: 200_000 }, (_, i) => `channel:${'a'.repeat(i % 40)}${i}`);
    const channels = channelsNamed(names);
    for (const pattern of ['', `${'*a'.repeat(60)}*[!a]`]) {
      let turns = 0;
      let done = false;
      const count = (): void => {
        turns++;
        if (!done) setImmediate(count);
      };
      setImmediate(count);
      await channelsPage(channels, { pattern, after: '', limit: 1000 });
      done = true;
      expect(turns).toBeGreaterThan(1);
    }
  });
});

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}
