/** What an {@link ExpiryQueue} holds. Both fields are the queue's to write; `slot` starts at -1. */
export interface Expiring {
  /** When it is looked at next. */
  lookAt: number;
  /** Its place in the queue, -1 outside. */
  slot: number;
}

/**
 * Things that end one day, the next one first: a binary heap that knows where each of its items is. An end that moves
 * away costs nothing until the item comes up and is put back, so a stream that is written a thousand times a second
 * is still moved once for each of its lifetimes. Times are those of the caller's clock.
 */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** Sees to it that `item` is looked at, at `at` or before. */
  schedule(item: T, at: number): void {
    if (item.slot < 0) item.slot = this.#heap.push(item) - 1;
    else if (at >= item.lookAt) return;
    item.lookAt = at;
    this.#rise(item);
  }

  /**
   * Looks at items whose time has come, `limit` at most.
   * @param look frees what is over; gives the time of the next look, or undefined where nothing is left of the item
   * @returns more are due
   */
  sweep(now: number, limit: number, look: (item: T, now: number) => number | undefined): boolean {
    for (let looked = 0; ; looked++) {
      const first = this.#heap[0];
      if (first === undefined || first.lookAt > now) return false;
      if (looked === limit) return true;
      const next = look(first, now);
      if (next === undefined) this.#removeFirst(first);
      else {
        first.lookAt = next;
        this.#sink(first);
      }
    }
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #removeFirst(first: T): void {
    first.slot = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === first) return;
    last.slot = 0;
    this.#sink(last);
  }

  #rise(item: T): void {
    let slot = item.slot;
    while (slot > 0) {
      const parent = this.#heap[(slot - 1) >> 1];
      if (parent === undefined || parent.lookAt <= item.lookAt) break;
      const above = parent.slot;
      this.#put(parent, slot);
      slot = above;
    }
    this.#put(item, slot);
  }

  #sink(item: T): void {
    let slot = item.slot;
    for (;;) {
      const left = this.#heap[2 * slot + 1];
      const right = this.#heap[2 * slot + 2];
      const child = right !== undefined && left !== undefined && right.lookAt < left.lookAt ? right : left;
      if (child === undefined || child.lookAt >= item.lookAt) break;
      const below = child.slot;
      this.#put(child, slot);
      slot = below;
    }
    this.#put(item, slot);
  }

  #put(item: T, slot: number): void {
    this.#heap[slot] = item;
    item.slot = slot;
  }
}
