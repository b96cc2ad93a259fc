import type { Redis } from 'ioredis';
import { makeClient } from './connect.ts';
import type { ServerInfo } from './connect.ts';
import type { ErrorLog } from './error-log.ts';
import { Link } from './link.ts';
import type { RedisOptions, ShardAddress } from './options.ts';
import { Subscriber } from './subscriber.ts';
import type { Lane } from './types.ts';

const lanes: readonly Lane[] = ['write', 'read', 'control'];

export interface MasterOptions {
  readonly address: Exclude<ShardAddress, { kind: 'cluster' }>;
  readonly options: RedisOptions;
  readonly errors: ErrorLog;
  /** A channel that nobody else has, and its tag, which this master holds. */
  readonly beacon: readonly [tag: string, channel: string];
  readonly gap: (channels: readonly string[]) => void;
  readonly moved: () => void;
}

/** All connections to one master: one for each lane, and one for pub/sub. */
export class Master {
  readonly #links: Readonly<Record<Lane, Link>>;
  readonly subscriber: Subscriber;
  readonly #errors: ErrorLog;
  /** Of the last answer, so that it is known while there is no connection. */
  #info: ServerInfo | undefined;

  constructor({ address, options, errors, beacon, gap, moved }: MasterOptions) {
    const { io_timeout: timeoutMs } = options;
    this.#errors = errors;
    const client = (ms: number): Redis => makeClient(address, options, ms);
    const opened = (info: ServerInfo): void => this.#opened(info);
    this.#links = {
      // Half of it, so that a publication of which nothing was heard can be tried again within all of it.
      write: new Link(client(timeoutMs / 2), errors, timeoutMs, opened),
      read: new Link(client(timeoutMs), errors, timeoutMs, opened),
      control: new Link(client(timeoutMs / 2), errors, timeoutMs, opened),
    };
    this.subscriber = new Subscriber({
      client: client(timeoutMs),
      errors,
      timeoutMs,
      beacon,
      ping: (message) => this.link('write').send([this.publishCommand, beacon[1], message]),
      gap,
      opened,
      moved,
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

  /** Makes all connections again: the address may lead elsewhere now. */
  rebuild(): void {
    for (const lane of lanes) this.#links[lane].rebuild();
    this.subscriber.rebuild();
  }

  /** Does not wait any longer to connect again. */
  hurry(): void {
    for (const lane of lanes) this.#links[lane].hurry();
    this.subscriber.hurry();
  }

  close(): void {
    for (const lane of lanes) this.#links[lane].close();
    this.subscriber.close();
  }

  #opened(info: ServerInfo): void {
    this.#info = info;
    this.hurry();
    if (info.runId !== '') return;
    const reason = new Error('that it came back with an older copy would not be noticed');
    this.#errors.warn('Redis hides its run_id', reason);
  }
}
