import { afterEach, beforeEach, expect } from 'vitest';
import type { ClientInfo, Publication, StreamPosition } from '@gyre/protocol';
import type { Broker, BrokerEvents, HistoryOptions, HistoryPage, NewPublication } from '../broker.ts';

/** One store that brokers can be bound to, fresh and empty: for memory the broker itself, else a prefix of its own. */
export interface BrokerStore {
  /** A broker bound to this store, not started. Called once where `severalNodes` is false. */
  node(): Broker | Promise<Broker>;
  /** Lets time pass for whatever ends in this store. Needed where `clock` is true. */
  advance?(ms: number): void | Promise<void>;
  /** Called after all its brokers are closed. */
  close?(): void | Promise<void>;
}

/** How the contract gets at an engine. */
export interface BrokerContract {
  /** Called for each test. */
  create(): BrokerStore | Promise<BrokerStore>;
  readonly can: {
    /** Brokers of one store are nodes of one cluster. */
    readonly severalNodes: boolean;
    /** `advance` moves the store's clock. Without it the tests that need a short time to be over wait for it, and
     * those that would need a short time not to be over are left out. */
    readonly clock: boolean;
  };
  /** Seeds of the random test; default one new one. */
  readonly seeds?: readonly number[];
}

export interface PublicationEvent {
  readonly channel: string;
  readonly publication: Publication;
  readonly position: StreamPosition | undefined;
  readonly delta: boolean;
}

/** Remembers what a broker told. */
export class Recorder implements BrokerEvents {
  readonly publications: PublicationEvent[] = [];
  readonly presence: {
    readonly event: 'join' | 'leave';
    readonly channel: string;
    readonly info: ClientInfo;
  }[] = [];
  /** Channels whose history was removed. */
  readonly removed: string[] = [];
  /** Channels that may have missed something, in the order in which that was told. */
  readonly uncertainties: string[] = [];
  /** Thrown by every handler, after it has remembered. */
  failure: Error | undefined;

  publication(
    channel: string,
    publication: Publication,
    position: StreamPosition | undefined,
    delta: boolean,
  ): void {
    this.publications.push({ channel, publication, position, delta });
    if (this.failure !== undefined) throw this.failure;
  }

  join(channel: string, info: ClientInfo): void {
    this.presence.push({ event: 'join', channel, info });
    if (this.failure !== undefined) throw this.failure;
  }

  leave(channel: string, info: ClientInfo): void {
    this.presence.push({ event: 'leave', channel, info });
    if (this.failure !== undefined) throw this.failure;
  }

  historyRemoved(channel: string): void {
    this.removed.push(channel);
    if (this.failure !== undefined) throw this.failure;
  }

  uncertain(channels: readonly string[]): void {
    this.uncertainties.push(...channels);
    if (this.failure !== undefined) throw this.failure;
  }

  /** What the publications of a channel said, in the order in which they came. */
  texts(channel: string): string[] {
    return this.publications
      .filter((event) => event.channel === channel)
      .map((event) => text(event.publication.data));
  }
}

export interface StageNode {
  readonly broker: Broker;
  readonly events: Recorder;
}

/** What a test stands on: one store and the nodes it asks for, all closed after it. */
export interface Stage {
  /** One more started node. */
  readonly node: () => Promise<StageNode>;
  /** That much time is over when it resolves. */
  readonly elapse: (ms: number) => Promise<void>;
  /** Milliseconds that are short for this engine. */
  readonly short: number;
}

/** Sets a new stage for each test of the suite that calls it. */
export function useStage(contract: BrokerContract): Stage {
  let store: BrokerStore;
  const brokers: Broker[] = [];
  beforeEach(async () => {
    store = await contract.create();
  });
  afterEach(async () => {
    await Promise.all(brokers.splice(0).map((broker) => broker.close()));
    await store.close?.();
  });
  return {
    node: async () => {
      const broker = await store.node();
      brokers.push(broker);
      const events = new Recorder();
      await broker.start(events);
      return { broker, events };
    },
    elapse: async (ms) => {
      if (store.advance !== undefined) return store.advance(ms);
      const end = performance.now() + ms + 50;
      await until(() => performance.now() >= end);
    },
    short: contract.can.clock ? 60_000 : 300,
  };
}

/** Resolves when the condition holds; rejects when it has not for ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** History that nothing leaves before its test is over. */
export const kept: HistoryOptions = { size: 1000, ttlMs: 3_600_000, metaTtlMs: 7_200_000 };

/** A publication that says this. */
export function saying(words: string): NewPublication {
  return { data: Buffer.from(words) };
}

export function text(data: Uint8Array): string {
  return Buffer.from(data).toString();
}

/** What the publications of a page say. */
export function texts(page: HistoryPage): string[] {
  return page.publications.map((publication) => text(publication.data));
}

/** The whole stream. */
export function all(broker: Broker, channel: string): Promise<HistoryPage> {
  return broker.history(channel, { limit: -1 }, kept);
}

/** Publishes without history to a channel that the node is subscribed to, and waits until that came back: so did all before. */
export async function fence({ broker, events }: StageNode, channel: string): Promise<void> {
  await broker.publish(channel, saying('fence'), {});
  await until(() => events.texts(channel).at(-1) === 'fence');
}

/** What a refusal looks like to vitest. */
export function refusal(code: number): unknown {
  return expect.objectContaining({ name: 'ClientError', code });
}

/** The reasons of those that were refused, once all are settled. */
export async function rejected(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(calls);
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
}
