import { RedisError } from './errors.ts';
import { redisError, timedOut } from './link.ts';
import type { CommandLine, Link } from './link.ts';
import type { Master } from './master.ts';
import { countError, newShardStats } from './stats.ts';
import type { Lane, Listener, Log, Reply, Shard, Watch } from './types.ts';

/** What Redis answers where another time or place would do. The command did not run. */
const elsewhere: readonly string[] = [
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'READONLY',
  'LOADING',
  'MASTERDOWN',
];

/** What every kind of shard needs to be told beside its place. */
export interface ShardNeeds {
  readonly log: Log;
  /** Another one for each process, for the beacons. */
  readonly nodeId: string;
  readonly watch: Watch;
}

/** What a shard does whether it has one master or several. */
export abstract class BaseShard implements Shard {
  readonly index: number;
  readonly name: string;
  readonly stats = newShardStats();
  readonly #timeoutMs: number;
  readonly #madeAt = performance.now();
  readonly #tellers = new Set<(channels: readonly string[]) => void>();

  constructor(index: number, name: string, timeoutMs: number) {
    this.index = index;
    this.name = name;
    this.#timeoutMs = timeoutMs;
  }

  /** The master that holds a tag, undefined where that is not known. */
  protected abstract master(tag: string): Master | undefined;
  /** Finds out who holds what; resolves when that is known as well as it can be. */
  protected abstract lookAgain(): Promise<void>;
  /** A master by its address, for a slot that is on its way to it. */
  protected abstract masterAt(address: string): Master | undefined;
  protected abstract all(): readonly Master[];

  abstract masters(): readonly (readonly string[])[];
  abstract start(): Promise<void>;
  abstract close(): void;

  call(tag: string, command: CommandLine, lane: Lane = 'write'): Promise<Reply> {
    this.stats.commands[lane]++;
    const link = this.master(tag)?.link(lane);
    if (!link?.isOpen) return this.#callLater(tag, command, lane);
    return link.send(command).catch((error: unknown) => this.#failed(error, link, tag, command, lane));
  }

  async replicated(tag: string): Promise<boolean> {
    return (await this.master(tag)?.replicated()) ?? false;
  }

  get publishCommand(): 'PUBLISH' | 'SPUBLISH' {
    return this.all()[0]?.publishCommand ?? 'PUBLISH';
  }

  async subscribe(tag: string, channel: string, listener: Listener): Promise<void> {
    const master = this.master(tag) ?? (await this.#findMaster(tag, this.#deadline()));
    return master.subscriber.subscribe(tag, channel, listener);
  }

  async unsubscribe(tag: string, channel: string): Promise<void> {
    await this.master(tag)?.subscriber.unsubscribe(channel);
  }

  onGap(tell: (channels: readonly string[]) => void): () => void {
    this.#tellers.add(tell);
    return () => this.#tellers.delete(tell);
  }

  protected tellGap(channels: readonly string[]): void {
    for (const tell of this.#tellers) tell(channels);
  }

  verifiedAge(tag?: string): number {
    if (tag !== undefined) return this.master(tag)?.subscriber.verifiedAge ?? Infinity;
    const ages = this.all().map((master) => master.subscriber.verifiedAge);
    return ages.length === 0 ? Infinity : Math.max(...ages);
  }

  get roundTripMs(): number | undefined {
    const times = this.all().map((master) => master.subscriber.roundTripMs);
    return times.includes(undefined) ? undefined : Math.max(...times.map(Number));
  }

  #deadline(): number {
    return performance.now() + this.#timeoutMs;
  }

  async #callLater(tag: string, command: CommandLine, lane: Lane): Promise<Reply> {
    const link = await this.#openLink(tag, lane, this.#deadline()).catch((error: unknown) => {
      throw this.#counted(error);
    });
    return link.send(command).catch((error: unknown) => this.#failed(error, link, tag, command, lane));
  }

  async #openLink(tag: string, lane: Lane, deadline: number): Promise<Link> {
    for (;;) {
      const master = this.master(tag) ?? (await this.#findMaster(tag, deadline));
      const link = master.link(lane);
      try {
        await link.whenOpen();
        return link;
      } catch (error) {
        // Another one may have taken over meanwhile.
        if (performance.now() >= deadline || this.master(tag) === master) throw error;
      }
    }
  }

  /** Once masters are known they stay so. Where nobody has told of them for the longest wait, nobody waits any more. */
  async #findMaster(tag: string, deadline: number): Promise<Master> {
    const end = Math.min(deadline, this.#madeAt + this.#timeoutMs);
    while (performance.now() < end) {
      await this.lookAgain();
      const master = this.master(tag);
      if (master !== undefined) return master;
      await pause();
    }
    throw new RedisError('none', 'no master of Redis is known');
  }

  /** Sends a command again that did not run and could run elsewhere or a moment later. */
  async #failed(raw: unknown, link: Link, tag: string, command: CommandLine, lane: Lane): Promise<Reply> {
    // Those that wait behind it would only wait in vain.
    if (timedOut(raw)) link.rebuild();
    let error = this.#counted(raw);
    if (!elsewhere.includes(error.code)) throw error;
    const deadline = this.#deadline();
    while (elsewhere.includes(error.code) && performance.now() < deadline) {
      try {
        if (error.code === 'ASK') return await this.#ask(error.message, command, lane);
        await pause();
        await this.lookAgain();
        return await (await this.#openLink(tag, lane, deadline)).send(command);
      } catch (again) {
        error = this.#counted(again);
      }
    }
    throw error;
  }

  #counted(raw: unknown): RedisError {
    const error = redisError(raw);
    countError(this.stats, error);
    return error;
  }

  /** `ASK slot host:port`: the key is on its way there. */
  async #ask(message: string, command: CommandLine, lane: Lane): Promise<Reply> {
    const link = this.masterAt(message.split(' ')[2] ?? '')?.link(lane);
    if (link === undefined) throw new RedisError('none', message, 'TRYAGAIN');
    await link.whenOpen();
    // The word counts for the next command of the connection.
    const asked = link.send(['ASKING']);
    const [, reply] = await Promise.all([asked, link.send(command)]);
    return reply;
  }
}

/** Not all at once. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 80));
}
