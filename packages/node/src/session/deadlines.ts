/** Milliseconds of one bucket: no deadline is kept more exactly than this. */
const STEP = 100;

/** Whatever has to act at some time. Each has one deadline, the nearest of all its duties. */
export interface Due {
  /** The bucket that will call, -1 for none. Belongs to {@link Deadlines}. */
  bucket: number;
  /** Does what is due and gives the time of the next duty, Infinity for none. */
  due(now: number): number;
}

/**
 * One timer for all connections. A deadline costs a place in a set, moving it further away costs nothing: whoever is
 * called too early just says when it really wants to be.
 */
export class Deadlines {
  readonly #buckets = new Map<number, Set<Due>>();
  #last: number;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#last = bucketOf(this.now());
  }

  /** Monotonic milliseconds, the clock of all deadlines. */
  now(): number {
    return performance.now();
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#run(), STEP);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#buckets.clear();
  }

  /** Makes sure that `item` is called at `at`, or before. */
  set(item: Due, at: number): void {
    if (at === Infinity) return;
    const bucket = Math.max(bucketOf(at) + 1, this.#last + 1);
    if (item.bucket !== -1 && item.bucket <= bucket) return;
    this.cancel(item);
    item.bucket = bucket;
    const items = this.#buckets.get(bucket);
    if (items === undefined) this.#buckets.set(bucket, new Set([item]));
    else items.add(item);
  }

  /** `item` will not be called any more. */
  cancel(item: Due): void {
    this.#buckets.get(item.bucket)?.delete(item);
    item.bucket = -1;
  }

  #run(): void {
    const now = this.now();
    const current = bucketOf(now);
    while (this.#last < current) {
      const bucket = ++this.#last;
      // Whoever is cancelled meanwhile leaves the set, and is not called.
      for (const item of this.#buckets.get(bucket) ?? []) {
        item.bucket = -1;
        this.set(item, item.due(now));
      }
      this.#buckets.delete(bucket);
    }
  }
}

function bucketOf(time: number): number {
  return Math.floor(time / STEP);
}
