/** A control bus for many nodes, on Redis. */
import { clientError } from '@gyre/protocol';
import { RedisError } from '@gyre/redis';
import type { Lease } from '@gyre/redis';
import { nanoid } from 'nanoid';
import type { ControlBus, ControlHandler } from '../control.ts';
import { CommandReader } from './command-reader.ts';
import { CommandSender } from './command-sender.ts';
import { controlKeys } from './keys.ts';
import type { ControlKeys } from './keys.ts';
import { Surveyor } from './surveyor.ts';
import { decodeMessage, encodeMessage } from './wire.ts';
import type { Message } from './wire.ts';

export interface RedisControlBusOptions {
  /** Start of every key and bus channel. */
  readonly prefix: string;
  /** Of the first Redis: commands and nodes live there. Started before the bus, and closed after it. */
  readonly lease: Lease;
  /** What this node is called where it does not answer. */
  readonly name: string;
  /** Told what the handler threw, and what Redis refused where nobody waits for it. */
  readonly onError: (error: unknown) => void;
}

/** Counters that only rise. Whoever serves metrics reads them. */
export interface RedisControlStats {
  /** Nodes that did not say in time that they had applied a command, for each command. */
  unacknowledged: number;
}

export interface RedisControlBus extends ControlBus {
  readonly stats: Readonly<RedisControlStats>;
}

/**
 * Commands lie in a stream that every node reads in order, so nothing is lost while a connection is broken; pub/sub only
 * wakes the readers, who look each period of the lease anyway. `send` waits for the nodes that renewed their lease within
 * the last two periods; others read the stream before they renew it.
 *
 * `start` resolves also where Redis does not answer; the bus then joins as soon as it does. `send` takes one second at
 * most, `survey` one and a half. A handler must not wait for a command that it sends itself.
 */
export function redisControlBus(options: RedisControlBusOptions): RedisControlBus {
  const stats: RedisControlStats = { unacknowledged: 0 };
  let bus: Bus | undefined;
  const running = (): Bus => {
    if (bus === undefined) throw clientError('internal', 'the control bus is not running');
    return bus;
  };
  return {
    start: async (handler) => {
      bus = new Bus(options, handler, stats);
      await bus.start();
    },
    send: async (command) => answer(running().sender.send(command)),
    survey: async (survey, query) => answer(running().surveyor.survey(survey, query)),
    close: async () => {
      const closing = bus;
      bus = undefined;
      await closing?.close();
    },
    stats,
  };
}

class Bus {
  readonly sender: CommandSender;
  readonly surveyor: Surveyor;
  readonly #node = nanoid();
  readonly #options: RedisControlBusOptions;
  readonly #keys: ControlKeys;
  readonly #reader: CommandReader;
  #listening = false;
  #closed = false;

  constructor(options: RedisControlBusOptions, handler: ControlHandler, stats: RedisControlStats) {
    const { lease, name, onError } = options;
    const keys = controlKeys(options.prefix, lease.tag);
    const common = { lease, keys, node: this.#node, name, onError, stats };
    this.#options = options;
    this.#keys = keys;
    this.#reader = new CommandReader({ ...common, apply: (command) => handler.apply(command) });
    this.sender = new CommandSender({
      ...common,
      cursor: () => this.#reader.cursor,
      appended: () => this.#wake(),
    });
    this.surveyor = new Surveyor({ ...common, answer: (survey, query) => handler.answer(survey, query) });
  }

  /** What fails now is tried again at each renewal of the lease. */
  async start(): Promise<void> {
    const { lease, onError } = this.#options;
    await this.#join().catch(onError);
    lease.listen({
      late: async () => {
        if (!this.#closed) await this.#reader.catchUp(lease.renewMs);
      },
      renewed: () => {
        if (!this.#closed) this.#join().catch(onError);
      },
    });
    lease.shard.onGap((channels) => {
      if (channels.includes(this.#keys.all)) this.#wake();
    });
  }

  /** Others wait for this node no more. */
  async close(): Promise<void> {
    const { lease, onError } = this.#options;
    const { shard, tag } = lease;
    this.#closed = true;
    this.#reader.stop();
    this.sender.stop();
    this.surveyor.stop();
    const left = encodeMessage({ type: 'left', node: this.#node });
    const done = await Promise.allSettled([
      shard.call(tag, ['HDEL', this.#keys.nodes, this.#node], 'control'),
      shard.call(tag, [shard.publishCommand, this.#keys.all, left], 'control'),
      shard.unsubscribe(tag, this.#keys.all),
      shard.unsubscribe(tag, this.#keys.one(this.#node)),
    ]);
    for (const one of done) if (one.status === 'rejected') onError(one.reason);
  }

  /** First listens, so that a node on the list can be reached. */
  async #join(): Promise<void> {
    const { shard, tag } = this.#options.lease;
    if (!this.#listening) {
      const listener = (message: Buffer): void => this.#receive(message);
      await shard.subscribe(tag, this.#keys.all, listener);
      await shard.subscribe(tag, this.#keys.one(this.#node), listener);
      this.#listening = true;
    }
    await this.#reader.wake();
  }

  #wake(): void {
    this.#reader.wake().catch(this.#options.onError);
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return;
    try {
      this.#handle(decodeMessage(bytes));
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #handle(message: Message): void {
    switch (message.type) {
      case 'wake':
        if (message.sender !== this.#node) this.#wake();
        return;
      case 'ask':
        if (message.sender !== this.#node) void this.surveyor.reply(message);
        return;
      case 'left':
        this.sender.left(message.node);
        this.surveyor.left(message.node);
        return;
      case 'outcome':
        this.sender.outcome(message.number, message.node, message.applied);
        return;
      case 'answer':
        this.surveyor.answered(message.number, message.node, message.answer);
    }
  }
}

/** Says 100 for what Redis refused. */
async function answer<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RedisError) throw clientError('internal', error.told);
    throw error;
  }
}
