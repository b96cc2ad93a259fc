import { startProxy, startRedis, type OwnRedis, type Proxy } from '../../packages/redis/src/testing.ts';
import { randomFrom, type Random } from '../../packages/protocol/src/random.testing.ts';
import { gyre, teardown, until, type Gyre, type StartOptions } from '../harness/index.ts';
import { merge, type ConfigFile } from '../harness/config.ts';
import { check, checkConvergence, type Allowed, type Fact, type Finding, type Streams } from './checks.ts';
import { answers, positions, readStreams, redisSubscriptions, type Scene } from './facts.ts';
import { figures, line } from './figures.ts';
import { misled } from './memberships.ts';
import { newLedger, saveLedger, type Ledger } from './ledger.ts';
import { publish, publishOne, type Publishers } from './publishers.ts';
import { seed } from './seed.ts';
import { subscriber, type Subscriber, type Way } from './subscribers.ts';

/** A Redis of some kind: what `startRedis`, `startSentinel` and `startCluster` give. */
export interface Ground {
  readonly url: string;
  /** All of its servers; the only one is the ground itself. */
  readonly servers?: readonly OwnRedis[];
  close(): Promise<void>;
}

export interface StageOptions {
  /** Default 3. */
  readonly nodes?: number;
  /** Default: one server of our own, with `redisArgs`. It is closed with the stage. */
  readonly ground?: Ground;
  readonly redisArgs?: readonly string[];
  /** Each node reaches the Redis of our own through a proxy of its own. */
  readonly proxied?: boolean;
  /** Put over the configuration of every node. */
  readonly config?: ConfigFile;
  /** What a node, by index, is started with besides. */
  readonly node?: (index: number) => Pick<StartOptions, 'args' | 'env'>;
  /** Subscribers, each to five of the twenty channels. Default 60. */
  readonly subscribers?: number;
  /** So many of them are subscribed by the server. Default none: those lose their connections where others are just told. */
  readonly serverSide?: number;
  /** Channels besides, in which only the test publishes; each subscriber has one of them. Default none. */
  readonly quiet?: number;
  /** Publications a second. Default 100. */
  readonly rate?: number;
}

/** Something that goes wrong under load, and what may come of it. */
export interface Fault extends Allowed {
  /** As in the catalogue. */
  readonly name: string;
  /** Nodes that publications go through. Default all. */
  readonly publishOn?: readonly number[];
  /** Publications have idempotency keys. Default true. */
  readonly keyed?: boolean;
  /** Does the harm and mends it. The load goes on beside it. */
  readonly inject: () => Promise<void>;
}

/** Publications of each channel before the harm is done, and after it is mended. */
const LEAD = 4;
/** Milliseconds for everything to come to rest. For hangs only. */
const REST = 30_000;

const kept = { history_size: 100_000, history_ttl: '600s', force_recovery: true };

const ownConfig = {
  client: {
    insecure: true,
    ping_interval: '10s',
    pong_timeout: '5s',
    // Nobody is told just because it was away for long.
    recovery_max_publication_limit: 100_000,
  },
  prometheus: { enabled: true },
  channel: {
    without_namespace: kept,
    namespaces: [{ name: 'room', ...kept, presence: true, join_leave: true, force_push_join_leave: true }],
  },
};

/**
 * Nodes over one Redis, subscribers that come back to another node when they lose theirs, and publishers that try again
 * until they know: all that a fault is done to. Everything ends with the test.
 */
export class Stage implements Scene {
  readonly random: Random = randomFrom(seed);
  readonly ledger: Ledger = newLedger();
  readonly rooms = Array.from({ length: 5 }, (_, n) => `room:${n}`);
  /** Those that the load publishes in. */
  readonly busy = [...Array.from({ length: 15 }, (_, n) => `news${n}`), ...this.rooms];
  readonly quiet: readonly string[];
  readonly channels: readonly string[];
  readonly subscribers: Subscriber[] = [];
  readonly proxies: readonly Proxy[];
  ownSubscriptions = 0;
  readonly #nodes: Gyre[] = [];
  readonly #options: StageOptions;
  readonly #servers: readonly OwnRedis[];
  readonly #addresses: readonly string[];
  readonly #figures: Record<string, string | number> = {};
  #load: Publishers | undefined;
  /** As they were in the end. */
  #streams: Streams = new Map();

