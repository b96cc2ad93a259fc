import { customAlphabet } from 'nanoid';
import type { Publication, StreamPosition } from '@gyre/protocol';
import type { HistoryFilter } from '../broker.ts';
import type { Expiring } from './expiry-queue.ts';

const makeEpoch = customAlphabet('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 8);

/**
 * One channel's history: its position and the newest publications, in a ring that grows by doubling up to what has to
 * be kept. The slot of a publication follows from its offset, so appending and finding take the same time however many
 * there are.
 */
export class Stream implements Expiring {
  readonly channel: string;
  readonly epoch = makeEpoch();
  /** Of the newest publication ever made here, kept or not; 0 before the first. */
  top = 0;
  /** Of the last publication that had one, 0 for none. */
  version = 0;
  versionEpoch = '';
  /** When the publications go. Means nothing while there are none. */
  historyEnd = 0;
  /** When all of it goes. */
  metaEnd = 0;
  lookAt = 0;
  slot = -1;
  /** Its length is a power of two, or 0. */
  #ring: (Publication | undefined)[] = [];
  /** Offset of the oldest publication kept, `top + 1` where there is none. */
  #oldest = 1;

  constructor(channel: string) {
    this.channel = channel;
  }

  get position(): StreamPosition {
    return { offset: this.top, epoch: this.epoch };
  }

  /** How many publications are kept. */
  get length(): number {
    return this.top - this.#oldest + 1;
  }

  /** How many publications it holds in memory, which is the same unless something is wrong. Looks at each. */
  get held(): number {
    return this.#ring.reduce((count, publication) => (publication === undefined ? count : count + 1), 0);
  }

  /** When the next part of it ends. */
  get nextEnd(): number {
    return this.length > 0 ? Math.min(this.historyEnd, this.metaEnd) : this.metaEnd;
  }

  /** Keeps a publication whose offset is `top + 1`, and of those before it as many as fit in `size`. */
  append(publication: Publication, size: number): void {
    this.top++;
    for (; this.length > size; this.#oldest++) {
      this.#ring[this.#oldest & (this.#ring.length - 1)] = undefined;
    }
    if (this.length > this.#ring.length) this.#grow();
    this.#ring[this.top & (this.#ring.length - 1)] = publication;
  }

  /** The publications that `filter` asks for; its epoch was compared before. */
  read({ limit, since, reverse }: HistoryFilter): Publication[] {
    const publications: Publication[] = [];
    const span = limit < 0 ? Infinity : limit;
    const take = (offset: number): void => {
      const publication = this.#ring[offset & (this.#ring.length - 1)];
      if (publication !== undefined) publications.push(publication);
    };
    if (reverse) {
      const newest = since === undefined ? this.top : Math.min(since.offset - 1, this.top);
      const end = Math.max(newest - span, this.#oldest - 1);
      for (let offset = newest; offset > end; offset--) take(offset);
    } else {
      const oldest = since === undefined ? this.#oldest : Math.max(since.offset + 1, this.#oldest);
      const end = Math.min(oldest + span - 1, this.top);
      for (let offset = oldest; offset <= end; offset++) take(offset);
    }
    return publications;
  }

  /** Forgets the publications; the position stays. */
  clear(): void {
    this.#ring = [];
    this.#oldest = this.top + 1;
  }

  #grow(): void {
    const old = this.#ring;
    const ring = Array.from<Publication | undefined>({ length: Math.max(1, 2 * old.length) });
    for (let offset = this.#oldest; offset < this.top; offset++) {
      ring[offset & (ring.length - 1)] = old[offset & (old.length - 1)];
    }
    this.#ring = ring;
  }
}
