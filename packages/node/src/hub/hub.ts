import type { Broker, Target } from '@gyre/broker';
import type { Session } from '../session/session.ts';
import { Channel } from './channel.ts';
import { count, type NodeStats } from '../options.ts';

/** Who is here: connections by id and by user, channels by name. */
export class Hub {
  readonly #broker: Broker;
  readonly #channels = new Map<string, Channel>();
  /** Connected ones. */
  readonly #sessions = new Map<string, Session>();
  readonly #users = new Map<string, Set<Session>>();
  /** Every open connection, connected or not. */
  readonly #open = new Set<Session>();
  #subscriptions = 0;
  readonly #stats: NodeStats;

  constructor(broker: Broker, stats: NodeStats) {
    this.#broker = broker;
    this.#stats = stats;
  }

  get numClients(): number {
    return this.#sessions.size;
  }
  get numUsers(): number {
    return this.#users.size;
  }
  get numChannels(): number {
    return this.#channels.size;
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
    count(this.#stats.connections.begun, session.transportName);
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
    count(this.#stats.connections.ended, session.transportName);
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
      channel = new Channel(name, ready);
      this.#channels.set(name, channel);
      // Whoever waits for it hears of the failure; a subscriber that comes later has to try anew.
      ready.catch(() => this.#channels.get(name) === channel && this.#channels.delete(name));
    }
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
    this.#stats.subscriptions.begun++;
  }

  unsubscribed(channel: Channel): void {
    this.#subscriptions--;
    this.#stats.subscriptions.ended++;
    this.#drop(channel);
  }

  #drop(channel: Channel): void {
    if (channel.size > 0 || channel.pending > 0 || this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    // A broker that cannot be told forgets us with the connection; a node that closes asks nobody.
    this.#broker.unsubscribe(channel.name).catch(() => undefined);
  }

  channels(): Iterable<Channel> {
    return this.#channels.values();
  }
}

function fits(session: Session, target: Target): boolean {
  return target.session === undefined || target.session === '' || session.sessionId === target.session;
}
