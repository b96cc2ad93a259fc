// road out 8/8: one joined frame per connection per tick; frames leave by its transport
import type { Bytes, Codec } from '@gyre/protocol';
import type { NodeStats } from '../options.ts';
import type { Transport } from '../transports/transport.ts';
import { Batch } from './batch.ts';

/** How long one turn of flushing may hold the event loop, in milliseconds. */
const SLICE = 4;

/** What a connection's outbox needs to know of its connection. */
export interface OutboxOwner {
  readonly transport: Transport;
  readonly codec: Codec;
  /** The bound of what waits was passed; the connection is to end with 3008. */
  slow(): void;
  /** The transport is behind: ask {@link Outbox.isStuck} now and then. */
  congested(): void;
}

/**
 * Flushes the outboxes that were written to, once a tick. A large fan-out is cut into slices, between which timers and
 * requests have their turn; whoever waits for a later slice just gets more in its frame.
 */
export class Flusher {
  /** The sequence every idle outbox holds. */
  readonly empty = new Batch();
  readonly #stats: NodeStats;
  #dirty: Outbox[] = [];
  #scheduled = false;

  constructor(stats: NodeStats) {
    this.#stats = stats;
  }

  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const deadline = performance.now() + SLICE;
    const dirty = this.#dirty;
    let i = 0;
    while (i < dirty.length) {
      (dirty[i++] as Outbox).flush();
      if ((i & 63) === 0 && performance.now() > deadline) break;
    }
    if (i < dirty.length) {
      this.#dirty = dirty.slice(i);
      setImmediate(this.#run);
      return;
    }
    this.#dirty = [];
    this.#scheduled = false;
    this.empty.forget();
  };

  sent(frame: Bytes): void {
    this.#stats.frames++;
    this.#stats.bytes += frame.length;
  }
}

/**
 * What waits for one connection. Bounded: pushes beyond `limit` bytes end it. Answers to the client's own commands are
 * never the reason, they only come on top, since a recovery may be larger than any queue.
 */
export class Outbox {
  readonly #flusher: Flusher;
  readonly #owner: OutboxOwner;
  readonly #limit: number;
  #waiting: Batch;
  #queued = false;
  /** The transport has not got rid of what it took. */
  #congested = false;
  /** What it had not got rid of when it was last looked at. */
  #held = 0;
  /** Bytes of answers given since the transport last had nothing to do. */
  #answers = 0;
  #closed = false;

  constructor(flusher: Flusher, owner: OutboxOwner, limit: number) {
    this.#flusher = flusher;
    this.#owner = owner;
    this.#limit = limit;
    this.#waiting = flusher.empty;
  }

  /** Adds a framed message that no command asked for. */
  push(message: Bytes): void {
    if (this.#closed) return;
    this.#waiting = this.#waiting.with(message);
    if (this.#queued) return;
    if (this.#congested) {
      this.#checkLimit();
      return;
    }
    this.#queued = true;
    this.#flusher.add(this);
  }

  /** Adds an answer to a command. */
  answer(message: Bytes): void {
    this.#answers += message.length;
    this.push(message);
  }

  /** The flusher's turn for this outbox. */
  flush(): void {
    this.#queued = false;
    if (!this.#closed && !this.#congested) this.#send();
  }

  /** The transport is behind, and no further than when this was last asked (or when it fell behind). */
  isStuck(): boolean {
    if (!this.#congested || this.#closed) return false;
    const held = this.#owner.transport.buffered();
    const stuck = held >= this.#held;
    this.#held = held;
    return stuck;
  }

  /** Whether the transport is behind. */
  get isCongested(): boolean {
    return this.#congested;
  }

  /** The transport sent something of what it had taken. */
  drained(): void {
    if (!this.#congested || this.#closed || this.#owner.transport.buffered() > 0) return;
    this.#congested = false;
    this.#answers = 0;
    if (this.#waiting !== this.#flusher.empty) this.#send();
  }

  /**
   * Nothing more will be added.
   * @param deliver hand all that waits to the transport; otherwise it is dropped
   */
  close(deliver: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    if (deliver && this.#waiting !== this.#flusher.empty) {
      for (const frame of this.#waiting.frames(this.#owner.codec)) this.#transmit(frame);
    }
    this.#waiting = this.#flusher.empty;
  }

  #transmit(frame: Bytes): boolean {
    this.#flusher.sent(frame);
    return this.#owner.transport.send(frame);
  }

  #send(): void {
    const batch = this.#waiting;
    if (batch === this.#flusher.empty) return;
    this.#waiting = this.#flusher.empty;
    for (const frame of batch.frames(this.#owner.codec)) {
      if (this.#transmit(frame)) continue;
      if (!this.#congested) this.#owner.congested();
      this.#congested = true;
      this.#held = this.#owner.transport.buffered();
      this.#checkLimit();
      if (this.#closed) return;
    }
    if (!this.#congested) this.#answers = 0;
  }

  #checkLimit(): void {
    const waiting = this.#owner.transport.buffered() + this.#waiting.bytes - this.#answers;
    if (waiting > this.#limit) this.#owner.slow();
  }
}
