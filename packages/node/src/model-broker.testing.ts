import type { Broker, BrokerEvents, HistoryFilter, HistoryPage } from '@gyre/broker';
import { clientError, type Publication, type StreamPosition } from '@gyre/protocol';

/** Epochs before the current one whose positions a stream still knows. */
export const LINEAGE = 4;
/** Long enough for a patch to be smaller than what it makes. */
const TEXT = 'what all publications have in common, so that a patch is worth its while';

/** What is in a channel, in truth. Publications are known by ids that are never used again. */
export class ModelStream {
  epoch: string;
  /** Ids by offset, the first one being 1. */
  ids: number[] = [];
  /** Up to this offset publications were removed. */
  removed = 0;
  /** Epochs before this one, the newest first, each with the offset that it ended at. */
  lineage: StreamPosition[] = [];

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get top(): StreamPosition {
    return { epoch: this.epoch, offset: this.ids.length };
  }

  /** Whoever stands there has got nothing that the stream does not have. */
  continues({ epoch, offset }: StreamPosition): boolean {
    if (epoch === '' || epoch === this.epoch) return true;
    const former = this.lineage.slice(0, LINEAGE).find((one) => one.epoch === epoch);
    return former !== undefined && offset <= former.offset;
  }

  /** @throws RangeError where there is none */
  idAt(offset: number): number {
    const id = this.ids[offset - 1];
    if (id === undefined) throw new RangeError(`nothing at ${offset}`);
    return id;
  }

  publicationAt(offset: number): Publication {
    const id = this.idAt(offset);
    return {
      data: Buffer.from(JSON.stringify({ id, text: TEXT })),
      offset,
      tags: { odd: String(id % 2) },
    };
  }
}

/**
 * A broker to be had its way with: it loses what it tells, tells it late, answers late or not at all, and its store goes
 * back to what it was, as that of a Redis does that a replica takes over from.
 */
export class ModelBroker implements Broker {
  /** How the store answers: when {@link answer} is called, or for the most part not at all. */
  mode: 'prompt' | 'slow' | 'failing' = 'prompt';
  readonly #streams = new Map<string, ModelStream>();
  readonly #subscribed = new Set<string>();
  readonly #chance: () => number;
  #events: BrokerEvents | undefined;
  #waiting: (() => void)[] = [];
  #deaf = false;
  /** What is told late; undefined while nothing is. */
  #late: (() => void)[] | undefined;
  #epochs = 0;
  #ids = 0;

  /** @param chance gives a number from 0 to 9 wherever something may go one way or the other */
  constructor(chance: () => number) {
    this.#chance = chance;
  }

  /** The stream of a channel, made where there is none. */
  stream(channel: string): ModelStream {
    let stream = this.#streams.get(channel);
    if (stream === undefined) this.#streams.set(channel, (stream = new ModelStream(this.#newEpoch())));
    return stream;
  }

  /** Somebody somewhere publishes. */
  add(channel: string): void {
    const stream = this.stream(channel);
    stream.ids.push(++this.#ids);
    const at = stream.top;
    const publication = {
      ...stream.publicationAt(at.offset),
      ...(at.offset === 1 ? { epoch: at.epoch } : {}),
    };
    this.#tell(channel, (events) => events.publication(channel, publication, at, true));
  }

  /** Nothing is heard any more, nor what was under way. */
  deafen(): void {
    this.#late = undefined;
    this.#deaf = true;
  }

  hear(): void {
    if (!this.#deaf) return;
    this.#deaf = false;
    this.#events?.uncertain?.([...this.#subscribed]);
  }

  lag(): void {
    if (!this.#deaf) this.#late ??= [];
  }

  catchUp(): void {
    const late = this.#late;
    this.#late = undefined;
    for (const tell of late ?? []) tell();
  }

  /** The store answers all that waits, and promptly from now on. */
  answer(): void {
    this.mode = 'prompt';
    for (const go of this.#waiting.splice(0)) go();
  }

  /** The stream goes on under a new epoch, without its last publications and all that it was told since. */
  renew(channel: string, lost: number): void {
    const stream = this.stream(channel);
    const cut = Math.max(0, stream.ids.length - lost);
    stream.ids = stream.ids.slice(0, cut);
    stream.removed = Math.min(stream.removed, cut);
    for (
      let [former] = stream.lineage;
      former !== undefined && former.offset > cut;
      [former] = stream.lineage
    ) {
      stream.epoch = former.epoch;
      stream.lineage.shift();
    }
    stream.lineage.unshift(stream.top);
    stream.epoch = this.#newEpoch();
  }

  wipe(channel: string): void {
    this.#streams.delete(channel);
  }

  async start(events: BrokerEvents): Promise<void> {
    this.#events = events;
  }

  async subscribe(channel: string): Promise<void> {
    if (this.#fails()) throw clientError('internal');
    this.#subscribed.add(channel);
    await this.#wait();
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#subscribed.delete(channel);
  }

  async history(channel: string, filter: HistoryFilter): Promise<HistoryPage> {
    if (this.#fails()) throw clientError('internal');
    // What is read may be what there is when it is asked for, or when it is answered.
    if (this.#chance() < 5) await this.#wait();
    const page = this.#read(channel, filter);
    await this.#wait();
    if (page === undefined) throw clientError('unrecoverablePosition');
    return page;
  }

  async positions(channels: readonly string[]): Promise<ReadonlyMap<string, StreamPosition>> {
    await this.#wait();
    const known = channels.filter(() => !this.#fails());
    return new Map(
      known.map((channel) => [channel, this.#streams.get(channel)?.top ?? { epoch: '', offset: 0 }]),
    );
  }

  async removeHistory(channel: string): Promise<void> {
    const stream = this.stream(channel);
    stream.removed = stream.ids.length;
    this.#tell(channel, (events) => events.historyRemoved?.(channel));
  }

  /** Nobody publishes through this node. */
  async publish(): Promise<never> {
    throw clientError('notAvailable');
  }

  async announce(): Promise<void> {}

  async close(): Promise<void> {}

  #newEpoch(): string {
    return `epoch${++this.#epochs}`;
  }

  #fails(): boolean {
    return this.mode === 'failing' && this.#chance() < 7;
  }

  async #wait(): Promise<void> {
    if (this.mode === 'slow') await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #tell(channel: string, say: (events: BrokerEvents) => void): void {
    const events = this.#events;
    if (this.#deaf || events === undefined || !this.#subscribed.has(channel)) return;
    if (this.#late === undefined) say(events);
    else this.#late.push(() => say(events));
  }

  /** @returns undefined where the stream does not go on from there */
  #read(channel: string, { limit, since, reverse }: HistoryFilter): HistoryPage | undefined {
    const stream = this.stream(channel);
    if (since !== undefined && !stream.continues(since)) return undefined;
    const { top } = stream;
    const after = Math.max(stream.removed, reverse === true ? 0 : (since?.offset ?? 0));
    const all = Array.from({ length: Math.max(0, top.offset - after) }, (_, i) => after + i + 1);
    if (reverse === true) all.reverse();
    const publications = (limit < 0 ? all : all.slice(0, limit)).map((offset) =>
      stream.publicationAt(offset),
    );
    return { publications, position: top, ...(publications.length > 0 ? { remainingMs: 50_000 } : {}) };
  }
}
