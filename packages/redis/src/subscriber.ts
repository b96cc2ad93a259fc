import type { Redis } from 'ioredis';
import { drop, hurry, keepConnected } from './connect.ts';
import type { ErrorLog } from './error-log.ts';
import { RedisError } from './errors.ts';
import { Greeting } from './greeting.ts';
import type { ServerInfo } from './greeting.ts';
import { redisError } from './link.ts';
import type { Listener, ShardStats } from './types.ts';

/** Channels in one command. */
const batchSize = 512;
const beaconMs = 1000;
/** Beacons that Redis took and that did not come back. */
const missedBeacons = 3;

/** A subscription, whatever the connection does. */
export interface Entry {
  readonly tag: string;
  readonly channel: string;
  listener: Listener;
  /** false: it is to end. Until that is confirmed what comes is still delivered. */
  wanted: boolean;
  /** The connection has been told, and perhaps has not confirmed it yet. */
  sent: boolean;
  confirmed: boolean;
  /** It was confirmed once and broke: something may be missing. */
  broken: boolean;
  /** Called when the state that is wanted has been confirmed, or will not be. */
  waiting: ((confirmed: boolean) => void)[] | undefined;
}

export interface SubscriberOptions {
  readonly client: Redis;
  readonly errors: ErrorLog;
  /** Longest wait of a subscription for its confirmation. */
  readonly timeoutMs: number;
  /** Own channel of this connection, and its tag. */
  readonly beacon: readonly [tag: string, channel: string];
  /** Publishes to the beacon on another connection. */
  readonly ping: (message: string) => Promise<unknown>;
  /** See `Shard.onGap`. */
  readonly gap: (channels: readonly string[]) => void;
  /** Called each time the server has said who it is. */
  readonly opened: (info: ServerInfo) => void;
  /** The server is no master. */
  readonly isReplica: () => void;
  /** Redis says that slots have gone elsewhere. */
  readonly moved: () => void;
  readonly stats: ShardStats;
  /** A beacon came back after so many milliseconds. */
  readonly seen: (ms: number) => void;
}

