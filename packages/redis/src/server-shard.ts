import { ErrorLog } from './error-log.ts';
import { Master } from './master.ts';
import { shardName } from './options.ts';
import type { RedisOptions, ShardAddress } from './options.ts';
import { SentinelWatch } from './sentinel-watch.ts';
import { BaseShard } from './shard.ts';
import type { ShardNeeds } from './shard.ts';
import { redisKey, tags } from './slots.ts';

/** A shard with one master: a server, or whatever server Sentinels name. */
export class ServerShard extends BaseShard {
  readonly #master: Master;
  readonly #watch: SentinelWatch | undefined;
  readonly #connectTimeoutMs: number;

  constructor(
    index: number,
    address: Exclude<ShardAddress, { kind: 'cluster' }>,
    options: RedisOptions,
    { log, nodeId, watch }: ShardNeeds,
  ) {
    super(index, shardName(address), options.io_timeout);
    const errors = new ErrorLog(log, { shard: this.name, ...(address.db === 0 ? {} : { db: address.db }) });
    const [tag = ''] = tags;
    this.#connectTimeoutMs = options.connect_timeout;
    this.#master = new Master({
      address,
      options,
      errors,
      beacon: [tag, redisKey(options.prefix, tag, 'b', nodeId)],
      gap: (channels) => this.tellGap(channels),
      moved: () => {},
      stats: this.stats,
      watch,
      isOneOfMany: false,
    });
    if (address.kind !== 'sentinel') return;
    this.#watch = new SentinelWatch(address, options, () => {
      this.#master.rebuild();
      this.#master.hurry();
    });
  }

  protected override master(): Master {
    return this.#master;
  }

  protected override masterAt(): undefined {
    return undefined;
  }

  protected override async lookAgain(): Promise<void> {}

  protected override all(): readonly Master[] {
    return [this.#master];
  }

  override masters(): readonly (readonly string[])[] {
    return [tags];
  }

  override async start(): Promise<void> {
    this.#master.connect();
    this.#watch?.start();
    await within(this.#connectTimeoutMs, this.#master.link('write').whenOpen());
  }

  override close(): void {
    this.#watch?.close();
    this.#master.close();
  }
}

/** Resolves when `work` is settled or the time is over. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([over, work.catch(() => {})]);
  clearTimeout(timer);
}
