// road in 2/5: decode through protocol/codec, one command after the other
import { randomUUID } from 'node:crypto';
import {
  DecodeError,
  Disconnect,
  EncodeError,
  disconnect,
  unsubscribeReasons,
  type Bytes,
  type ClientError,
  type Codec,
  type Command,
  type Push,
  type Reply,
} from '@gyre/protocol';
import type { Context } from '../context.ts';
import type { Client } from '../gate.ts';
import type { Subscription } from '../hub/subscription.ts';
import { count, observe } from '../options.ts';
import type { Transport } from '../transports/transport.ts';
import type { Due } from './deadlines.ts';
import { dispatch } from './dispatch.ts';
import { leave, type Pending } from './membership.ts';
import { Outbox } from './outbox.ts';
import { RateLimits } from './rate-limits.ts';
import { Timing } from './timing.ts';

/** Commands that may wait while one is being carried out. */
const INBOX_LIMIT = 1024;

/** How long the commands of one connection may hold the event loop in one go, in milliseconds. */
const TURN = 4;

/**
 * Where a connection is in its life. `refused`: connecting ended in an error reply, nothing is accepted any more.
 */
export type State = 'new' | 'connecting' | 'connected' | 'refused' | 'closed';

/** One connection: who it is, what it is subscribed to, what waits to be done for it and to be sent to it. */
export class Session implements Client, Due {
  readonly id: string = randomUUID();
  readonly context: Context;
  readonly transport: Transport;
  readonly codec: Codec;
  readonly outbox: Outbox;
  readonly timing: Timing;
  #limits: RateLimits | undefined;
  readonly subscriptions = new Map<string, Subscription>();
  /** By channel. */
  readonly subscribing = new Map<string, Pending>();
  user = '';
  connInfo: Bytes | undefined;
  remembered = '';
  state: State = 'new';
  /** Resolves when the command that is being carried out is done. */
  current: Promise<void> = Promise.resolve();
  bucket = -1;
  readonly #opened = performance.now();
  #inbox: Command[] = [];
  #busy = false;
  /** Goes on with the commands of a client that was behind with reading. */
  #resume: (() => void) | undefined;

  constructor(context: Context, transport: Transport, codec: Codec) {
    this.context = context;
    this.transport = transport;
    this.codec = codec;
    this.outbox = new Outbox(context.flusher, this, context.options.queueMaxSize);
    this.timing = new Timing(this);
    context.hub.opened(this);
  }

  /** Possession of it allows to act for this connection on transports that need it; none of today's do. */
  get sessionId(): string {
    return '';
  }

  get transportName(): string {
    return this.transport.name;
  }

  /** Made when the first command is counted: most connections never need it. */
  get limits(): RateLimits {
    return (this.#limits ??= new RateLimits());
  }

  get headers(): ReadonlyMap<string, string> {
    return this.transport.headers;
  }

  get wire(): 'json' | 'protobuf' {
    return this.codec.wire;
  }

  isSubscribed(channel: string): boolean {
    return this.subscriptions.has(channel);
  }

  chanInfo(channel: string): Bytes | undefined {
    return this.subscriptions.get(channel)?.grant.chanInfo;
  }

  /** A frame came. Its bytes may be reused when this returns. */
  receive(frame: Bytes): void {
    if (this.state === 'closed') return;
    this.context.stats.receivedFrames++;
    this.context.stats.receivedBytes += frame.length;
    try {
      const commands = this.codec.decode(frame);
      if (this.#inbox.length + commands.length > INBOX_LIMIT && this.#inbox.length > 0) {
        throw disconnect('tooManyRequests');
      }
      // No spread: a frame may hold more commands than a call may have arguments.
      for (const command of commands) this.#inbox.push(command);
    } catch (error) {
      this.failed(error);
      return;
    }
    if (!this.#busy) void this.#work();
  }

  /** Carries out what waits, in order. Never rejects: `dispatch` is where errors end. */
  async #work(): Promise<void> {
    this.#busy = true;
    let now = performance.now();
    let end = now + TURN;
    while (this.#inbox.length > 0) {
      const commands = this.#inbox;
      this.#inbox = [];
      for (const command of commands) {
        if (this.state === 'closed') return;
        const began = now;
        this.current = dispatch(this, command);
        await this.current;
        now = performance.now();
        if (command.method !== 'pong') {
          observe(this.context.stats.durations, command.method, (now - began) / 1000);
        }
        if (this.state === 'refused') {
          // Sent in the hope that connecting would succeed: nobody waits for the answers.
          this.#inbox = [];
          break;
        }
        if (now > end) {
          now = await this.#turn();
          end = now + TURN;
        }
      }
    }
    this.#busy = false;
  }

  /**
   * Lets others have their turn. A client that is behind with reading has to catch up first: a small command may have a
   * large answer, and answers have no other bound. Gives when the next turn begins.
   */
  async #turn(): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.outbox.isCongested) await new Promise<void>((resolve) => (this.#resume = resolve));
    return performance.now();
  }

