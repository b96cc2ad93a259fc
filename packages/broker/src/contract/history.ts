import { describe, expect, it } from 'vitest';
import type { Broker, HistoryFilter } from '../broker.ts';
import { all, fence, kept, refusal, saying, text, texts, until, useStage } from './stage.ts';
import type { BrokerContract } from './stage.ts';

/** What is kept, and how it is read. */
export function historyContract(contract: BrokerContract): void {
  describe('history', () => {
    reading(contract);
    keeping(contract);
    removing(contract);
    positions(contract);
  });
}

/** Publishes "1" to `${count}`, one after another. */
async function fill(broker: Broker, count: number, size = kept.size): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await broker.publish('c', saying(`${i}`), { history: { ...kept, size } });
  }
}

function reading(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('makes the epoch of a channel that nobody used, and keeps to it', async () => {
    const { broker } = await stage.node();
    const first = await broker.history('c', { limit: 0 }, kept);
    expect(first).toEqual({ publications: [], position: { offset: 0, epoch: expect.any(String) } });
    expect(first.position.epoch).toMatch(/^[a-zA-Z]{8}$/);
    expect(await all(broker, 'c')).toEqual(first);
    const { position } = await broker.publish('c', saying('1'), { history: kept });
    expect(position).toEqual({ offset: 1, epoch: first.position.epoch });
    expect((await all(broker, 'd')).position.epoch).not.toBe(first.position.epoch);
  });

  const pages: readonly [what: string, filter: HistoryFilter & { offset?: number }, expected: string][] = [
    ['everything for a negative limit', { limit: -1 }, '12345'],
    ['everything for any negative limit', { limit: -7 }, '12345'],
    ['the position only for limit 0', { limit: 0 }, ''],
    ['the oldest ones', { limit: 2 }, '12'],
    ['no more than there are', { limit: 9 }, '12345'],
    ['the newest ones in reverse', { limit: 2, reverse: true }, '54'],
    ['everything in reverse', { limit: -1, reverse: true }, '54321'],
    ['nothing in reverse for limit 0', { limit: 0, reverse: true }, ''],
    ['what came after a position', { limit: -1, offset: 2 }, '345'],
    ['a page of what came after a position', { limit: 2, offset: 2 }, '34'],
    ['everything after offset 0', { limit: -1, offset: 0 }, '12345'],
    ['the position only, after a position', { limit: 0, offset: 2 }, ''],
    ['nothing after the top', { limit: -1, offset: 5 }, ''],
    ['nothing after a position that is yet to come', { limit: -1, offset: 9 }, ''],
    ['what came before a position in reverse', { limit: -1, offset: 4, reverse: true }, '321'],
    ['a page of what came before a position', { limit: 2, offset: 4, reverse: true }, '32'],
    ['nothing before the first one', { limit: -1, offset: 1, reverse: true }, ''],
    ['nothing before offset 0', { limit: -1, offset: 0, reverse: true }, ''],
    ['everything before a position that is yet to come', { limit: -1, offset: 9, reverse: true }, '54321'],
    ['all but the top before the top', { limit: -1, offset: 5, reverse: true }, '4321'],
  ];
  it.each(pages)('gives %s', async (_, { offset, ...filter }, expected) => {
    const { broker } = await stage.node();
    await fill(broker, 5);
    const { position } = await broker.history('c', { limit: 0 }, kept);
    expect(position.offset).toBe(5);
    // An empty epoch fits any.
    for (const epoch of offset === undefined ? [''] : [position.epoch, '']) {
      const since = offset === undefined ? {} : { since: { offset, epoch } };
      const page = await broker.history('c', { ...filter, ...since }, kept);
      expect(texts(page).join('')).toBe(expected);
      expect(page.publications.map(({ offset: at }) => `${at}`).join('')).toBe(expected);
      expect(page.position).toEqual(position);
    }
  });

  it('walks a long stream page by page, both ways', async () => {
    const { broker } = await stage.node();
    await fill(broker, 50);
    for (const reverse of [false, true]) {
      const seen: number[] = [];
      for (;;) {
        const since = seen.length === 0 ? {} : { since: { offset: seen.at(-1) ?? 0, epoch: '' } };
        const { publications } = await broker.history('c', { limit: 7, reverse, ...since }, kept);
        if (publications.length === 0) break;
        seen.push(...publications.map(({ offset = 0 }) => offset));
      }
      const offsets = Array.from({ length: 50 }, (_, i) => i + 1);
      expect(seen).toEqual(reverse ? offsets.toReversed() : offsets);
    }
  });

  it.each([{ limit: -1 }, { limit: 1 }, { limit: 0 }, { limit: -1, reverse: true }])(
    'refuses a position of another epoch with 112 (%j)',
    async (filter) => {
      const { broker } = await stage.node();
      const since = { offset: 0, epoch: 'nosuchEp' };
      await expect(broker.history('c', { ...filter, since }, kept)).rejects.toEqual(refusal(112));
      await fill(broker, 2);
      await expect(broker.history('c', { ...filter, since }, kept)).rejects.toEqual(refusal(112));
      expect(texts(await all(broker, 'c'))).toEqual(['1', '2']);
    },
  );
}

