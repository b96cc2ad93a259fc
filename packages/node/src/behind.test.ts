import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BrokerEvents, HistoryFilter, HistoryPage, SubscriptionGrant } from '@gyre/broker';
import { clientError, type Publication } from '@gyre/protocol';
import { history, recoverable, settled, startNode, type Peer } from './testing.ts';

/** A node that knows less than the stream does, or learns it late. */

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

const cache: SubscriptionGrant = { ...recoverable, recoveryMode: 'cache' };

/** @param server channels that a connection is subscribed to by the server, asked at each connect */
async function start(grant: SubscriptionGrant = recoverable, server: () => readonly string[] = () => []) {
  let events!: BrokerEvents;
  const errors: unknown[] = [];
  const stage = await startNode(
    {
      subscribe: async () => grant,
      connecting: async () => ({
        user: 'u',
        subscriptions: new Map(server().map((channel) => [channel, grant])),
      }),
    },
    {},
    { error: (...said) => errors.push(said) },
    (its) => (events = its),
  );
  running.push(stage.stop);
  const { broker } = stage;
  const subscribe = broker.subscribe.bind(broker);
  let published = 0;
  const publish = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await broker.publish('c', { data: Buffer.from(String(++published)) }, { history });
    }
    await settled();
  };
  /** Whatever `happens` does not reach the node. */
  const unheard = async (happens: () => Promise<void>): Promise<void> => {
    await broker.unsubscribe('c');
    await happens();
    await subscribe('c');
  };
  return {
    ...stage,
    events,
    errors,
    publish,
    unheard,
    top: async () => (await broker.history('c', { limit: 0 }, history)).position,
  };
}

type Stage = Awaited<ReturnType<typeof start>>;

/**
 * From now on reads see the stream as it is when they are made, and answer when they are let go.
 * @returns those that wait, the oldest first
 */
function holdReads({ broker }: Stage): { readonly waiting: (() => void)[]; release(): void } {
  const read = broker.history.bind(broker);
  const waiting: (() => void)[] = [];
  broker.history = async (...question) => {
    const page = await read(...question);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return page;
  };
  return {
    waiting,
    release() {
      broker.history = read;
      for (const go of waiting.splice(0)) go();
    },
  };
}

interface Answer {
  readonly recovered?: boolean;
  readonly offset?: number;
  readonly epoch?: string;
  readonly publications?: readonly { readonly offset: number }[];
}

/** What a peer got since this was last asked. */
async function heard(peer: Peer) {
  await settled();
  const messages = peer.messages() as {
    connect?: { subs: Record<string, Answer> };
    subscribe?: Answer;
    push?: { pub?: { offset: number }; unsubscribe?: object };
  }[];
  return {
    answer: messages.find(({ subscribe }) => subscribe !== undefined)?.subscribe,
    connect: messages.find(({ connect }) => connect !== undefined)?.connect,
    pushed: messages.flatMap(({ push }) => push?.pub?.offset ?? []),
    unsubscribed: messages.some(({ push }) => push?.unsubscribe !== undefined),
  };
}

async function subscribed(stage: Stage, since?: object): Promise<Peer> {
  const peer = await stage.connected();
  peer.send({ id: 2, subscribe: { channel: 'c', ...(since && { recover: true, ...since }) } });
  await settled();
  return peer;
}

const offsets = (answer: Answer | undefined) => answer?.publications?.map(({ offset }) => offset);

