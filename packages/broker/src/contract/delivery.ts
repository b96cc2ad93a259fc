import { describe, expect, it } from 'vitest';
import type { ClientInfo, StreamPosition } from '@gyre/protocol';
import { all, fence, kept, saying, texts, until, useStage } from './stage.ts';
import type { BrokerContract } from './stage.ts';

const info: ClientInfo = {
  user: 'ann',
  client: '0b0f6d3e-6f0e-4a3c-9a77-2f2c1c0b7f10',
  connInfo: Buffer.from('{"name":"Ann"}'),
  chanInfo: Buffer.from([0, 255]),
};

/** Who is told of what, and in which order. */
export function deliveryContract(contract: BrokerContract): void {
  describe('delivery', () => {
    subscriptions(contract);
    order(contract);
    failures(contract);
  });
  describe.runIf(contract.can.severalNodes)('delivery to several nodes', () => {
    severalNodes(contract);
  });
}

function subscriptions(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('tells a subscribed node what was published', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const publication = { ...saying('{"a":1.0}'), info, tags: { lang: 'de', empty: '' } };
    expect(await broker.publish('c', publication, { delta: true })).toEqual({});
    await until(() => events.publications.length === 1);
    expect(events.publications[0]).toEqual({ channel: 'c', publication, position: undefined, delta: true });
  });

  it('says nothing of deltas unless the publisher does', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    await broker.publish('c', saying('plain'), {});
    await broker.publish('c', saying('kept'), { history: kept });
    await until(() => events.publications.length === 2);
    expect(events.publications.map((event) => event.delta)).toEqual([false, false]);
  });

  it('tells each publication once, of subscribed channels only', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.publish('a', saying('too early'), {});
    await broker.subscribe('a');
    await broker.publish('b', saying('elsewhere'), {});
    await broker.publish('a', saying('1'), {});
    await broker.publish('a', saying('2'), { history: kept });
    await broker.unsubscribe('a');
    await broker.publish('a', saying('too late'), { history: kept });
    await broker.subscribe('a');
    await fence(node, 'a');
    expect(events.publications.map((event) => event.channel)).toEqual(['a', 'a', 'a']);
    expect(events.texts('a')).toEqual(['1', '2', 'fence']);
  });

  it('subscribes once however often it is asked, and unsubscribes what it does not know', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.unsubscribe('c');
    await broker.subscribe('c');
    await broker.subscribe('c');
    await broker.publish('c', saying('1'), {});
    await fence(node, 'c');
    expect(events.texts('c')).toEqual(['1', 'fence']);
    await broker.unsubscribe('c');
    await broker.publish('c', saying('2'), {});
    await broker.subscribe('c');
    await broker.publish('c', saying('3'), {});
    await until(() => events.texts('c').length >= 3);
    expect(events.texts('c')).toEqual(['1', 'fence', '3']);
  });

  it('obeys the last of several calls that were not awaited', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await Promise.all([broker.subscribe('on'), broker.unsubscribe('on'), broker.subscribe('on')]);
    await Promise.all([broker.subscribe('off'), broker.unsubscribe('off')]);
    await broker.publish('off', saying('no'), {});
    await broker.publish('on', saying('yes'), {});
    await broker.subscribe('off');
    await fence(node, 'off');
    await until(() => events.texts('on').length > 0);
    expect([events.texts('on'), events.texts('off')]).toEqual([['yes'], ['fence']]);
  });

  it('tells subscribed nodes who came and went', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    const bare = { user: '', client: 'b' };
    await broker.announce('c', 'join', { user: 'early', client: 'e' });
    await broker.subscribe('c');
    await broker.announce('other', 'join', info);
    await broker.announce('c', 'join', info);
    await broker.announce('c', 'join', bare);
    await broker.announce('c', 'leave', info);
    await until(() => events.presence.length >= 3);
    await fence(node, 'c');
    expect(events.presence).toEqual([
      { event: 'join', channel: 'c', info },
      { event: 'join', channel: 'c', info: bare },
      { event: 'leave', channel: 'c', info },
    ]);
    expect(await all(broker, 'c')).toMatchObject({ publications: [], position: { offset: 0 } });
  });
}