function keeping(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('keeps what was published, all of it, and no epoch', async () => {
    const { broker } = await stage.node();
    const info = { user: 'u', client: 'c', connInfo: Buffer.from('{}'), chanInfo: Buffer.from('[]') };
    await broker.publish('c', { ...saying('1'), info, tags: { a: 'b' } }, { history: kept, version: 7 });
    await broker.publish('c', saying('2'), { history: kept, delta: true });
    const { publications } = await all(broker, 'c');
    expect(publications).toEqual([
      { ...saying('1'), info, tags: { a: 'b' }, version: 7, offset: 1 },
      { ...saying('2'), offset: 2 },
    ]);
  });

  it('keeps as many as the last publication said', async () => {
    const { broker } = await stage.node();
    await fill(broker, 6, 4);
    expect(texts(await all(broker, 'c')).join('')).toBe('3456');
    await broker.publish('c', saying('7'), { history: { ...kept, size: 2 } });
    expect(texts(await all(broker, 'c')).join('')).toBe('67');
    for (const words of '89') await broker.publish('c', saying(words), { history: { ...kept, size: 3 } });
    expect(texts(await all(broker, 'c')).join('')).toBe('789');
    await broker.publish('c', saying('x'), { history: { ...kept, size: 1 } });
    expect(await all(broker, 'c')).toMatchObject({ publications: { length: 1 }, position: { offset: 10 } });
  });

  it('gives whatever is left where the position was trimmed away', async () => {
    const { broker } = await stage.node();
    await fill(broker, 9, 3);
    const after = (offset: number, reverse: boolean): Promise<string> =>
      broker
        .history('c', { limit: -1, reverse, since: { offset, epoch: '' } }, kept)
        .then((page) => texts(page).join(''));
    expect(await Promise.all([0, 2, 5, 6, 7].map((offset) => after(offset, false)))).toEqual([
      '789',
      '789',
      '789',
      '789',
      '89',
    ]);
    expect(await Promise.all([2, 7, 8].map((offset) => after(offset, true)))).toEqual(['', '', '7']);
  });

  it('leaves the stream alone where a publication is not to be kept', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    await fill(broker, 2);
    expect(await broker.publish('c', saying('passing'), {})).toEqual({});
    await broker.publish('c', saying('3'), { history: kept });
    await until(() => events.publications.length === 4);
    expect(
      events.publications.map(({ publication }) => [text(publication.data), publication.offset]),
    ).toEqual([
      ['1', 1],
      ['2', 2],
      ['passing', undefined],
      ['3', 3],
    ]);
    expect(texts(await all(broker, 'c')).join('')).toBe('123');
  });
}

function removing(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('forgets the publications and stays where it is', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    await fill(broker, 3);
    const { position } = await all(broker, 'c');
    await broker.removeHistory('c');
    await broker.removeHistory('c');
    expect(await all(broker, 'c')).toEqual({ publications: [], position });
    const since = { offset: 1, epoch: position.epoch };
    expect(await broker.history('c', { limit: -1, since }, kept)).toEqual({ publications: [], position });
    await broker.publish('c', saying('4'), { history: kept });
    const page = await broker.history('c', { limit: -1, since }, kept);
    expect([texts(page), page.position]).toEqual([['4'], { ...position, offset: 4 }]);
    await until(() => events.publications.length === 4);
    expect(events.publications[3]?.position).toEqual({ ...position, offset: 4 });
  });

  it('tells subscribed nodes in the order of publications', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.subscribe('c');
    await fill(broker, 1);
    await broker.removeHistory('c');
    await broker.removeHistory('elsewhere');
    await fence(node, 'c');
    expect(events.removed).toEqual(['c']);
    expect(events.texts('c')).toEqual(['1', 'fence']);
  });

  it('knows of no channel that is not used', async () => {
    const { broker } = await stage.node();
    await broker.removeHistory('nobody');
    await fill(broker, 1);
    await broker.removeHistory('nobody');
    expect(texts(await all(broker, 'c'))).toEqual(['1']);
  });
}

function positions(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('tells where many channels stand, and makes nothing where nothing is', async () => {
    const { broker } = await stage.node();
    const channels = Array.from({ length: 300 }, (_, i) => `c${i}`);
    const used = channels.filter((_, i) => i % 3 > 0);
    const tops = await Promise.all(
      used.map(async (channel) => {
        await broker.publish(channel, saying('1'), { history: kept });
        return (await broker.publish(channel, saying('2'), { history: kept })).position;
      }),
    );
    const nowhere = { offset: 0, epoch: '' };
    const expected = channels.map((channel) => {
      const position = tops[used.indexOf(channel)];
      return [channel, position ?? nowhere];
    });
    for (let round = 0; round < 2; round++) {
      const known = await broker.positions(channels);
      expect(channels.map((channel) => [channel, known.get(channel)])).toEqual(expected);
    }
    expect(await broker.positions([])).toEqual(new Map());
  });
}
