import { describe, expect, it } from 'vitest';
import type { Tags } from '@gyre/protocol';
import { all, kept, saying, text, texts, until, useStage } from './stage.ts';
import type { BrokerContract } from './stage.ts';

/** Names that break what is built from them by pasting. */
export const hostileNames: readonly string[] = [
  '{}',
  '{a}b',
  'a}b',
  '{',
  '__proto__',
  'constructor',
  'a\nb',
  'a\r\n\0b',
  ' ',
  'a b*?[c]',
  '"\\\'',
  '%00%s',
  'channel:stream',
  '1:a',
  'größe',
  '😀',
  'x'.repeat(4096),
  `${'x'.repeat(4095)}y`,
];

/** Names and payloads come out as they went in. */
export function bytesContract(contract: BrokerContract): void {
  describe('names and payloads', () => {
    names(contract);
    payloads(contract);
  });
}

function names(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('takes any name for a channel, and confuses no two', async () => {
    const { broker, events } = await stage.node();
    const options = { history: kept, idempotencyKey: 'k', version: 1 };
    const said = (name: string): string[] => [`first in ${name}`, `second in ${name}`];
    for (const name of hostileNames) {
      await broker.subscribe(name);
      const [first = '', second = ''] = said(name);
      expect(await broker.publish(name, saying(first), options)).not.toHaveProperty('suppressed');
      await broker.publish(name, saying(second), { history: kept });
      await broker.announce(name, 'join', { user: name, client: name });
    }
    await until(() => events.presence.length === hostileNames.length);
    await until(() => events.publications.length === 2 * hostileNames.length);
    expect(events.presence.map(({ channel, info }) => [channel, info.user, info.client])).toEqual(
      hostileNames.map((name) => [name, name, name]),
    );
    for (const name of hostileNames) {
      expect(events.texts(name)).toEqual(said(name));
      expect(texts(await all(broker, name))).toEqual(said(name));
      await broker.removeHistory(name);
      await broker.unsubscribe(name);
    }
  });

  it('takes any text for a key', async () => {
    const { broker } = await stage.node();
    for (const round of [undefined, 'idempotency']) {
      for (const idempotencyKey of hostileNames) {
        const result = await broker.publish('c', saying(idempotencyKey), { idempotencyKey });
        expect(result.suppressed).toBe(round);
      }
    }
  });
}

function payloads(contract: BrokerContract): void {
  const stage = useStage(contract);
  const every = Uint8Array.from({ length: 256 }, (_, i) => i);

  it.each([
    ['every byte', every],
    ['none', new Uint8Array(0)],
    ['JSON as it was written', Buffer.from('{"a":1.0,"b":12345678901234567890,"b":"\\u00e9\\/","c" : [ ] }')],
    ['a part of a larger buffer', Buffer.concat([every, every]).subarray(100, 300)],
    ['a megabyte', new Uint8Array(1_000_000).fill(0x61)],
  ])('carries bytes untouched: %s', async (_, data) => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const copy = Buffer.from(data).toString('latin1');
    await broker.publish('c', { data }, {});
    await broker.publish('c', { data }, { history: kept });
    await until(() => events.publications.length === 2);
    const { publications } = await all(broker, 'c');
    const carried = [...events.publications.map((event) => event.publication), ...publications];
    expect(carried.map((publication) => Buffer.from(publication.data).toString('latin1') === copy)).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('carries tags and info as they are', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const tags = Object.fromEntries(hostileNames.map((name, i) => [name, hostileNames.at(-i) ?? '']));
    const info = {
      user: '😀\n',
      client: '',
      connInfo: Buffer.from(every),
      chanInfo: Buffer.from(' {"a" : 1.0}'),
    };
    await broker.publish('c', { ...saying('1'), info, tags }, { history: kept });
    await broker.publish(
      'c',
      { ...saying('2'), info: { user: '', client: 'x' }, tags: {} },
      { history: kept },
    );
    await until(() => events.publications.length === 2);
    const live = events.publications.map((event) => event.publication);
    for (const publications of [live, (await all(broker, 'c')).publications]) {
      expect(sorted(publications[0]?.tags ?? {})).toEqual(sorted(tags));
      expect(publications[0]?.info).toEqual(info);
      expect(publications[1]?.info).toEqual({ user: '', client: 'x' });
      expect(publications.map(({ data }) => text(data))).toEqual(['1', '2']);
    }
  });
}

/** As a list, in which no name has a meaning of its own. */
function sorted(tags: Tags): string[] {
  return Object.entries(tags)
    .map((tag) => JSON.stringify(tag))
    .sort();
}
