import type { HistoryOptions, HistoryPage } from '@gyre/broker';
import type { Publication, StreamPosition } from '@gyre/protocol';
import { Tail, type TailBudget } from './tail.ts';

/** What became of a publication that arrived. */
export type Arrival =
  /** It is the next one. */
  | 'next'
  /** It was here before. */
  | 'old'
  /** It does not follow: publications are missing, or the stream is another one. */
  | 'gap';

/** How long and how much of the channel the stream keeps: what is gone there is not served from here either. */
type Kept = Pick<HistoryOptions, 'size' | 'ttlMs'>;

/** Epochs that the stream did not go on from, which are remembered. */
const STRANGERS = 8;

/**
 * Where this node stands in a channel: every positioned subscriber of the channel has got all up to here. Moves with
 * each publication that arrives, and holds the last few of them.
 */
export class Position {
  #epoch: string;
  #offset: number;
  /** Where the stream went on under this epoch, said by the one before. */
  #former: StreamPosition | undefined;
  readonly #tail: Tail;
  /** `performance.now()` of the last publication. */
  #lastAt = 0;
  /** `performance.now()` of the last use of the stream that this node knows of: a publication, or a read that counts. */
  usedAt = performance.now();
  /** Up to this offset the stream has no publications any more. */
  #gone = 0;
  /** What is at hand up to this offset may have been removed from the stream. */
  #doubtful = 0;
  /** Positions of other epochs that the stream was found not to go on from: epoch and lowest such offset. */
  #strangers: Map<string, number> | undefined;

  constructor(at: StreamPosition, budget: TailBudget) {
    this.#epoch = at.epoch;
    this.#offset = at.offset;
    this.#tail = new Tail(budget);
  }

  get current(): StreamPosition {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  /** Takes a publication that came from the broker; one that does not follow changes nothing. */
  arrive(at: StreamPosition, publication: Publication): Arrival {
    if (at.epoch === this.#epoch) {
      if (at.offset <= this.#offset) return 'old';
      if (at.offset === this.#offset + 1) {
        this.#offset = at.offset;
        this.#lastAt = this.usedAt = performance.now();
        this.#tail.push(publication);
        return 'next';
      }
    }
    return 'gap';
  }

  /** Gives up where it was, and stands at a publication of any place. */
  jump(at: StreamPosition, publication: Publication): void {
    if (at.epoch !== this.#epoch) this.#gone = this.#doubtful = 0;
    this.#epoch = at.epoch;
    this.#offset = at.offset;
    this.#former = this.#strangers = undefined;
    this.#lastAt = performance.now();
    this.#tail.clear();
    this.#tail.push(publication);
  }

  /** The stream's publications were removed: what is gone there is not served from here. */
  forget(): void {
    this.#tail.clear();
    this.#gone = this.#offset;
  }

  /** A removal of history may have been missed: what is at hand answers nobody any more before a read has confirmed it. */
  doubt(): void {
    this.#doubtful = this.#offset;
  }

  /** Nobody asks any more. */
  drop(): void {
    this.#tail.clear();
  }

  /** The stream went on from here under another epoch. */
  adopt(epoch: string): void {
    this.#former = this.current;
    this.#epoch = epoch;
    this.#strangers = undefined;
  }

  /**
   * Takes what was read from the stream, ascending, where it goes on into what is at hand.
   * @param after the read began after this offset, and left out nothing that follows it
   */
  learn(page: HistoryPage, after: number, { ttlMs }: Kept): void {
    const { publications, position, remainingMs = ttlMs } = page;
    if (position.epoch !== this.#epoch) return;
    const first = publications[0]?.offset ?? position.offset + 1;
    if (first > after + 1) this.#gone = Math.max(this.#gone, first - 1);
    if (publications.length === 0 || publications.at(-1)?.offset === position.offset) {
      // What of it is there was found, and what is not is known to be gone.
      this.#doubtful = Math.min(this.#doubtful, after);
    }
    const known = this.#tail.publications[0]?.offset ?? this.#offset + 1;
    // History that was removed while it was read stays removed.
    const older = publications.filter(({ offset = 0 }) => offset < known && offset > this.#gone);
    if (older.at(-1)?.offset !== known - 1) return;
    // Without a publication of its own it knows only how long those that were read will live.
    if (known > this.#offset) this.#lastAt = performance.now() - ttlMs + remainingMs;
    this.#tail.prepend(older);
  }

  /** The stream was found not to go on from this position, nor from a later one of its epoch. */
  estrange({ epoch, offset }: StreamPosition): void {
    this.#strangers ??= new Map();
    const known = this.#strangers.get(epoch) ?? Infinity;
    this.#strangers.set(epoch, Math.min(known, offset));
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > STRANGERS && oldest !== undefined) this.#strangers.delete(oldest);
  }

  /** It is known, without a look at the stream, that what was published after `since` cannot be had, or is more than `limit`. */
  lacks({ epoch, offset }: StreamPosition, limit: number): boolean {
    if (epoch !== this.#epoch) return offset >= (this.#strangers?.get(epoch) ?? Infinity);
    return offset < this.#offset && (offset < this.#gone || this.#offset - offset > limit);
  }

  /**
   * The publications after `since` up to here, as far as a stream with these options still has them.
   * @returns undefined where they are not all at hand
   */
  missed(since: StreamPosition, kept: Kept): readonly Publication[] | undefined {
    const missed = this.after(since);
    if (missed === undefined || missed.length === 0) return missed;
    const isThere = since.offset >= this.#doubtful && this.#isKept(missed.length, kept);
    return isThere ? missed : undefined;
  }

  /** The publications after `since` up to here, undefined where they are not all at hand. */
  after(since: StreamPosition): readonly Publication[] | undefined {
    const known = [this.current, this.#former].find((one) => one?.epoch === since.epoch);
    if (known === undefined || since.offset > known.offset) return undefined;
    const missed = this.#offset - since.offset;
    const { publications } = this.#tail;
    if (missed > publications.length) return undefined;
    return missed === 0 ? [] : publications.slice(-missed);
  }

  /**
   * The last publication of a stream with these options, as far as that is known.
   * @returns an empty page where the stream has none; undefined where that is not known
   */
  newest(kept: Kept): HistoryPage | undefined {
    const { last } = this;
    if (last !== undefined && this.#offset > this.#doubtful && this.#isKept(1, kept))
      return { publications: [last], position: this.current };
    return this.#gone >= this.#offset ? { publications: [], position: this.current } : undefined;
  }

  #isKept(count: number, { size, ttlMs }: Kept): boolean {
    return count <= size && performance.now() - this.#lastAt < ttlMs;
  }

  /** The last publication, if it is at hand. */
  get last(): Publication | undefined {
    return this.#tail.publications.at(-1);
  }
}