  /** Answers a command. */
  reply(reply: Reply): void {
    if (this.state !== 'closed') this.outbox.answer(this.codec.reply(reply));
  }

  refuse(id: number, error: ClientError): void {
    if (this.state !== 'closed') this.outbox.answer(this.codec.error(id, error));
  }

  push(push: Push): void {
    if (this.state !== 'closed') this.outbox.push(this.codec.push(push));
  }

  /** The transport sent something of what it had taken. */
  drained(): void {
    this.outbox.drained();
    if (!this.outbox.isCongested) this.#resume?.();
  }

  slow(): void {
    // Not at once: this is called from inside a fan-out, and whoever closes leaves its channels.
    queueMicrotask(() => this.disconnect(disconnect('slow')));
  }

  congested(): void {
    this.timing.congested();
  }

  /** The transport got the pong of a ping of its own. */
  ponged(): void {
    this.timing.pong();
  }

  due(now: number): number {
    return this.timing.due(now);
  }

  /** Ends the connection over an error that was not an answer to a command. */
  failed(error: unknown): void {
    if (error instanceof Disconnect) this.disconnect(error, error.detail);
    else if (error instanceof DecodeError) this.disconnect(disconnect('badRequest'), error.message);
    else if (error instanceof EncodeError) {
      // Not at once, as in `slow`: whoever closes in the middle of a fan-out changes the audiences that it goes through.
      queueMicrotask(() => this.disconnect(disconnect('inappropriateProtocol'), error.message));
    } else {
      this.context.log.error?.('connection failed', { client: this.id, user: this.user, error });
      this.disconnect(disconnect('internal'));
    }
  }

  /**
   * Ends the connection from the server's side.
   * @param detail for the log, where the code does not say it all
   */
  disconnect(why: Disconnect, detail?: string): void {
    if (this.state === 'closed') return;
    const { code, reason } = why;
    count(this.context.stats.disconnects, code);
    count(this.context.stats.closes, `${this.transport.name}:${code}`);
    this.context.log.info?.('client disconnected', {
      ...this.#lastWords(code, reason),
      ...(detail === undefined ? {} : { detail }),
      buffered: this.transport.buffered(),
    });
    // 3000 drops everything; whoever is slow will not get what waits either.
    const abrupt = code === 3000;
    this.outbox.close(!abrupt && code !== disconnect('slow').code);
    this.#end();
    if (abrupt) this.transport.terminate();
    else this.transport.close(code, reason);
  }

  /**
   * The transport has ended, on its own or after {@link disconnect}.
   * @param code of the close frame that the client sent; 1006 where it just went
   */
  closed(code = 1006, reason = ''): void {
    if (this.state === 'closed') return;
    this.context.log.debug?.('client left', this.#lastWords(code, reason));
    this.outbox.close(false);
    this.#end();
  }

  /** What the log says of a connection that ends. */
  #lastWords(code: number, reason: string): object {
    return {
      client: this.id,
      user: this.user,
      code,
      reason,
      transport: this.transport.name,
      seconds: Math.round(performance.now() - this.#opened) / 1000,
    };
  }

  #end(): void {
    this.state = 'closed';
    this.#inbox = [];
    this.context.deadlines.cancel(this);
    this.context.hub.closed(this);
    for (const subscription of this.subscriptions.values()) {
      this.context.background(leave(subscription));
    }
  }

  /**
   * A subscription has lost its place in the stream. The client is told to subscribe again; where the server made the
   * subscription, to reconnect.
   */
  lostPosition(subscription: Subscription): void {
    if (subscription.serverSide) {
      this.disconnect(disconnect('insufficientState'));
      return;
    }
    this.context.background(this.unsubscribe(subscription, unsubscribeReasons.insufficientState));
  }

  /** Ends a subscription from the server's side and tells the client. */
  async unsubscribe(subscription: Subscription, why: { code: number; reason: string }): Promise<void> {
    count(this.context.stats.unsubscribes, why.code);
    const left = leave(subscription);
    this.push({
      type: 'unsubscribe',
      channel: subscription.channel.name,
      code: why.code,
      reason: why.reason,
    });
    await left;
  }
}
