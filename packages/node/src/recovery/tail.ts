import type { Publication } from '@gyre/protocol';

/** Publications that one channel's tail holds at most, and their bytes. */
const COUNT = 512;
const BYTES = 256 * 1024;
/** What an object costs beside its payload, roughly. */
const OVERHEAD = 200;
/** Where a payload is a small part of the memory that it keeps alive, a copy is cheaper. */
const WASTE = 4;

/** The last publications of a channel, ascending and without a hole; bounded, and within a budget that all share. */
export class Tail {
  readonly #budget: TailBudget;
  #publications: Publication[] = [];
  #bytes = 0;

  constructor(budget: TailBudget) {
    this.#budget = budget;
  }

  get publications(): readonly Publication[] {
    return this.#publications;
  }

  /** @param publication the one that follows the last */
  push(publication: Publication): void {
    const kept = own(publication);
    this.#publications.push(kept);
    this.#grow(sizeOf(kept));
  }

  /** @param publications those right before the first, ascending; as many of them as there is room for are taken */
  prepend(publications: readonly Publication[]): void {
    const kept = publications.map(own);
    this.#publications.unshift(...kept);
    this.#grow(kept.reduce((sum, publication) => sum + sizeOf(publication), 0));
  }

  clear(): void {
    this.#budget.released(this, this.#bytes);
    this.#publications = [];
    this.#bytes = 0;
  }

  #grow(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.taken(this, bytes);
    let surplus = 0;
    let freed = 0;
    const { length } = this.#publications;
    while (length - surplus > COUNT || (this.#bytes - freed > BYTES && length - surplus > 1)) {
      freed += sizeOf(this.#publications[surplus++]);
    }
    if (surplus === 0) return;
    this.#publications.splice(0, surplus);
    this.#bytes -= freed;
    this.#budget.taken(this, -freed);
  }
}

/** What the tails of all channels may hold together. Past it those go that were used longest ago. */
export class TailBudget {
  readonly #limit: number;
  /** The one used last comes last. */
  readonly #tails = new Set<Tail>();
  #newest: Tail | undefined;
  #bytes = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A tail grew, or shrank, by so many bytes. */
  taken(tail: Tail, bytes: number): void {
    this.#bytes += bytes;
    this.used(tail);
    while (this.#bytes > this.#limit) {
      const [oldest] = this.#tails;
      if (oldest === undefined) return;
      oldest.clear();
    }
  }

  used(tail: Tail): void {
    if (this.#newest === tail) return;
    this.#newest = tail;
    this.#tails.delete(tail);
    this.#tails.add(tail);
  }

  released(tail: Tail, bytes: number): void {
    this.#bytes -= bytes;
    this.#tails.delete(tail);
    if (this.#newest === tail) this.#newest = undefined;
  }
}

function sizeOf(publication: Publication | undefined): number {
  if (publication === undefined) return 0;
  const { data, info, tags = {} } = publication;
  let size = OVERHEAD + data.length + (info?.connInfo?.length ?? 0) + (info?.chanInfo?.length ?? 0);
  for (const key in tags) size += 2 * (key.length + (tags[key]?.length ?? 0));
  return size;
}

/**
 * A publication as it stands in the stream (the epoch is said with live ones only), which does not keep alive whatever it
 * came with: a payload may be a slice of all that was read from a socket at once.
 */
function own(publication: Publication): Publication {
  const { data, epoch } = publication;
  const wasteful = data.buffer.byteLength > WASTE * (data.length + OVERHEAD);
  if (epoch === undefined && !wasteful) return publication;
  const { epoch: _, ...rest } = publication;
  return wasteful ? { ...rest, data: new Uint8Array(data) } : rest;
}
