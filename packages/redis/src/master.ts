import type { Redis } from 'ioredis';
import { makeClient } from './connect.ts';
import type { ErrorLog } from './error-log.ts';
import type { ServerInfo } from './greeting.ts';
import { Link } from './link.ts';
import type { RedisOptions, ShardAddress } from './options.ts';
import { Replication } from './replication.ts';
import { redisKey } from './slots.ts';
import { Subscriber } from './subscriber.ts';
import type { Lane, ShardStats, Watch } from './types.ts';

const lanes: readonly Lane[] = ['write', 'read', 'control'];

/** Milliseconds without a connection that are worth a line in the log though nothing else was said. */
const longMs = 1000;

export interface MasterOptions {
  readonly address: Exclude<ShardAddress, { kind: 'cluster' }>;
  readonly options: RedisOptions;
  readonly errors: ErrorLog;
  /** A channel that nobody else has, and its tag, which this master holds. */
  readonly beacon: readonly [tag: string, channel: string];
  readonly gap: (channels: readonly string[]) => void;
  readonly moved: () => void;
  readonly stats: ShardStats;
  readonly watch: Watch;
  /** Of several, of which others tell when they come and go. */
  readonly isOneOfMany: boolean;
}

/** All connections to one master: one for each lane, one for pub/sub, and one for whoever asks about replicas. */
export class Master {
  readonly #links: Readonly<Record<Lane, Link>>;
  readonly subscriber: Subscriber;
  readonly #errors: ErrorLog;
  readonly #isOneOfMany: boolean;
  readonly #makeLink: () => Link;
  readonly #mark: string;
  #waiting: Link | undefined;
  #replication: Replication | undefined;
  /** Of the last answer, so that it is known while there is no connection. */
  #info: ServerInfo | undefined;
  /** Which one was last looked at by `#tell`, and when. */
  #told: ServerInfo | undefined;
  #toldAt = -Infinity;

  constructor({ address, options, errors, beacon, gap, moved, stats, watch, isOneOfMany }: MasterOptions) {
    const { io_timeout: timeoutMs } = options;
    this.#errors = errors;
    this.#isOneOfMany = isOneOfMany;
    const client = (ms: number): Redis => makeClient(address, options, ms);
    const isReplica = (): void => this.#leave();
    const link = (lane: Lane, commandTimeoutMs: number): Link =>
      new Link(client(commandTimeoutMs), errors, timeoutMs, {
        answered: (ms) => watch.answered?.(lane, ms),
        broke: () => stats.breaks[lane]++,
        opened: (info, downMs) => {
          this.#tell(info, downMs);
          this.#opened(info);
        },
        isReplica,
      });
    const unwatched = { answered: () => {}, broke: () => {}, opened: () => {}, isReplica };
    this.#makeLink = () => new Link(client(timeoutMs), errors, timeoutMs, unwatched);
    this.#mark = redisKey(options.prefix, beacon[0], 'w', '');
    this.#links = {
      // Half of it, so that a publication of which nothing was heard can be tried again within all of it.
      write: link('write', timeoutMs / 2),
      read: link('read', timeoutMs),
      control: link('control', timeoutMs / 2),
    };
    this.subscriber = new Subscriber({
      client: client(timeoutMs),
      errors,
      timeoutMs,
      beacon,
      ping: (message) => this.link('write').send([this.publishCommand, beacon[1], message]),
      gap,
      opened: (info) => this.#opened(info),
      isReplica,
      moved,
      stats,
      seen: (ms) => watch.beaconSeen?.(ms),
    });
  }

  link(lane: Lane): Link {
    return this.#links[lane];
  }

  get publishCommand(): 'PUBLISH' | 'SPUBLISH' {
    return this.#info?.shardedPubSub === true ? 'SPUBLISH' : 'PUBLISH';
  }

  connect(): void {
    for (const lane of lanes) this.#links[lane].connect();
    this.subscriber.connect();
  }

  /** See `Shard.replicated`. */
  async replicated(): Promise<boolean> {
    // Whoever just got an answer got it from there.
    const { server } = this.link('write');
    if (this.#replication === undefined) {
      this.#waiting = this.#makeLink();
      this.#waiting.connect();
      this.#replication = new Replication(this.#waiting, this.#mark);
    }
    return server !== undefined && this.#replication.confirmed(server.runId);
  }

  /** Makes all connections again: the address may lead elsewhere now. */
  rebuild(): void {
    for (const lane of lanes) this.#links[lane].rebuild();
    this.#waiting?.rebuild();
    this.subscriber.rebuild();
  }

  /** Does not wait any longer to connect again. */
  hurry(): void {
    for (const lane of lanes) this.#links[lane].hurry();
    this.subscriber.hurry();
  }

  close(): void {
    for (const lane of lanes) this.#links[lane].close();
    this.#waiting?.close();
    this.subscriber.close();
  }

  /** The server is a master no more, which the other connections need not have noticed: it still takes publications. */
  #leave(): void {
    for (const lane of lanes) if (this.#links[lane].isOpen) this.#links[lane].rebuild();
    if (this.subscriber.isOpen) this.subscriber.rebuild();
  }

  /** Says that a Redis which was away is there again, or that it is another one. */
  #tell(info: ServerInfo, downMs: number): void {
    const now = performance.now();
    // One line is enough for all connections that broke together.
    if (now - downMs < this.#toldAt) return;
    const before = this.#told;
    this.#told = info;
    this.#toldAt = now;
    const hadTrouble = this.#errors.takeTrouble();
    const fields = { server: info.address, awayMs: Math.round(downMs) };
    if (before === undefined) {
      if (hadTrouble && !this.#isOneOfMany) this.#errors.info('Redis is there', fields);
    } else if (before.address !== info.address) {
      this.#errors.info('Redis has another master', { ...fields, before: before.address });
    } else if (hadTrouble || downMs > longMs) {
      this.#errors.info('Redis is back', { ...fields, newProcess: before.runId !== info.runId });
    }
  }

  #opened(info: ServerInfo): void {
    this.#info = info;
    this.hurry();
    if (info.runId !== '') return;
    const reason = new Error('that it came back with an older copy would not be noticed');
    this.#errors.warn('Redis hides its run_id', reason);
  }
}
