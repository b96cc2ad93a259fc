import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { history, recoverable, settled, startNode, type Peer } from './testing.ts';

/** Steps that are taken one after the other without waiting, unless a step says so. */
type Step =
  | { readonly type: 'publish'; readonly times: number }
  /** Publications that do not reach the node. */
  | { readonly type: 'lose'; readonly times: number }
  | { readonly type: 'subscribe' | 'unsubscribe' | 'reconnect' | 'stall' | 'resume'; readonly client: number }
  /** A few turns of the microtask queue: commands are caught in the middle. */
  | { readonly type: 'turn'; readonly times: number }
  | { readonly type: 'wait' };

const CLIENTS = 3;
const client = fc.nat({ max: CLIENTS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('publish' as const), times: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('lose' as const), times: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('subscribe', 'unsubscribe', 'reconnect', 'stall', 'resume'),
      client,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('turn' as const), times: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const) }) },
);

interface PublicationMessage {
  readonly offset: number;
  readonly data: number;
}
interface SubscribeMessage {
  /** Left out when it is 0. */
  readonly offset?: number;
  readonly epoch: string;
  readonly recovered?: boolean;
  readonly was_recovering?: boolean;
  readonly publications?: PublicationMessage[];
}

/**
 * Does with what it gets what an SDK does, and checks what it has a right to: offsets that rise by one from where it
 * stood, and data that fits them. Whatever comes while it does not think itself subscribed is none of its business.
 */
class Reader {
  peer: Peer | undefined;
  subscribed = false;
  /** Id of the subscribe command that has no answer yet. */
  #asked: number | undefined;
  #position: { offset: number; epoch: string } | undefined;
  #nextId = 2;

  get position() {
    return this.#position;
  }

  connected(peer: Peer): void {
    this.peer = peer;
    this.subscribed = false;
    this.#asked = undefined;
    this.subscribe();
  }

  subscribe(): void {
    this.read();
    if (this.subscribed || this.#asked !== undefined) return;
    this.#asked = this.#nextId++;
    const since = this.#position === undefined ? {} : { recover: true, ...this.#position };
    this.peer?.send({ id: this.#asked, subscribe: { channel: 'c', ...since } });
  }

  unsubscribe(): void {
    this.read();
    this.subscribed = false;
    this.#asked = undefined;
    this.peer?.send({ id: this.#nextId++, unsubscribe: { channel: 'c' } });
  }

  read(): void {
    for (const message of this.peer?.messages() ?? []) {
      const { id, subscribe, push } = message as {
        id?: number;
        subscribe?: SubscribeMessage;
        push?: { pub: PublicationMessage };
      };
      if (subscribe !== undefined && id === this.#asked) this.#subscribed(subscribe);
      if (push !== undefined && this.subscribed) this.#take(push.pub);
    }
  }

  #subscribed(result: SubscribeMessage): void {
    this.subscribed = true;
    this.#asked = undefined;
    if (this.#position === undefined) {
      this.#position = { offset: result.offset ?? 0, epoch: result.epoch };
      return;
    }
    // Nothing here is so long ago that it could be gone.
    expect(result.recovered).toBe(true);
    expect(result.offset ?? 0).toBe(this.#position.offset);
    for (const publication of result.publications ?? []) this.#take(publication);
  }

  #take({ offset, data }: PublicationMessage): void {
    if (this.#position === undefined) throw new Error('a publication before the subscription');
    expect(offset).toBe(this.#position.offset + 1);
    expect(data).toBe(offset);
    this.#position.offset = offset;
  }
}

async function play(steps: readonly Step[]): Promise<void> {
  const { broker, open, stop } = await startNode({ subscribe: async () => recoverable });
  const readers = Array.from({ length: CLIENTS }, () => new Reader());
  const connect = (reader: Reader) => {
    reader.read();
    reader.peer?.session.closed();
    const peer = open();
    peer.send({ id: 1, connect: {} });
    reader.connected(peer);
  };
  readers.forEach(connect);
  let published = 0;
  const publishing: Promise<unknown>[] = [];
  const publish = (times: number) => {
    for (let i = 0; i < times; i++) {
      publishing.push(broker.publish('c', { data: Buffer.from(String(++published)) }, { history }));
    }
  };
  for (const current of steps) {
    switch (current.type) {
      case 'wait':
        await settled();
        break;
      case 'turn':
        for (let i = 0; i < current.times; i++) await Promise.resolve();
        break;
      case 'lose':
        await broker.unsubscribe('c');
        publish(current.times);
        await broker.subscribe('c');
        break;
      case 'publish':
        publish(current.times);
        break;
      default: {
        const reader = readers[current.client]!;
        if (current.type === 'subscribe') reader.subscribe();
        else if (current.type === 'unsubscribe') reader.unsubscribe();
        else if (current.type === 'reconnect') connect(reader);
        else if (current.type === 'stall') reader.peer!.transport.stalled = true;
        else {
          reader.peer!.transport.resume();
          reader.peer!.session.drained();
        }
      }
    }
  }
  // Shows whoever lost the last ones that they are missing.
  publish(1);
  await Promise.all(publishing);
  for (const reader of readers) {
    reader.peer!.transport.resume();
    reader.peer!.session.drained();
    await settled();
    reader.read();
    reader.subscribe();
    await settled();
    reader.read();
    expect(reader.peer!.transport.ended).toBeUndefined();
    expect(reader.position?.offset, 'everybody ends where the stream does').toBe(published);
  }
  await stop();
}

describe('any interleaving', () => {
  it('of publishing, subscribing, reconnecting and slow reading loses, doubles and reorders nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => play(steps)),
      { numRuns: 150 },
    );
  });
});