/**
 * One connection for pub/sub. It keeps what is subscribed to and makes it so: in batches, again after each break, and it
 * tells of what was broken as it is confirmed. A connection that looks sound and delivers nothing is found by a beacon:
 * a message to itself each second.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #greeting: Greeting;
  readonly #entries = new Map<string, Entry>();
  /** What the connection is still to be told, by tag where one command is about one slot only. */
  readonly #dirty = new Map<string, Set<Entry>>();
  #info: ServerInfo | undefined;
  #pumping = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the connection broke, or was made; Infinity while it is there. */
  #downSince = performance.now();
  readonly #beacon: Entry;
  #verifiedAt = -Infinity;
  /** Beacons that Redis took since the last one that came back. */
  #unseen = 0;
  /** Milliseconds of the last answer to a ping. */
  roundTripMs: number | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    const { client, errors } = options;
    this.#greeting = new Greeting(client, errors, options.isReplica);
    const [tag, channel] = options.beacon;
    this.#beacon = makeEntry(tag, channel, (message) => this.#seen(message));
    this.#entries.set(channel, this.#beacon);
    client.on('error', (error) => errors.warn('no pub/sub connection to Redis', error));
    client.on('ready', () => void this.#greet());
    client.on('close', () => this.#broke());
    client.on('messageBuffer', (channel: Buffer, message: Buffer) => this.#deliver(channel, message));
    client.on('smessageBuffer', (channel: Buffer, message: Buffer) => this.#deliver(channel, message));
    client.on('moved', options.moved);
  }

  /** See `Shard.verifiedAge`. */
  get verifiedAge(): number {
    return performance.now() - this.#verifiedAt;
  }

  connect(): void {
    keepConnected(this.#options.client, () => this.#closed);
    this.#timer = setInterval(() => void this.#ping(), beaconMs).unref();
  }

  subscribe(tag: string, channel: string, listener: Listener): Promise<void> {
    let entry = this.#entries.get(channel);
    if (entry === undefined) {
      if (performance.now() - this.#downSince > this.#options.timeoutMs)
        return Promise.reject(noConnection());
      entry = makeEntry(tag, channel, listener);
      this.#entries.set(channel, entry);
    }
    entry.listener = listener;
    entry.wanted = true;
    return this.#settled(entry);
  }

  unsubscribe(channel: string): Promise<void> {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return Promise.resolve();
    entry.wanted = false;
    entry.broken = false;
    return this.#settled(entry);
  }

  /** Takes out the subscriptions of other masters' tags; the server has forgotten them already. */
  take(stays: (tag: string) => boolean): Entry[] {
    const taken = [...this.#entries.values()].filter((entry) => entry !== this.#beacon && !stays(entry.tag));
    for (const entry of taken) {
      this.#entries.delete(entry.channel);
      this.#forget(entry);
    }
    return taken;
  }

  /** Goes on with what another connection had. */
  give(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (entry.wanted) this.#entries.set(entry.channel, entry);
      else settle(entry, true);
    }
    this.#forget(this.#beacon);
    this.#markAll();
  }

  /** Subscribes again to everything, and tells of it: the server may have forgotten some. */
  refresh(): void {
    this.#forgetAll();
    this.#markAll();
  }

  /** Does not wait any longer to connect again. */
  hurry(): void {
    if (this.#closed) return;
    this.#greeting.hurry();
    hurry(this.#options.client);
  }

  /** The server has said who it is, and the connection is not known to be broken. */
  get isOpen(): boolean {
    return this.#info !== undefined;
  }

  /** Breaks the connection, to make it again. */
  rebuild(): void {
    drop(this.#options.client);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#info = undefined;
    this.#options.client.disconnect();
    drop(this.#options.client);
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#dirty.clear();
    for (const entry of entries) settle(entry, false);
  }

  async #greet(): Promise<void> {
    const info = await this.#greeting.greet();
    if (info === undefined || this.#closed) return;
    this.#info = info;
    this.#downSince = Infinity;
    this.#unseen = 0;
    this.#markAll();
    this.#options.opened(info);
  }

  #broke(): void {
    if (this.#info !== undefined && !this.#closed) this.#options.stats.breaks.pubsub++;
    this.#info = undefined;
    // Nothing is sent until it is there again.
    this.roundTripMs = undefined;
    if (this.#downSince === Infinity) this.#downSince = performance.now();
    this.#dirty.clear();
    this.#forgetAll();
  }

  #forgetAll(): void {
    for (const entry of this.#entries.values()) {
      this.#forget(entry);
      if (!entry.wanted) this.#end(entry);
    }
  }

  /** The connection knows nothing of it any more. */
  #forget(entry: Entry): void {
    entry.broken ||= entry.confirmed && entry.wanted;
    entry.sent = false;
    entry.confirmed = false;
    if (entry === this.#beacon) this.#verifiedAt = -Infinity;
  }

  #end(entry: Entry): void {
    if (this.#entries.get(entry.channel) === entry) this.#entries.delete(entry.channel);
    settle(entry, true);
  }

  /** Makes it so, and resolves when it is. */
  #settled(entry: Entry): Promise<void> {
    if (this.#closed) return Promise.reject(noConnection());
    this.#mark(entry);
    if (isSettled(entry)) {
      if (!entry.wanted) this.#end(entry);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const done = (confirmed: boolean): void => {
        clearTimeout(timer);
        if (confirmed) resolve();
        else reject(noConnection());
      };
      const timer = setTimeout(() => {
        entry.waiting = entry.waiting?.filter((other) => other !== done);
        // Whoever asked is told that it failed, so it must not come true later.
        if (entry.wanted && !entry.confirmed && !entry.broken) {
          entry.wanted = false;
          this.#mark(entry);
          if (!entry.sent) this.#end(entry);
        }
        reject(new RedisError('none', 'Redis does not confirm a subscription'));
      }, this.#options.timeoutMs);
      (entry.waiting ??= []).push(done);
    });
  }

  /** The beacon is last: it vouches for the others. */
  #markAll(): void {
    for (const entry of this.#entries.values()) if (entry !== this.#beacon) this.#mark(entry);
    this.#mark(this.#beacon);
  }

  #mark(entry: Entry): void {
    if (this.#info === undefined || entry.wanted === entry.sent) return;
    const group = this.#info.shardedPubSub && entry !== this.#beacon ? entry.tag : '';
    const set = this.#dirty.get(group);
    if (set === undefined) this.#dirty.set(group, new Set([entry]));
    else set.add(entry);
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => void this.#pump());
  }

  /** Tells the connection what it is to be told, one batch after another. */
  async #pump(): Promise<void> {
    const { client, errors, moved } = this.#options;
    try {
      while (this.#info !== undefined) {
        const { stream } = client;
        const batch = this.#nextBatch();
        if (batch.length === 0) break;
        try {
          await this.#tell(batch);
        } catch (error) {
          // A connection that broke meanwhile has begun anew by itself.
          if (stream !== client.stream || this.#info === undefined) continue;
          errors.warn('Redis does not take a subscription', error);
          if (redisError(error).code === 'MOVED') moved();
          this.#broke();
          stream.destroy();
        }
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Entries of one tag (of any without sharded pub/sub) that are all to begin, or all to end. */
  #nextBatch(): Entry[] {
    for (const [group, set] of this.#dirty) {
      const batch: Entry[] = [];
      let begin: boolean | undefined;
      for (const entry of set) {
        const { wanted } = entry;
        if (wanted !== entry.sent && this.#entries.get(entry.channel) === entry) {
          begin ??= wanted;
          if (wanted !== begin) continue;
          batch.push(entry);
        }
        set.delete(entry);
        if (batch.length === batchSize) break;
      }
      if (set.size === 0) this.#dirty.delete(group);
      if (batch.length > 0) return batch;
    }
    return [];
  }

  async #tell(batch: readonly Entry[]): Promise<void> {
    const { client, gap } = this.#options;
    const sharded = this.#info?.shardedPubSub === true;
    const begin = batch[0]?.wanted === true;
    const channels = batch.map((entry) => entry.channel);
    for (const entry of batch) entry.sent = begin;
    const { stream } = client;
    if (begin) await (sharded ? client.ssubscribe(...channels) : client.subscribe(...channels));
    else await (sharded ? client.sunsubscribe(...channels) : client.unsubscribe(...channels));
    if (stream !== client.stream || this.#info === undefined) return;
    const broken: string[] = [];
    for (const entry of batch) {
      if (entry.sent !== begin || this.#entries.get(entry.channel) !== entry) continue;
      entry.confirmed = begin;
      if (entry.broken && begin && entry !== this.#beacon) broken.push(entry.channel);
      if (begin) entry.broken = false;
      this.#mark(entry);
      if (!isSettled(entry)) continue;
      if (!entry.wanted) this.#end(entry);
      else settle(entry, true);
    }
    if (broken.length > 0) gap(broken);
    if (begin && this.#beacon.confirmed && this.#verifiedAt === -Infinity) void this.#ping();
  }

  #deliver(channel: Buffer, message: Buffer): void {
    const name = channel.toString();
    this.#entries.get(name)?.listener(message, name);
  }

  async #ping(): Promise<void> {
    if (!this.#beacon.confirmed) return;
    if (this.#unseen >= missedBeacons) {
      this.#options.errors.warn('a pub/sub connection to Redis delivers nothing', new Error('beacon missed'));
      this.#unseen = 0;
      this.#options.stats.deaf++;
      return this.rebuild();
    }
    const sentAt = performance.now();
    try {
      await this.#options.ping(`${sentAt}`);
      // It may have come before the answer.
      if (sentAt > this.#verifiedAt) this.#unseen++;
      this.roundTripMs = performance.now() - sentAt;
    } catch {
      // The other connection's trouble, which it tells of.
      this.roundTripMs = undefined;
    }
  }

  #seen(message: Buffer): void {
    if (!this.#beacon.confirmed) return;
    this.#verifiedAt = Number(message.toString());
    this.#options.seen(this.verifiedAge);
    this.#unseen = 0;
  }
}

function makeEntry(tag: string, channel: string, listener: Listener): Entry {
  return {
    tag,
    channel,
    listener,
    wanted: true,
    sent: false,
    confirmed: false,
    broken: false,
    waiting: undefined,
  };
}

/** What is wanted has been confirmed. */
function isSettled({ wanted, sent, confirmed }: Entry): boolean {
  return wanted ? sent && confirmed : !sent && !confirmed;
}

function settle(entry: Entry, confirmed: boolean): void {
  const { waiting = [] } = entry;
  entry.waiting = undefined;
  for (const done of waiting) done(confirmed);
}

const noConnection = (): RedisError => new RedisError('none', 'no connection to Redis');