describe('a client that is further than the node', () => {
  it('is not given an older publication as the newest one', async () => {
    const stage = await start(cache);
    await subscribed(stage);
    await stage.publish(1);
    await stage.unheard(() => stage.publish(1));
    const peer = await subscribed(stage, await stage.top());
    const { answer } = await heard(peer);
    expect(answer?.recovered).toBe(true);
    expect(offsets(answer) ?? []).toEqual([]);
    await stage.publish(1);
    expect((await heard(peer)).pushed).toEqual([3]);
  });

  it('is not answered from a read that began before it got what it has', async () => {
    const stage = await start();
    await stage.publish(9);
    const { epoch } = await stage.top();
    await subscribed(stage);
    const reads = holdReads(stage);
    const earlier = await subscribed(stage, { offset: 5, epoch });
    await stage.unheard(() => stage.publish(1));
    const further = await subscribed(stage, { offset: 10, epoch });
    reads.release();
    expect(offsets((await heard(earlier)).answer)).toEqual([6, 7, 8, 9]);
    expect((await heard(further)).answer).toMatchObject({ recovered: true, offset: 10 });
  });
});

describe('a place that is lost while a client is on its way in', () => {
  it('is found again before the client is told where it stands', async () => {
    let server: string[] = [];
    const stage = await start(recoverable, () => server);
    const { broker, events } = stage;
    await stage.publish(5);
    await subscribed(stage);
    // The client is ready for `c`, and waits for `d`.
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const subscribe = vi.spyOn(broker, 'subscribe').mockReturnValueOnce(opened);
    server = ['c', 'd'];
    const peer = stage.open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(subscribe).toHaveBeenCalledExactlyOnceWith('d');
    await stage.unheard(async () => {
      await stage.publish(2);
      await broker.removeHistory('c');
    });
    events.uncertain!(['c']);
    await settled();
    open();
    expect((await heard(peer)).connect?.subs['c']).toMatchObject(await stage.top());
    await stage.unheard(() => stage.publish(1));
    await stage.publish(1);
    expect((await heard(peer)).pushed, 'what is missing is seen from there on').toEqual([8, 9]);
  });
});

describe('history that was removed', () => {
  it('is not brought back by a read that began before', async () => {
    const stage = await start(cache);
    await stage.publish(5);
    const { epoch } = await stage.top();
    await subscribed(stage);
    const reads = holdReads(stage);
    await subscribed(stage, { offset: 2, epoch });
    await stage.broker.removeHistory('c');
    reads.release();
    await settled();
    const later = await subscribed(stage, { offset: 0, epoch: '' });
    expect(offsets((await heard(later)).answer) ?? []).toEqual([]);
  });

  it('answers nobody, though the node did not hear that it was removed', async () => {
    const stage = await start();
    await subscribed(stage);
    await stage.publish(5);
    const { epoch } = await stage.top();
    await stage.unheard(() => stage.broker.removeHistory('c'));
    stage.events.uncertain!(['c']);
    await settled();
    const { answer } = await heard(await subscribed(stage, { offset: 2, epoch }));
    expect(answer).toMatchObject({ was_recovering: true, offset: 5 });
    expect(answer).not.toHaveProperty('recovered');
    expect(answer).not.toHaveProperty('publications');
  });
});

