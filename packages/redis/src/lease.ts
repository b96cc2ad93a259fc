import { randomBytes } from 'node:crypto';
import { RedisError } from './errors.ts';
import { script } from './script.ts';
import { redisKey, tagOf } from './slots.ts';
import type { RedisShards, Reply, Shard } from './types.ts';

const renewLease = script<readonly Reply[]>(new URL('./lua/renew_lease.lua', import.meta.url));

/** Milliseconds that a lease which is over is remembered, for those who clear up after its holder. */
const rememberMs = 48 * 3_600_000;
/** Holders that are in no list any more and are still asked for, remembered at most. */
const mostGone = 1000;

export interface LeaseOptions {
  /** Milliseconds between renewals, default 1000. A lease that was not renewed for five times as long is over. */
  readonly renewMs?: number;
  /** Told why a renewal failed, once for each row of failures, and what a listener threw; with the name of the shard. */
  readonly onError: (error: unknown, shard: string) => void;
}

/** What those who act under a lease are told. A listener that throws does no harm. */
export interface LeaseListener {
  /**
   * The lease was not renewed for more than two periods, so others do not count on this process now. It is renewed
   * when this has resolved, so this must not wait for what needs the lease, and should take less time than a lease
   * lives; where it rejects, at the next try.
   */
  readonly late?: () => Promise<void>;
  /** There is another holder. What was written under the one before belongs to nobody any more. */
  readonly changed?: () => void;
  /** The lease was renewed. Comes after `changed`. */
  readonly renewed?: () => void;
}

/**
 * Says on one Redis that this process lives, and knows who else does. Only the clock of that Redis counts.
 *
 * A holder is the name of one uninterrupted life: a process whose lease was over, or forgotten by Redis, goes on under a
 * new one. All holders are equally long, of letters, digits, `-` and `_`.
 */
export interface Lease {
  readonly shard: Shard;
  /** Hash tag and key of the leases (sorted set: holder -> milliseconds of Redis at the last renewal). */
  readonly tag: string;
  readonly key: string;
  readonly renewMs: number;
  /** After this many milliseconds without renewal a lease is over. */
  readonly ttlMs: number;
  /** Renewals that failed so far. */
  readonly failures: number;
  /** Who this process is, "" before the first renewal. */
  readonly holder: string;
  /** Milliseconds since when this process has been the holder without interruption; 0 before. */
  readonly heldMs: number;
  /**
   * Whether others count on this process. `current`: renewed within two periods, so they do. `late`: they do not, as it
   * stood still or was cut off, and it has not caught up yet. `away`: nothing is heard of Redis.
   */
  readonly standing: 'current' | 'late' | 'away';
  /** Begins to renew. Resolves after the first try, whatever came of it; tries go on until `close`. */
  start(): Promise<void>;
  /**
   * Who this process is, when that is needed for writing: renews first where the lease may be over.
   * @throws what Redis refused with
   */
  held(): Promise<string>;
  /**
   * Those of these holders that live. Asks Redis where the last answer is old, or does not know one of them.
   * @throws what Redis refused with
   */
  alive(holders: Iterable<string>): Promise<ReadonlySet<string>>;
  /** Holders whose lease was over at the last renewal and that nobody has forgotten. They will never live again. */
  dead(): readonly string[];
  /** Takes a dead holder off the list. */
  forget(holder: string): Promise<void>;
  /** Goes on under a new holder from the next renewal on; the old lease runs out. */
  abandon(): void;
  listen(listener: LeaseListener): void;
  /** Stops renewing; the lease runs out by itself. Closing twice is harmless. */
  close(): Promise<void>;
}

/** A lease on each shard, in their order. None is taken before its `start`. */
export function openLeases(redis: RedisShards, options: LeaseOptions): readonly Lease[] {
  return redis.shards.map((shard) => new RedisLease(shard, redis.prefix, options));
}

const newHolder = (): string => randomBytes(16).toString('base64url');

class RedisLease implements Lease {
  readonly shard: Shard;
  readonly tag = tagOf('lease');
  readonly key: string;
  readonly renewMs: number;
  readonly ttlMs: number;
  failures = 0;
  readonly #onError: (error: unknown) => void;
  readonly #listeners: LeaseListener[] = [];
  #holder = '';
  /** Kept until it is taken: where a reply is lost, the next try takes the same one. */
  #next = newHolder();
  #abandoned = false;
  #since = 0;
  /** When the last renewal that succeeded was sent, and answered. */
  #renewedAt = -Infinity;
  #answeredAt = -Infinity;
  /** Ages when it was answered. */
  #leases: ReadonlyMap<string, number> = new Map();
  readonly #gone = new Set<string>();
  #renewing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  /** When the timer had its turn: it is long ago when this process stood still. */
  #tickedAt = performance.now();
  #mustCatchUp = false;
  #closed = false;

