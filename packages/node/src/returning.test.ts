import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BrokerEvents, SubscriptionGrant } from '@gyre/broker';
import { history, recoverable, settled, startNode, type Peer } from './testing.ts';

/** Clients that come back, and what that costs. */

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function start(grant: SubscriptionGrant = recoverable, listen?: (events: BrokerEvents) => void) {
  const node = await startNode({ subscribe: async () => grant }, {}, {}, listen);
  running.push(node.stop);
  const reads = vi.spyOn(node.broker, 'history');
  const publish = async (from: number, to: number): Promise<void> => {
    for (let i = from; i <= to; i++)
      await node.broker.publish('c', { data: Buffer.from(`${i}`) }, { history });
  };
  const { position } = await node.broker.history('c', { limit: 0 }, history);
  reads.mockClear();
  return { ...node, reads, publish, epoch: position.epoch };
}

interface Subscribed {
  readonly recovered?: boolean;
  readonly publications?: readonly { offset: number; data: unknown }[];
}

async function answer(peer: Peer): Promise<Subscribed> {
  await settled();
  return peer
    .messages()
    .flatMap((message) => ('subscribe' in message ? [message['subscribe'] as Subscribed] : []))[0]!;
}

async function comeBack(peers: readonly Peer[], since: object): Promise<Subscribed[]> {
  for (const peer of peers) peer.send({ id: 2, subscribe: { channel: 'c', recover: true, ...since } });
  return Promise.all(peers.map(answer));
}

const many = (count: number, connected: () => Promise<Peer>) =>
  Promise.all(Array.from({ length: count }, () => connected()));
const offsets = ({ publications }: Subscribed) => publications?.map(({ offset }) => offset);
const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('clients that come back', () => {
  it('to a node that knows nothing of the channel are answered by one read', async () => {
    const { connected, publish, reads, epoch, node } = await start();
    await publish(1, 100);
    const peers = await many(50, connected);
    const answers = await comeBack(peers, { offset: 10, epoch });
    for (const one of answers) expect(offsets(one)).toEqual(upTo(11, 100));
    expect(reads).toHaveBeenCalledTimes(1);
    // Those who come later find it at hand, also those who missed less.
    const [later] = await comeBack([await connected()], { offset: 90, epoch });
    expect(offsets(later!)).toEqual(upTo(91, 100));
    expect(reads).toHaveBeenCalledTimes(1);
    expect(node.stats.recoverySources).toEqual({ tail: 1, stream: 50 });
  });

  it('from places that are not far apart are answered by one read', async () => {
    const { connected, publish, reads, epoch } = await start();
    await publish(1, 100);
    // This one knows where the stream stands, and nothing of what is in it.
    const peer = await connected();
    peer.send({ id: 2, subscribe: { channel: 'c' } });
    await settled();
    reads.mockClear();
    for (const offset of [90, 70, 99, 64]) {
      const [one] = await comeBack([await connected()], { offset, epoch });
      expect(offsets(one!)).toEqual(upTo(offset + 1, 100));
    }
    expect(reads).toHaveBeenCalledTimes(1);
  });

  it('to where others have stayed ask for nothing', async () => {
    const { connected, publish, reads, epoch } = await start();
    await comeBack([await connected()], { offset: 0, epoch });
    await publish(1, 300);
    reads.mockClear();
    const [one] = await comeBack([await connected()], { offset: 0, epoch });
    expect(offsets(one!)).toEqual(upTo(1, 300));
    expect(reads).not.toHaveBeenCalled();
  });

  it('to where nobody has stayed find the channel as they left it', async () => {
    const { broker, connected, publish, reads, epoch, node } = await start();
    const unsubscribe = vi.spyOn(broker, 'unsubscribe');
    const subscribe = vi.spyOn(broker, 'subscribe');
    const peer = await connected();
    await comeBack([peer], { offset: 0, epoch });
    peer.session.closed();
    await settled();
    expect(node.gauges.channels).toBe(0);
    await publish(1, 5);
    reads.mockClear();
    const [one] = await comeBack([await connected()], { offset: 0, epoch });
    expect(offsets(one!)).toEqual(upTo(1, 5));
    expect(reads).not.toHaveBeenCalled();
    expect(unsubscribe).not.toHaveBeenCalled();
    expect(subscribe).toHaveBeenCalledTimes(1);
  });

  it('find the channel gone from here after a while', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    try {
      const { broker, connected, epoch } = await start();
      const unsubscribe = vi.spyOn(broker, 'unsubscribe');
      const peer = await connected();
      await comeBack([peer], { offset: 0, epoch });
      peer.session.closed();
      await settled();
      vi.advanceTimersByTime(14_000);
      const again = await connected();
      await comeBack([again], { offset: 0, epoch });
      vi.advanceTimersByTime(14_000);
      again.session.closed();
      await settled();
      vi.advanceTimersByTime(14_000);
      expect(unsubscribe).not.toHaveBeenCalled();
      vi.advanceTimersByTime(3000);
      expect(unsubscribe).toHaveBeenCalledExactlyOnceWith('c');
    } finally {
      vi.useRealTimers();
    }
  });

  it('are not given what the stream has forgotten', async () => {
    const { connected, publish, broker, epoch } = await start({
      ...recoverable,
      history: { ...history, size: 3 },
    });
    await comeBack([await connected()], { offset: 0, epoch });
    for (let i = 1; i <= 5; i++) {
      await broker.publish('c', { data: Buffer.from('1') }, { history: { ...history, size: 3 } });
    }
    const [within] = await comeBack([await connected()], { offset: 2, epoch });
    expect(offsets(within!)).toEqual([3, 4, 5]);
    const [beyond] = await comeBack([await connected()], { offset: 1, epoch });
    expect(beyond!.recovered).toBeUndefined();
    await broker.removeHistory('c');
    const [removed] = await comeBack([await connected()], { offset: 3, epoch });
    expect(removed!.recovered).toBeUndefined();
    await publish(6, 6);
    const [after] = await comeBack([await connected()], { offset: 5, epoch });
    expect(offsets(after!)).toEqual([6]);
  });

  it('with a place in another stream, or from too long ago, are refused without a look at the stream each time', async () => {
    const { connected, publish, reads, epoch } = await start();
    await publish(1, 400);
    await comeBack([await connected()], { offset: 5, epoch: 'other' });
    await comeBack([await connected()], { offset: 5, epoch });
    reads.mockClear();
    const answers = [
      ...(await comeBack([await connected()], { offset: 6, epoch: 'other' })),
      ...(await comeBack([await connected()], { offset: 6, epoch })),
    ];
    for (const one of answers) expect(one).toMatchObject({ was_recovering: true, offset: 400 });
    for (const one of answers) expect(one.recovered).toBeUndefined();
    expect(reads).not.toHaveBeenCalled();
  });

  it('in cache mode get the newest one from the node', async () => {
    const { connected, publish, reads, epoch } = await start({ ...recoverable, recoveryMode: 'cache' });
    await comeBack([await connected()], { offset: 0, epoch });
    await publish(1, 3);
    reads.mockClear();
    const [one] = await comeBack([await connected()], { offset: 1, epoch });
    expect(one).toMatchObject({ recovered: true, publications: [{ offset: 3, data: 3 }] });
    expect(reads).not.toHaveBeenCalled();
  });

  it('with patches get the next one whole, unless they were just given the one before it', async () => {
    const { connected, broker, epoch } = await start({ ...recoverable, delta: 'fossil' });
    const publish = async (offset: number) => {
      const data = Buffer.from(JSON.stringify({ offset, text: 'the same in all of them, and not short' }));
      await broker.publish('c', { data }, { history, delta: true });
      await settled();
    };
    await publish(1);
    // Where it stands it began: it has got nothing so far.
    const place = await connected();
    const [none] = await comeBack([place], { offset: 1, epoch, delta: 'fossil' });
    expect(none).toMatchObject({ recovered: true, offset: 1 });
    const missing = await connected();
    const [one] = await comeBack([missing], { offset: 0, epoch, delta: 'fossil' });
    expect(offsets(one!)).toEqual([1]);
    await publish(2);
    await publish(3);
    const patched = (peer: Peer) =>
      peer.messages().map(({ push }) => (push as { pub: { delta?: boolean } }).pub.delta ?? false);
    expect(patched(place)).toEqual([false, true]);
    expect(patched(missing)).toEqual([true, true]);
  });
});

