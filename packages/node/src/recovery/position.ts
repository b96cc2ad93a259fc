import type { Publication, StreamPosition } from '@gyre/protocol';

/** Publications a node keeps for each channel, to bridge what happens while a subscriber is on its way in. */
const TAIL = 64;

/** What became of a publication that arrived. */
export type Arrival =
  /** It is the next one. */
  | 'next'
  /** It was here before. */
  | 'old'
  /** It does not follow: publications are missing, or the stream is another one. */
  | 'gap';

/**
 * Where this node stands in a channel: every positioned subscriber of the channel has got all up to here. Moves with
 * each publication that arrives, and holds the last few of them.
 */
export class Position {
  #epoch: string;
  #offset: number;
  #tail: Publication[] = [];

  constructor(at: StreamPosition) {
    this.#epoch = at.epoch;
    this.#offset = at.offset;
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
        this.#tail.push(kept(publication));
        if (this.#tail.length > TAIL) this.#tail.shift();
        return 'next';
      }
    }
    return 'gap';
  }

  /** Gives up where it was, and stands at a publication of any place. */
  jump(at: StreamPosition, publication: Publication): void {
    this.#epoch = at.epoch;
    this.#offset = at.offset;
    this.#tail = [kept(publication)];
  }

  /** The stream's publications were removed: what is gone there is not served from here. */
  forget(): void {
    this.#tail = [];
  }

  /** The stream went on from here under another epoch. */
  adopt(epoch: string): void {
    this.#epoch = epoch;
  }

  /** Takes what was read as the stream's last publication, where that is of use. */
  learn(at: StreamPosition, last: Publication): void {
    const here = at.epoch === this.#epoch && at.offset === this.#offset && last.offset === at.offset;
    if (here && this.#tail.length === 0) this.#tail.push(last);
  }

  /**
   * The publications after `since` up to here.
   * @returns undefined where they are not all at hand
   */
  after(since: StreamPosition): readonly Publication[] | undefined {
    if (since.epoch !== this.#epoch || since.offset > this.#offset) return undefined;
    const missed = this.#offset - since.offset;
    if (missed > this.#tail.length) return undefined;
    return missed === 0 ? [] : this.#tail.slice(-missed);
  }

  /** The last publication, if it is at hand. */
  get last(): Publication | undefined {
    return this.#tail.at(-1);
  }
}

/** As it stands in the stream: the epoch is said with live ones only. */
function kept(publication: Publication): Publication {
  if (publication.epoch === undefined) return publication;
  const { epoch: _, ...rest } = publication;
  return rest;
}
