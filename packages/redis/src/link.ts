import { Command } from 'ioredis';
import type { Redis } from 'ioredis';
import { drop, hurry, keepConnected } from './connect.ts';
import type { ErrorLog } from './error-log.ts';
import { RedisError, errorCode } from './errors.ts';
import { Greeting } from './greeting.ts';
import type { ServerInfo } from './greeting.ts';
import { runId } from './types.ts';
import type { Arg, Reply } from './types.ts';

/** Commands written in one go. */
const batchSize = 128;
/** Commands without an answer; more than this is not a wait but an end of memory. */
const mostInFlight = 100_000;

/** Told how a connection fares. */
export interface LinkWatch {
  /** The first command of a batch was answered, after so many milliseconds. */
  readonly answered: (ms: number) => void;
  readonly broke: () => void;
  /** The server has said who it is, so many milliseconds after the connection broke, or the link was made. */
  readonly opened: (info: ServerInfo, downMs: number) => void;
  /** The server is no master. */
  readonly isReplica: () => void;
}

/** A command as callers write it. */
export type CommandLine = readonly [name: string, ...Arg[]];

/**
 * One connection for commands. The commands of one tick are written together, in the order of the calls.
 *
 * It is open from the moment the server has said who it is, so every command is sent to a process that is known.
 */
export class Link {
  readonly #client: Redis;
  readonly #greeting: Greeting;
  readonly #timeoutMs: number;
  readonly #watch: LinkWatch;
  #info: ServerInfo | undefined;
  /** When it broke, or was made; Infinity while it is open. */
  #downSince = performance.now();
  readonly #waiting = new Set<() => void>();
  #closed = false;
  #corked: Redis['stream'] | undefined;
  #written = 0;

  /** @param timeoutMs longest wait for a connection that is being made again */
  constructor(client: Redis, errors: ErrorLog, timeoutMs: number, watch: LinkWatch) {
    this.#client = client;
    this.#watch = watch;
    this.#greeting = new Greeting(client, errors, watch.isReplica);
    this.#timeoutMs = timeoutMs;
    client.on('error', (error) => errors.warn('no connection to Redis', error));
    client.on('ready', () => void this.#greet());
    client.on('close', () => this.#broke());
  }

  /** A command would be written now. A connection that has ended is not always closed yet. */
  get isOpen(): boolean {
    return this.#info !== undefined && this.#client.stream.writable;
  }

  /** Who answers; another object for each connection, undefined while there is none. */
  get server(): ServerInfo | undefined {
    return this.#info;
  }

  connect(): void {
    keepConnected(this.#client, () => this.#closed);
  }

  /**
   * Writes a command at the end of this tick.
   * @returns rejects with what {@link redisError} makes an error of
   */
  send(command: CommandLine): Promise<Reply> {
    const info = this.#info;
    if (info === undefined) return Promise.reject(new RedisError('none', 'no connection to Redis'));
    if (this.#client.commandQueue.length >= mostInFlight) {
      return Promise.reject(new RedisError('none', 'too many commands wait for Redis'));
    }
    const [name, ...args] = command;
    const isFirst = this.#cork();
    const sent = new Command(
      name,
      args.map((arg) => written(arg, info.runId)),
    );
    const reply = this.#client.sendCommand(sent) as Promise<Reply>;
    if (isFirst) this.#time(reply);
    return reply;
  }

  /** The others of its batch leave together with it. */
  #time(reply: Promise<Reply>): void {
    const sentAt = performance.now();
    reply.then(
      () => this.#watch.answered(performance.now() - sentAt),
      // Whoever sent it is told.
      () => undefined,
    );
  }

  /** Resolves when it is open; rejects when it has been down for too long. */
  whenOpen(): Promise<void> {
    if (this.isOpen) return Promise.resolve();
    this.#broke();
    const left = this.#downSince + this.#timeoutMs - performance.now();
    if (this.#closed || left <= 0) return Promise.reject(new RedisError('none', 'no connection to Redis'));
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (this.isOpen) resolve();
        else reject(new RedisError('none', 'no connection to Redis'));
      };
      const timer = setTimeout(settle, left);
      this.#waiting.add(settle);
    });
  }

  /** Does not wait any longer to connect again. */
  hurry(): void {
    if (this.#closed) return;
    this.#greeting.hurry();
    hurry(this.#client);
  }

  /** Breaks the connection, to make it again. */
  rebuild(): void {
    this.#broke();
    drop(this.#client);
  }

  close(): void {
    this.#closed = true;
    this.#broke();
    this.#client.disconnect();
    // What waits in a socket that nobody reads would keep it open.
    drop(this.#client);
  }

  async #greet(): Promise<void> {
    const info = await this.#greeting.greet();
    if (info === undefined || this.#closed) return;
    const downMs = performance.now() - this.#downSince;
    this.#info = info;
    this.#downSince = Infinity;
    this.#settleWaiting();
    this.#watch.opened(info, downMs);
  }

  #broke(): void {
    if (this.#info !== undefined && !this.#closed) this.#watch.broke();
    this.#info = undefined;
    if (this.#downSince === Infinity) this.#downSince = performance.now();
    if (this.#closed) this.#settleWaiting();
  }

  #settleWaiting(): void {
    for (const settle of this.#waiting) settle();
  }

  /**
   * Holds what is written until the end of the tick.
   * @returns nothing was held before
   */
  #cork(): boolean {
    if (this.#corked === undefined) {
      this.#corked = this.#client.stream;
      this.#corked.cork();
      setImmediate(() => {
        this.#corked?.uncork();
        this.#corked = undefined;
        this.#written = 0;
      });
      return true;
    }
    if (++this.#written % batchSize === 0) {
      this.#corked.uncork();
      this.#corked.cork();
    }
    return false;
  }
}

function written(arg: Arg, id: string): string | Buffer {
  if (typeof arg === 'string') return arg;
  if (typeof arg === 'number') return `${arg}`;
  if (arg === runId) return id;
  return Buffer.isBuffer(arg) ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

/** What became of a command that failed, from what the client library threw. */
export function redisError(error: unknown): RedisError {
  if (error instanceof RedisError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === 'ReplyError') {
    return new RedisError('none', message, errorCode(message));
  }
  if (message.includes("isn't writeable")) return new RedisError('none', 'no connection to Redis', '', error);
  return new RedisError('unknown', 'no answer from Redis', '', error);
}

/** Whether the library gave up waiting for the answer: the connection is stuck then. */
export function timedOut(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}