describe('a channel in which nothing is published', () => {
  it('keeps its position for as long as somebody counts on it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const grant = { ...recoverable, history: { ...history, metaTtlMs: 60_000 } };
      const { connected, epoch } = await start(grant);
      const peer = await connected();
      await comeBack([peer], { offset: 0, epoch });
      for (let i = 0; i < 20; i++) {
        await vi.advanceTimersByTimeAsync(10_000);
        await settled();
      }
      const [later] = await comeBack([await connected()], { offset: 0, epoch });
      expect(later!.recovered).toBe(true);
      expect(peer.messages()).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('subscriptions that lost their place', () => {
  it('get nothing more until their clients are told, which are not told all at once', async () => {
    let events!: BrokerEvents;
    const { connected, broker, publish, node } = await start(recoverable, (its) => (events = its));
    const peers = await many(600, connected);
    for (const peer of peers) peer.send({ id: 2, subscribe: { channel: 'c' } });
    await settled();
    for (const peer of peers) peer.messages();
    await broker.unsubscribe('c');
    await publish(1, 2);
    await broker.removeHistory('c');
    await broker.subscribe('c');
    events.uncertain!(['c']);
    await settled();
    await publish(3, 3);
    await settled();
    const pushes = () =>
      peers.flatMap((peer) => peer.messages().map((message) => Object.keys(message['push'] as object)[1]));
    const seen = pushes();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThan(peers.length);
    await vi.waitFor(() => {
      seen.push(...pushes());
      expect(seen).toHaveLength(peers.length);
    });
    expect(new Set(seen)).toEqual(new Set(['unsubscribe']));
    expect(node.stats.resyncs).toEqual({ trimmed: 600 });
    expect(node.gauges.subscriptions).toBe(0);
  });
});