describe('a node whose connection to the broker broke', () => {
  it('asks until it knows what it missed, though at first nobody answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const stage = await start();
      const { broker, events } = stage;
      const peer = await subscribed(stage);
      await stage.unheard(() => stage.publish(1));
      const positions = vi.spyOn(broker, 'positions');
      for (let i = 0; i < 3; i++) positions.mockRejectedValueOnce(clientError('internal'));
      events.uncertain!(['c']);
      // Long before every channel is looked at anyway.
      await vi.advanceTimersByTimeAsync(1000);
      expect((await heard(peer)).pushed).toEqual([1]);
      expect(positions).toHaveBeenCalledTimes(4);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a stream that went back', () => {
  it.each([
    ['where it stands is asked for', (events: BrokerEvents) => events.uncertain!(['c'])],
    ['what it lost comes late', (events: BrokerEvents) => tell(events, 9)],
  ])('within its epoch is told to its subscribers: %s', async (_how, show) => {
    const stage = await start();
    const { broker, events } = stage;
    let position = { offset: 5, epoch: 'A' };
    broker.history = async (): Promise<HistoryPage> => ({ publications: [], position });
    broker.positions = async () => new Map([['c', position]]);
    const peer = await subscribed(stage);
    tell(events, 6);
    tell(events, 7);
    expect((await heard(peer)).pushed).toEqual([6, 7]);
    show(events);
    expect(await heard(peer)).toMatchObject({ pushed: [], unsubscribed: true });
    // From where it stands there is no way on, from where the stream stands there is.
    peer.send({ id: 3, subscribe: { channel: 'c', recover: true, offset: 7, epoch: 'A' } });
    const { answer } = await heard(peer);
    expect(answer).toMatchObject({ was_recovering: true, offset: 5 });
    expect(answer).not.toHaveProperty('recovered');
    position = { offset: 6, epoch: 'A' };
    tell(events, 6);
    expect((await heard(peer)).pushed).toEqual([6]);
  });
});

describe('a gap', () => {
  it('has one reader, whatever is lost and whoever comes meanwhile', async () => {
    const stage = await start();
    const { publish, unheard } = stage;
    const peer = await subscribed(stage);
    await publish(5);
    const { epoch } = await stage.top();
    const reads = holdReads(stage);
    await unheard(() => publish(1));
    await publish(1);
    await unheard(() => publish(1));
    await publish(1);
    // What it brings ends before the second gap.
    reads.waiting.shift()!();
    await settled();
    await unheard(() => publish(1));
    const other = await subscribed(stage, { offset: 10, epoch });
    // The answer to this client comes first, and shows what the node lacks.
    reads.waiting.pop()!();
    await settled();
    reads.release();
    expect((await heard(peer)).pushed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await heard(other)).answer).toMatchObject({ recovered: true, offset: 10 });
  });

  /** A Redis took over that has all up to 7, and goes on as `B`; the node, at 5, is shown by 7 that it lacks 6. */
  async function afterFailover(read: () => Promise<void>) {
    const stage = await start();
    let position = { offset: 5, epoch: 'A' };
    stage.broker.history = async (): Promise<HistoryPage> => ({ publications: [], position });
    const peer = await subscribed(stage);
    await heard(peer);
    position = { offset: 7, epoch: 'B' };
    const reads: HistoryFilter[] = [];
    stage.broker.history = async (_channel, filter): Promise<HistoryPage> => {
      reads.push(filter);
      await read();
      const after = filter.limit === 0 ? position.offset : (filter.since?.offset ?? 0);
      return { publications: [6, 7].filter((offset) => offset > after).map(publication), position };
    };
    tell(stage.events, 7);
    return { stage, peer, reads };
  }

  it('is not read over and over for what was held of the epoch before', async () => {
    const { stage, peer, reads } = await afterFailover(() => new Promise(setImmediate));
    for (let i = 0; i < 20; i++) await settled();
    expect(reads.length).toBeLessThan(4);
    // Its client comes back for the new epoch, and misses nothing.
    expect((await heard(peer)).unsubscribed).toBe(true);
    peer.send({ id: 3, subscribe: { channel: 'c', recover: true, offset: 5, epoch: 'A' } });
    const { answer } = await heard(peer);
    expect(answer).toMatchObject({ recovered: true, epoch: 'B' });
    expect(offsets(answer)).toEqual([6, 7]);
    tell(stage.events, 8, 'B');
    expect((await heard(peer)).pushed).toEqual([8]);
  });

  it.each([
    ['cannot be read', () => Promise.reject(clientError('internal'))],
    ['takes another epoch to read', () => new Promise<void>(setImmediate)],
  ])(
    'that %s keeps no node from ending',
    async (_how, read) => {
      const { stage } = await afterFailover(read);
      tell(stage.events, 9);
      await settled();
      await stage.node.drain(0);
      expect(stage.errors).toEqual([]);
    },
    5000,
  );
});

function publication(offset: number): Publication {
  return { data: Buffer.from(String(offset)), offset };
}

function tell(events: BrokerEvents, offset: number, epoch = 'A'): void {
  events.publication('c', publication(offset), { offset, epoch }, false);
}
