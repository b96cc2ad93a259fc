import type { Redis } from 'ioredis';
import { makeClient } from './connect.ts';
import { ErrorLog, reasonOf } from './error-log.ts';
import { Master } from './master.ts';
import { shardName } from './options.ts';
import type { Endpoint, RedisOptions, ShardAddress } from './options.ts';
import { within } from './server-shard.ts';
import { BaseShard } from './shard.ts';
import type { ShardNeeds } from './shard.ts';
import { redisKey, slotOf, tags } from './slots.ts';

type ClusterAddress = Extract<ShardAddress, { kind: 'cluster' }>;

/** Seconds between two looks at who holds what: a move is noticed sooner by what Redis answers. */
const lookSeconds = 5;

/**
 * A shard that is a Cluster. It knows only the slots of its own tags, and has plain connections to each of their
 * masters; what a slot leaves behind when it moves, its new master's connections take over.
 */
export class ClusterShard extends BaseShard {
  readonly #address: ClusterAddress;
  readonly #options: RedisOptions;
  readonly #errors: ErrorLog;
  readonly #needs: ShardNeeds;
  readonly #masters = new Map<string, Master>();
  /** Address of the master, by tag. */
  readonly #owners = new Map<string, string>();
  /** The tag of a master's beacon, by address. */
  readonly #beacons = new Map<string, string>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(index: number, address: ClusterAddress, options: RedisOptions, needs: ShardNeeds) {
    super(index, shardName(address), options.io_timeout);
    this.#address = address;
    this.#options = options;
    this.#errors = new ErrorLog(needs.log, { shard: this.name });
    this.#needs = needs;
  }

  protected override master(tag: string): Master | undefined {
    return this.#masters.get(this.#owners.get(tag) ?? '');
  }

  protected override masterAt(address: string): Master | undefined {
    return this.#masters.get(address);
  }

  protected override all(): readonly Master[] {
    return [...this.#masters.values()];
  }

  override masters(): readonly (readonly string[])[] {
    const groups = new Map<string, string[]>();
    for (const tag of tags) {
      const owner = this.#owners.get(tag) ?? '';
      const group = groups.get(owner);
      if (group === undefined) groups.set(owner, [tag]);
      else group.push(tag);
    }
    return [...groups.values()];
  }

  override async start(): Promise<void> {
    let seconds = 0;
    this.#timer ??= setInterval(() => {
      const whole = this.#masters.size > 0 && this.all().every((master) => master.link('write').isOpen);
      if (++seconds % lookSeconds === 0 || !whole) void this.lookAgain();
    }, 1000).unref();
    const opened = async (): Promise<void> => {
      await this.lookAgain();
      await Promise.all(this.all().map((master) => master.link('write').whenOpen()));
    };
    await within(this.#options.connect_timeout, opened());
  }

  override close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const master of this.#masters.values()) master.close();
    this.#masters.clear();
    this.#owners.clear();
  }

  protected override lookAgain(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Asks one node after another until one tells. */
  async #look(): Promise<void> {
    const known = [...this.#masters.keys()].map(toEndpoint);
    for (const endpoint of [...known, ...this.#address.seeds]) {
      const owners = await this.#ask(endpoint);
      if (owners === undefined) continue;
      if (!this.#closed) this.#apply(owners);
      return;
    }
  }

  /** Who holds each of our tags, as one node knows it; undefined where it does not tell, or not all: the log says why. */
  async #ask(endpoint: Endpoint): Promise<Map<string, string> | undefined> {
    const client = this.#clientOf(endpoint);
    let reason: unknown;
    // Comes first, and knows more than what a call fails with then.
    client.on('error', (error) => (reason = error));
    try {
      await client.connect();
      const owners = ownersOf(await client.cluster('SLOTS'), endpoint);
      if (owners === undefined) throw new Error('nobody holds some of the slots');
      return owners;
    } catch (error) {
      const why = new Error(`${endpoint.host}:${endpoint.port}: ${reasonOf(reason ?? error)}`);
      if (!this.#closed) this.#errors.warn('a node does not tell who is in the Redis Cluster', why);
      return undefined;
    } finally {
      client.disconnect();
    }
  }

  #clientOf(endpoint: Endpoint): Redis {
    const address = { ...this.#address, kind: 'server', endpoint } as const;
    const client = makeClient(address, this.#options, this.#options.io_timeout);
    client.options.retryStrategy = null;
    return client;
  }

  #apply(owners: ReadonlyMap<string, string>): void {
    this.#tell(new Set(owners.values()));
    for (const [tag, owner] of owners) this.#owners.set(tag, owner);
    const gone = [...this.#masters.keys()].filter((at) => owners.get(this.#beacons.get(at) ?? '') !== at);
    const left = gone.flatMap((at) => {
      const master = this.#masters.get(at);
      this.#masters.delete(at);
      const entries = master?.subscriber.take(() => false) ?? [];
      master?.close();
      return entries;
    });
    const moved = [...this.#masters].flatMap(([at, { subscriber }]) =>
      subscriber.take((tag) => owners.get(tag) === at),
    );
    for (const [tag, owner] of owners) if (!this.#masters.has(owner)) this.#open(owner, tag);
    for (const [at, { subscriber }] of this.#masters) {
      subscriber.give([...left, ...moved].filter((entry) => owners.get(entry.tag) === at));
    }
  }

  /** Says who are masters now, where they were others before, or nobody told at first. */
  #tell(owners: ReadonlySet<string>): void {
    const before = [...this.#masters.keys()];
    const came = [...owners].filter((at) => !this.#masters.has(at));
    const left = before.filter((at) => !owners.has(at));
    if (before.length === 0) {
      if (this.#errors.takeTrouble()) this.#errors.info('the Redis Cluster is there', { masters: came });
    } else if (came.length + left.length > 0) {
      this.#errors.info('the Redis Cluster has other masters', { came, left });
    }
  }

  #open(at: string, tag: string): void {
    const master = new Master({
      address: { ...this.#address, kind: 'server', endpoint: toEndpoint(at) },
      options: this.#options,
      errors: this.#errors,
      beacon: [tag, redisKey(this.#options.prefix, tag, 'b', `${this.#needs.nodeId}:${at}`)],
      gap: (channels) => this.tellGap(channels),
      moved: () => void this.#moved(master),
      stats: this.stats,
      watch: this.#needs.watch,
      isOneOfMany: true,
    });
    this.#masters.set(at, master);
    this.#beacons.set(at, tag);
    master.connect();
  }

  /** The server has dropped subscriptions and does not say here which: what is still its own is subscribed to again. */
  async #moved(master: Master): Promise<void> {
    await this.lookAgain();
    if (!this.#closed) master.subscriber.refresh();
  }
}

/**
 * Reads the answer to `CLUSTER SLOTS`: rows of first slot, last slot, and the master's host and port.
 * @param asked stands for a host that the node does not know of itself
 */
function ownersOf(answer: unknown, asked: Endpoint): Map<string, string> | undefined {
  if (!Array.isArray(answer)) return undefined;
  const rows = answer as readonly [number, number, readonly [string | null, number]][];
  const owners = new Map<string, string>();
  for (const tag of tags) {
    const slot = slotOf(tag);
    const row = rows.find(([first, last]) => first <= slot && slot <= last);
    if (row === undefined) return undefined;
    const [, , [host, port]] = row;
    owners.set(tag, `${host === null || host === '' || host === '?' ? asked.host : host}:${port}`);
  }
  return owners;
}

function toEndpoint(at: string): Endpoint {
  const colon = at.lastIndexOf(':');
  return { host: at.slice(0, colon), port: Number(at.slice(colon + 1)) };
}
