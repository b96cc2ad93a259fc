import { clientError, disconnect, type Method } from '@gyre/protocol';
import type { CommandRates } from '../options.ts';

/** Refusals in a row, in seconds' worth of the rate, after which a client that goes on is disconnected. */
const PATIENCE = 10;

/** Users that are remembered at most; beyond it those are forgotten who have not connected for a while. */
const MAX_USERS = 100_000;

/** A bucket into which `rate` tokens a second flow, and which holds as many. */
class Bucket {
  #tokens: number;
  #filled: number;
  /** Refusals since the last token was taken. */
  refused = 0;

  constructor(rate: number, now: number) {
    this.#tokens = rate;
    this.#filled = now;
  }

  /** Takes a token, where there is one. */
  take(rate: number, now: number): boolean {
    this.#tokens = Math.min(rate, this.#tokens + ((now - this.#filled) / 1000) * rate);
    this.#filled = now;
    if (this.#tokens < 1) {
      this.refused++;
      return false;
    }
    this.#tokens--;
    this.refused = 0;
    return true;
  }

  isFull(rate: number, now: number): boolean {
    return this.#tokens + ((now - this.#filled) / 1000) * rate >= rate;
  }
}

/** Commands that are counted by connection, and under which rate. */
const limited: Partial<Record<Method, keyof CommandRates>> = {
  subscribe: 'subscribe',
  publish: 'publish',
  rpc: 'rpc',
  history: 'history',
  presence: 'history',
  presence_stats: 'history',
};

/** What one connection has left of its commands. Reads of presence count as reads of history. */
export class RateLimits {
  readonly #buckets = new Map<keyof CommandRates, Bucket>();

  /**
   * Counts a command.
   * @throws ClientError 111 over the rate, Disconnect 3013 for who goes on and on
   */
  admit(method: Method, rates: CommandRates, now: number): void {
    const name = limited[method];
    const rate = name === undefined ? 0 : rates[name];
    if (name === undefined || rate <= 0) return;
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) this.#buckets.set(name, (bucket = new Bucket(rate, now)));
    if (bucket.take(rate, now)) return;
    throw bucket.refused > rate * PATIENCE ? disconnect('tooManyRequests') : clientError('tooManyRequests');
  }
}

/** How often users connect to this node. */
export class ConnectRates {
  readonly #users = new Map<string, Bucket>();

  /**
   * Counts a connection. Anonymous ones are nobody's, and not counted.
   * @throws ClientError 111 over the rate
   */
  admit(user: string, rate: number, now: number): void {
    if (rate <= 0 || user === '') return;
    let bucket = this.#users.get(user);
    if (bucket === undefined) {
      if (this.#users.size >= MAX_USERS) this.#forget(rate, now);
      this.#users.set(user, (bucket = new Bucket(rate, now)));
    }
    if (!bucket.take(rate, now)) throw clientError('tooManyRequests');
  }

  /** Whoever has all tokens is as good as new; where nobody has, the oldest goes. */
  #forget(rate: number, now: number): void {
    for (const [user, bucket] of this.#users) if (bucket.isFull(rate, now)) this.#users.delete(user);
    const [oldest] = this.#users.keys();
    if (this.#users.size >= MAX_USERS && oldest !== undefined) this.#users.delete(oldest);
  }
}