  constructor(
    options: StageOptions,
    servers: readonly OwnRedis[],
    addresses: readonly string[],
    proxies: readonly Proxy[],
  ) {
    this.#options = options;
    this.quiet = Array.from({ length: options.quiet ?? 0 }, (_, n) => `quiet${n}`);
    this.channels = [...this.busy, ...this.quiet];
    this.#servers = servers;
    this.#addresses = addresses;
    this.proxies = proxies;
  }

  get nodes(): readonly Gyre[] {
    return this.#nodes;
  }

  /** The Redis, or the first server of it. */
  get redis(): OwnRedis {
    return this.#servers[0]!;
  }

  /** Says what something took, in milliseconds, or another number, on the line of this run. */
  figure(name: string, value: number): void {
    this.#figures[name] = Math.round(value);
  }

  /** Starts a node, again where it ran before, on its old port. */
  async startNode(index: number): Promise<void> {
    const { config = {}, node } = this.#options;
    const address = this.#addresses[index % this.#addresses.length]!;
    const port = this.#nodes[index]?.port;
    this.#nodes[index] = await gyre.start({
      config: merge(
        {
          ...ownConfig,
          node: { name: `node-${index}` },
          engine: { type: 'redis', redis: { address, prefix: 'faults' } },
        },
        config,
      ),
      ...node?.(index),
      ...(port === undefined ? {} : { port }),
    });
  }

  /**
   * Subscribers to random channels, spread over the nodes. Resolves when all are there.
   * @param ways to each of the nodes
   */
  async subscribe(count: number, ways: () => readonly Way[] = () => this.nodes): Promise<void> {
    for (let n = 0; n < count; n++) {
      const channels = new Set<string>();
      while (channels.size < 5) channels.add(this.random.pick(this.busy));
      if (this.quiet.length > 0) channels.add(this.quiet[n % this.quiet.length]!);
      this.subscribers.push(
        subscriber(this.ledger, {
          name: `s${this.subscribers.length}`,
          channels: [...channels],
          ways,
          home: n % this.nodes.length,
          serverSide: this.subscribers.length < (this.#options.serverSide ?? 0),
          random: this.random,
        }),
      );
    }
    await until(() => this.subscribers.every((one) => one.settled()), { deadline: 30_000 });
  }

  /** Of the servers that answer. */
  async redisSubscriptions(): Promise<number> {
    const alive = this.#servers.filter(({ admin }) => admin.status === 'ready');
    const lists = await Promise.all(
      alive.map(async ({ admin }) => String(await admin.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))),
    );
    const counts = lists.flatMap((list) =>
      [...list.matchAll(/ s?sub=(\d+)/g)].map(([, count]) => Number(count)),
    );
    return counts.reduce((all, count) => all + count, 0);
  }

  /** Publishes one publication, as the load does. Resolves when all who are subscribed have it. */
  async say(channel: string): Promise<void> {
    const { outcome } = await publishOne(
      this.ledger,
      channel,
      { nodes: () => this.nodes },
      this.random.int(3),
    );
    if (outcome.kind !== 'ok') throw new Error(`not published in ${channel}`);
    const concerned = this.subscribers.filter((one) => one.id() !== '' && one.channels.includes(channel));
    await until(() => concerned.every((one) => one.offset(channel) >= outcome.offset), {
      deadline: 4 * REST,
      message: `${outcome.offset} of ${channel} with everybody`,
    });
  }

  /** Does a fault under load, lets everything come to rest, and holds the ledger against the promises. */
  async run(fault: Fault): Promise<void> {
    const load = this.#publish(fault);
    this.#load = load;
    try {
      await this.goOn();
      const began = performance.now();
      await fault.inject();
      const mended = performance.now();
      await this.goOn();
      await load.stop();
      const rest = await this.#rest(positions, answers);
      this.figure('injected', mended - began);
      this.figure('settled', performance.now() - mended);
      await this.#judge(fault, rest, began);
    } catch (error) {
      load.abandon();
      const file = saveLedger(fault.name, this.ledger, {
        seed,
        streams: Object.fromEntries(this.#streams),
      });
      throw new Error(`${fault.name} failed: FAULT_SEED=${seed}, ledger ${file}`, { cause: error });
    }
  }

  /** Waits until the load has gone on for so many publications in every channel. */
  async goOn(publications = LEAD): Promise<void> {
    const load = this.#load;
    if (load === undefined) return;
    const before = load.done();
    await until(() => load.done() >= before + publications, {
      deadline: 4 * REST,
      message: 'publications that go on',
    });
  }

  #publish({ publishOn, keyed = true }: Fault): Publishers {
    const nodes = () => (publishOn ?? [...this.nodes.keys()]).map((index) => this.nodes[index]!);
    return publish(this.ledger, { channels: this.busy, rate: this.#options.rate ?? 100, nodes, keyed });
  }

  /** Whatever subscribers were told of others coming and going is so in the end. */
  async informed(): Promise<void> {
    await until(() => misled(this, this.ledger).length === 0, {
      deadline: REST,
      message: () =>
        `nobody misled, FAULT_SEED=${seed}: ${misled(this, this.ledger).slice(0, 10).join(', ')}`,
    });
  }

  /**
   * Everybody goes, and nothing is left of them: on no node, and not at the Redis. Takes as long as nodes hold on to
   * channels that nobody is in.
   */
  async farewell(): Promise<void> {
    for (const { client } of this.subscribers) client.disconnect();
    this.subscribers.length = 0;
    const findings = await this.#rest(answers, redisSubscriptions);
    if (findings.length > 0) throw new Error(findings.map(({ text }) => text).join('\n'));
  }

  /** Waits until everything is as it should be, or long enough. @returns what is not */
  async #rest(...looks: ((scene: Scene) => Promise<Fact[]>)[]): Promise<readonly Finding[]> {
    const end = performance.now() + REST;
    for (const look of looks) {
      let findings: readonly Finding[] = [];
      await until(
        async () => {
          findings = checkConvergence(await told(() => look(this)));
          return findings.length === 0 || performance.now() > end;
        },
        { deadline: REST * 2 },
      );
      if (findings.length > 0) return findings;
    }
    return [];
  }

  async #judge(fault: Fault, rest: readonly Finding[], began: number): Promise<void> {
    this.#streams = await readStreams(this);
    const { counts, findings } = check(this.ledger, this.#streams, fault);
    const all = [...findings, ...rest];
    console.log(line(fault.name, counts, { ...figures(this.ledger, began), ...this.#figures }));
    if (all.length === 0) return;
    const shown = all.slice(0, 10).map((finding) => `${finding.check}: ${finding.text}`);
    const logs = this.nodes.map((node, n) => `node ${n}:\n${node.logs().slice(-2000)}`);
    throw new Error([`${all.length} findings`, ...shown, ...logs].join('\n'));
  }
}

/** Starts nodes and subscribers over a Redis. */
export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const { nodes = 3, subscribers = 60, proxied = false } = options;
  const own = options.ground === undefined ? await startRedis(options.redisArgs) : undefined;
  const ground: Ground | undefined = own ?? options.ground;
  if (ground === undefined) throw new Error('no Redis');
  teardown(() => ground.close());
  const servers = own === undefined ? (options.ground?.servers ?? []) : [own];
  const proxies: Proxy[] = [];
  for (let n = 0; proxied && n < nodes; n++) {
    const proxy = await startProxy(servers[0]!.port);
    teardown(() => proxy.close());
    proxies.push(proxy);
  }
  const addresses = proxied ? proxies.map(({ url }) => url) : [ground.url];
  const stage = new Stage(options, servers, addresses, proxies);
  await Promise.all(Array.from({ length: nodes }, (_, n) => stage.startNode(n)));
  stage.ownSubscriptions = await stage.redisSubscriptions();
  await stage.subscribe(subscribers);
  return stage;
}

/** A node that cannot be asked is one thing more that is not as it should be. */
async function told(look: () => Promise<Fact[]>): Promise<Fact[]> {
  try {
    return await look();
  } catch (error) {
    return [{ what: 'a question', is: String(error), should: 'answered' }];
  }
}