  constructor(shard: Shard, prefix: string, options: LeaseOptions) {
    this.shard = shard;
    this.key = redisKey(prefix, this.tag, 'lease', '');
    this.renewMs = options.renewMs ?? 1000;
    this.ttlMs = 5 * this.renewMs;
    this.#onError = (error) => options.onError(error, shard.name);
  }

  get holder(): string {
    return this.#holder;
  }

  get heldMs(): number {
    return this.#holder === '' ? 0 : performance.now() - this.#since;
  }

  get standing(): 'current' | 'late' | 'away' {
    if (this.#mustCatchUp || this.#isLong(this.#tickedAt)) return 'late';
    return this.#isLong(this.#renewedAt) ? 'away' : 'current';
  }

  async start(): Promise<void> {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setInterval(() => void this.#tick(), this.renewMs);
    this.#tickedAt = performance.now();
    await this.#tick();
  }

  async held(): Promise<string> {
    // One period of reserve: what is written under this holder has to arrive before its lease is over.
    if (this.#sinceRenewal() >= this.ttlMs - this.renewMs) await this.#renew();
    return this.#holder;
  }

  async alive(holders: Iterable<string>): Promise<ReadonlySet<string>> {
    const asked = new Set(holders);
    if (this.#sinceRenewal() > 1.5 * this.renewMs || [...asked].some((one) => !this.#knows(one))) {
      // A renewal that is under way may have been answered before these holders came.
      await this.#renewing?.catch(() => {});
      await this.#renew();
      for (const one of asked) if (!this.#leases.has(one)) this.#gone.add(one);
      if (this.#gone.size > mostGone) this.#gone.clear();
    }
    return new Set([...asked].filter((one) => this.#age(one) < this.ttlMs));
  }

  dead(): readonly string[] {
    // As Redis said, not as time went on here since: a lease that is over for Redis is so for ever.
    return [...this.#leases].flatMap(([one, age]) => (age >= this.ttlMs ? [one] : []));
  }

  async forget(holder: string): Promise<void> {
    await this.shard.call(this.tag, ['ZREM', this.key, holder], 'control');
  }

  abandon(): void {
    this.#abandoned = true;
  }

  listen(listener: LeaseListener): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#renewing?.catch(() => {});
  }

  #sinceRenewal(): number {
    return performance.now() - this.#renewedAt;
  }

  #isLong(since: number): boolean {
    return performance.now() - since > 2 * this.renewMs;
  }

  #knows(holder: string): boolean {
    return this.#leases.has(holder) || this.#gone.has(holder);
  }

  #age(holder: string): number {
    return (this.#leases.get(holder) ?? Infinity) + performance.now() - this.#answeredAt;
  }

  async #tick(): Promise<void> {
    if (this.#isLong(this.#tickedAt)) this.#mustCatchUp = true;
    this.#tickedAt = performance.now();
    const isNew = this.#renewing === undefined;
    try {
      await this.#renew();
      this.#failing = false;
    } catch (error) {
      if (!this.#closed) this.failures++;
      if (!this.#failing && !this.#closed) this.#onError(error);
      this.#failing = true;
      // One that was begun before this process stood still tells nothing of what is now.
      if (isNew) this.#mustCatchUp = false;
    }
  }

  /** One at a time: who calls meanwhile gets the same one. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<void> {
    if (this.#closed) throw new RedisError('none', 'the lease is closed');
    let sentAt = performance.now();
    let [holder, ...leases] = await this.#ask('0');
    while (String(holder) === '') {
      const caughtUp = String(leases[0]);
      this.#mustCatchUp = true;
      await Promise.all(this.#listeners.map(async (listener) => listener.late?.()));
      sentAt = performance.now();
      [holder, ...leases] = await this.#ask(caughtUp);
    }
    this.#renewedAt = sentAt;
    this.#answeredAt = performance.now();
    this.#leases = readAges(leases);
    if (!this.#isLong(sentAt)) this.#mustCatchUp = false;
    const changed = String(holder) !== this.#holder;
    if (changed) {
      this.#holder = String(holder);
      this.#next = newHolder();
      this.#abandoned = false;
      // Not when it was sent: Redis may have stood still in between.
      this.#since = this.#answeredAt;
    }
    for (const listener of this.#listeners) {
      if (changed) this.#tell(listener.changed);
      this.#tell(listener.renewed);
    }
  }

  /** @param caughtUp when catching up was begun, by the clock of Redis */
  #ask(caughtUp: string): Promise<readonly Reply[]> {
    const { shard, tag, ttlMs, renewMs } = this;
    const holder = this.#abandoned ? '' : this.#holder;
    const args = [holder, this.#next, ttlMs, rememberMs, 2 * renewMs, caughtUp];
    return renewLease(shard, tag, [this.key], args, 'control');
  }

  #tell(event: (() => void) | undefined): void {
    try {
      event?.();
    } catch (error) {
      this.#onError(error);
    }
  }
}

function readAges(reply: readonly Reply[]): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (let i = 0; i < reply.length; i += 2) ages.set(String(reply[i]), Number(reply[i + 1]));
  return ages;
}
