import type { Broker, Target } from '@gyre/broker';
import { TailBudget } from '../recovery/tail.ts';
import type { Session } from '../session/session.ts';
import { Channel } from './channel.ts';

/** Bytes that the tails of all channels hold at most. */
const TAILS = 128 * 1024 * 1024;
/** Milliseconds that a channel is kept for subscribers who come back, and how many are kept for it. */
const IDLE = 15_000;
const IDLE_CHANNELS = 20_000;
/** Milliseconds between two looks at them. */
const LOOK = 1000;

/** Who is here: connections by id and by user, channels by name. */
export class Hub {
  readonly #broker: Broker;
  readonly #channels = new Map<string, Channel>();
  /** Those of them that nobody uses, and since when; the one that was left first comes first. */
  readonly #idle = new Map<Channel, number>();
  #looking: NodeJS.Timeout | undefined;
  readonly #tails = new TailBudget(TAILS);
  /** Connected ones. */
  readonly #sessions = new Map<string, Session>();
  readonly #users = new Map<string, Set<Session>>();
  /** Every open connection, connected or not. */
  readonly #open = new Set<Session>();
  #subscriptions = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  get numClients(): number {
    return this.#sessions.size;
  }
  get numUsers(): number {
    return this.#users.size;
  }
  get numChannels(): number {
    return this.#channels.size - this.#idle.size;
  }
  get numSubscriptions(): number {
    return this.#subscriptions;
  }
  get numOpen(): number {
    return this.#open.size;
  }

  opened(session: Session): void {
    this.#open.add(session);
  }

  /** A connection got its user. */
  connected(session: Session): void {
    this.#sessions.set(session.id, session);
    const sessions = this.#users.get(session.user);
    if (sessions === undefined) this.#users.set(session.user, new Set([session]));
    else sessions.add(session);
  }

  closed(session: Session): void {
    this.#open.delete(session);
    this.disconnected(session);
  }

  /** A connection is not its user's any more, open as it may still be. */
  disconnected(session: Session): void {
    if (!this.#sessions.delete(session.id)) return;
    const sessions = this.#users.get(session.user);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#users.delete(session.user);
  }

  sessions(): Session[] {
    return [...this.#open];
  }

  connectionsOf(user: string): number {
    return this.#users.get(user)?.size ?? 0;
  }

  /** Connected connections that a command is about. A copy. */
  find(target: Target): Session[] {
    if (target.client !== undefined && target.client !== '') {
      const session = this.#sessions.get(target.client);
      return session !== undefined && session.user === target.user && fits(session, target) ? [session] : [];
    }
    return [...(this.#users.get(target.user) ?? [])].filter((session) => fits(session, target));
  }

  channel(name: string): Channel | undefined {
    return this.#channels.get(name);
  }

  /** The channel, subscribed at the broker when it is new. Give it back with {@link release}. */
  acquire(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      const ready = this.#broker.subscribe(name);
      channel = new Channel(name, ready, this.#tails);
      this.#channels.set(name, channel);
      // Whoever waits for it hears of the failure; a subscriber that comes later has to try anew.
      ready.catch(() => this.#channels.get(name) === channel && this.#channels.delete(name));
    }
    this.#idle.delete(channel);
    channel.pending++;
    return channel;
  }

  /** Gives back a channel that was acquired. The last one leaves the broker. */
  release(channel: Channel): void {
    channel.pending--;
    this.#drop(channel);
  }

  subscribed(): void {
    this.#subscriptions++;
  }

  unsubscribed(channel: Channel): void {
    this.#subscriptions--;
    this.#drop(channel);
  }

  /** Who lost the connection comes back, and finds the channel as it was: no question to the broker, no read. */
  #drop(channel: Channel): void {
    if (channel.size > 0 || channel.pending > 0 || this.#channels.get(channel.name) !== channel) return;
    if (channel.position === undefined || channel.history === undefined) {
      this.#forget(channel);
      return;
    }
    this.#idle.set(channel, performance.now());
    const [first] = this.#idle.keys();
    if (this.#idle.size > IDLE_CHANNELS && first !== undefined) this.#forget(first);
    this.#looking ??= setInterval(() => this.#look(), LOOK).unref();
  }

  #look(): void {
    const now = performance.now();
    for (const [channel, since] of this.#idle) {
      if (now - since < IDLE) return;
      this.#forget(channel);
    }
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #forget(channel: Channel): void {
    this.#idle.delete(channel);
    this.#channels.delete(channel.name);
    channel.lose();
    // A broker that cannot be told forgets us with the connection; a node that closes asks nobody.
    this.#broker.unsubscribe(channel.name).catch(() => undefined);
  }

  /** Nobody comes back. */
  close(): void {
    clearInterval(this.#looking);
    for (const channel of this.#idle.keys()) this.#forget(channel);
  }

  /** Idle ones included. */
  channels(): Iterable<Channel> {
    return this.#channels.values();
  }
}

function fits(session: Session, target: Target): boolean {
  return target.session === undefined || target.session === '' || session.sessionId === target.session;
}