function order(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('gives the position with the publication, and the epoch inside the first one only', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const positions: (StreamPosition | undefined)[] = [];
    for (const words of ['1', '2', '3']) {
      positions.push((await broker.publish('c', saying(words), { history: kept })).position);
    }
    await until(() => events.publications.length === 3);
    expect(positions.map((position) => position?.offset)).toEqual([1, 2, 3]);
    expect(events.publications.map((event) => event.position)).toEqual(positions);
    expect(events.publications.map((event) => event.publication.offset)).toEqual([1, 2, 3]);
    expect(events.publications.map((event) => event.publication.epoch)).toEqual([
      positions[0]?.epoch,
      undefined,
      undefined,
    ]);
  });

  it('has kept a publication when the call resolves', async () => {
    const { broker } = await stage.node();
    for (let offset = 1; offset <= 5; offset++) {
      await broker.publish('c', saying(`${offset}`), { history: kept });
      expect(await all(broker, 'c')).toMatchObject({
        position: { offset },
        publications: { length: offset },
      });
    }
  });

  it('tells in the order of offsets what many publish at once', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const calls = Array.from({ length: 500 }, async (_, i) => {
      // Some calls are made in one go, some later than others.
      for (let turn = 0; turn < i % 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      const { position } = await broker.publish('c', saying(`${i}`), { history: kept });
      return [position?.offset, `${i}`] as const;
    });
    const said = new Map(await Promise.all(calls));
    await until(() => events.publications.length === calls.length);
    const offsets = Array.from(calls, (_, i) => i + 1);
    expect([...said.keys()].sort((a, b) => Number(a) - Number(b))).toEqual(offsets);
    expect(events.publications.map((event) => event.position?.offset)).toEqual(offsets);
    const inOrder = offsets.map((offset) => said.get(offset));
    expect(events.texts('c')).toEqual(inOrder);
    expect(texts(await all(broker, 'c'))).toEqual(inOrder);
  });
}

function failures(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('does not let a handler that throws harm anybody', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    await broker.subscribe('d');
    events.failure = new Error('a handler of this test throws');
    await broker.publish('c', saying('1'), { history: kept });
    await broker.publish('c', saying('2'), {});
    await broker.publish('d', saying('3'), { idempotencyKey: 'k' });
    await broker.announce('c', 'join', info);
    await broker.announce('c', 'leave', info);
    await until(() => events.publications.length === 3 && events.presence.length === 2);
    events.failure = undefined;
    await broker.publish('c', saying('4'), { history: kept });
    await until(() => events.publications.length === 4);
    expect(events.texts('c')).toEqual(['1', '2', '4']);
    expect(texts(await all(broker, 'c'))).toEqual(['1', '4']);
  });
}

function severalNodes(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('tells every subscribed node the same, whoever publishes', async () => {
    const nodes = await Promise.all([stage.node(), stage.node(), stage.node()]);
    await Promise.all(nodes.map(({ broker }) => broker.subscribe('c')));
    const count = 300;
    await Promise.all(
      Array.from({ length: count }, async (_, i) =>
        nodes[i % 3]?.broker.publish('c', saying(`${i}`), { history: kept }),
      ),
    );
    await until(() => nodes.every(({ events }) => events.publications.length === count));
    for (const { broker, events } of nodes) {
      expect(events.publications.map((event) => event.position?.offset)).toEqual(
        Array.from({ length: count }, (_, i) => i + 1),
      );
      expect(events.texts('c')).toEqual(texts(await all(broker, 'c')));
    }
  });

  it('tells a node that subscribed what another one publishes from then on', async () => {
    const [publisher, subscriber] = await Promise.all([stage.node(), stage.node()]);
    for (let i = 0; i < 20; i++) {
      await subscriber.broker.subscribe(`c${i}`);
      await publisher.broker.publish(`c${i}`, saying('yes'), {});
      await publisher.broker.announce(`c${i}`, 'join', info);
    }
    await until(
      () => subscriber.events.publications.length === 20 && subscriber.events.presence.length === 20,
    );
    expect([publisher.events.publications, publisher.events.presence]).toEqual([[], []]);
  });

  it('answers a key that was used on another node', async () => {
    const [one, other] = await Promise.all([stage.node(), stage.node()]);
    const options = { history: kept, idempotencyKey: 'k' };
    const { position } = await one.broker.publish('c', saying('1'), options);
    const repeated = await other.broker.publish('c', saying('1'), options);
    expect(repeated).toEqual({ position, suppressed: 'idempotency' });
  });

  it('does not let a handler that throws harm other nodes', async () => {
    const [broken, sound] = await Promise.all([stage.node(), stage.node()]);
    await Promise.all([broken.broker.subscribe('c'), sound.broker.subscribe('c')]);
    broken.events.failure = new Error('a handler of this test throws');
    for (const words of ['1', '2']) await broken.broker.publish('c', saying(words), { history: kept });
    await until(() => [broken, sound].every(({ events }) => events.publications.length === 2));
    expect(sound.events.texts('c')).toEqual(['1', '2']);
  });
}
