import { disconnect, unsubscribeReasons } from '@gyre/protocol';
import { observe } from '../options.ts';
import type { Session } from './session.ts';

/** Milliseconds until a connection that was refused is closed, should its client not do it. */
const REFUSED_CLOSE_DELAY = 5000;

/** Longest time to live that clients are told, in seconds: 365 days. */
const MAX_TTL = 365 * 24 * 3600;

/**
 * The clock of one connection: stale, ping and pong, expiry of itself and of its subscriptions. Times are those of
 * {@link Deadlines.now}; expiry is given in Unix seconds and translated when it is set.
 */
export class Timing {
  readonly #session: Session;
  /** Until connected. */
  #closeAt: number;
  #pingAt = Infinity;
  #pongBy = Infinity;
  #pingedAt = 0;
  #expireAt = Infinity;
  /** When to see whether the transport is stuck. */
  #writeBy = Infinity;
  /** The nearest of all subscriptions' ends, so that a tick need not look at them. */
  #subscriptionsExpireAt = Infinity;

  constructor(session: Session) {
    this.#session = session;
    const { deadlines, options } = session.context;
    this.#closeAt = deadlines.now() + options.staleCloseDelay;
    deadlines.set(session, this.#closeAt);
  }

  #set(at: number): number {
    this.#session.context.deadlines.set(this.#session, at);
    return at;
  }

  /** The connection was accepted: pings begin, at a random moment of the second half of the first interval. */
  connected(): void {
    this.#closeAt = Infinity;
    const { pingInterval } = this.#session.context.options;
    if (pingInterval > 0) this.#pingAt = this.#set(this.#now() + pingInterval * (0.5 + Math.random() / 2));
  }

  refused(): void {
    this.#closeAt = this.#set(Math.min(this.#closeAt, this.#now() + REFUSED_CLOSE_DELAY));
  }

  /** The transport has fallen behind. */
  congested(): void {
    const { writeTimeout } = this.#session.context.options;
    if (writeTimeout > 0) this.#writeBy = this.#set(this.#now() + writeTimeout);
  }

  /** A pong came. False when none was asked for. */
  pong(): boolean {
    if (this.#pongBy === Infinity) return false;
    const { context, transportName } = this.#session;
    observe(context.stats.pongs, transportName, (this.#now() - this.#pingedAt) / 1000);
    this.#pongBy = Infinity;
    return true;
  }

  /** @param at Unix seconds; undefined: never */
  expires(at: number | undefined): void {
    this.#expireAt =
      at === undefined
        ? Infinity
        : this.#set(this.#moment(at) + this.#session.context.options.expiredCloseDelay);
  }

  /** A subscription's end was set: look at them all by then. */
  subscriptionExpires(at: number | undefined): void {
    if (at === undefined) return;
    const end = this.#moment(at) + this.#session.context.options.expiredSubCloseDelay;
    if (end < this.#subscriptionsExpireAt) this.#subscriptionsExpireAt = this.#set(end);
  }

  /** What is due now; gives when to come again. */
  due(now: number): number {
    const session = this.#session;
    if (now >= this.#closeAt) session.disconnect(disconnect('stale'));
    else if (now >= this.#pongBy) session.disconnect(disconnect('noPong'));
    else if (now >= this.#expireAt) session.disconnect(disconnect('connectionExpired'));
    if (session.state !== 'closed' && now >= this.#subscriptionsExpireAt) this.#expireSubscriptions();
    if (session.state !== 'closed' && now >= this.#writeBy) this.#checkWriting(now);
    if (session.state === 'closed') return Infinity;
    if (now >= this.#pingAt) this.#ping(now);
    return Math.min(
      this.#closeAt,
      this.#pingAt,
      this.#pongBy,
      this.#writeBy,
      this.#expireAt,
      this.#subscriptionsExpireAt,
    );
  }

  #ping(now: number): void {
    const { context, transport, outbox, codec } = this.#session;
    const { pingInterval, pongTimeout } = context.options;
    if (transport.ping === undefined) outbox.push(codec.ping);
    else transport.ping();
    this.#pingedAt = this.#now();
    this.#pingAt = now + pingInterval;
    if (pongTimeout > 0) this.#pongBy = now + pongTimeout;
  }

  #checkWriting(now: number): void {
    const { outbox, context } = this.#session;
    if (outbox.isStuck()) this.#session.disconnect(disconnect('slow'));
    this.#writeBy = outbox.isCongested ? now + context.options.writeTimeout : Infinity;
  }

  #expireSubscriptions(): void {
    const session = this.#session;
    const delay = session.context.options.expiredSubCloseDelay;
    this.#subscriptionsExpireAt = Infinity;
    for (const subscription of session.subscriptions.values()) {
      const at = subscription.grant.expireAt;
      if (at === undefined) continue;
      if (Date.now() < at * 1000 + delay) this.subscriptionExpires(at);
      else if (subscription.serverSide) return session.disconnect(disconnect('subscriptionExpired'));
      else {
        session.context.background(session.unsubscribe(subscription, unsubscribeReasons.subscriptionExpired));
      }
    }
  }

  #now(): number {
    return this.#session.context.deadlines.now();
  }

  #moment(unixSeconds: number): number {
    return this.#now() + unixSeconds * 1000 - Date.now();
  }
}

/** What clients are told of an end in Unix seconds: that there is one, and in how many seconds. */
export function expiry(at: number | undefined): { expires?: true; ttl?: number } {
  if (at === undefined) return {};
  const seconds = Math.ceil(at - Date.now() / 1000);
  return { expires: true, ttl: Math.min(Math.max(seconds, 0), MAX_TTL) };
}
