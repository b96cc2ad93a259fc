import type { Bytes, Codec } from '@gyre/protocol';

/** A frame of several messages is not made longer than this; a message that is longer goes alone. */
const FRAME_LIMIT = 64 * 1024;

/**
 * A sequence of framed messages that wait for a connection: the sequence before it and one message more.
 *
 * Sequences are shared. Connections that were given the same messages in the same order hold the same Batch, because
 * {@link Batch.with} answers the same message with the same successor. So a publication costs each of a thousand
 * subscribers one pointer, and the frame that they all get is built once.
 */
export class Batch {
  readonly #before: Batch | undefined;
  readonly #message: Bytes | undefined;
  /** Of all messages. */
  readonly bytes: number;
  #next: Batch | undefined;
  #frames: readonly Bytes[] | undefined;

  /** Without arguments: the empty sequence. */
  constructor(before?: Batch, message?: Bytes) {
    this.#before = before;
    this.#message = message;
    this.bytes = before === undefined || message === undefined ? 0 : before.bytes + message.length;
  }

  /** This sequence and `message` after it. Only the last answer is remembered: neighbours in a tick ask the same. */
  with(message: Bytes): Batch {
    const next = this.#next;
    if (next !== undefined && next.#message === message) return next;
    return (this.#next = new Batch(this, message));
  }

  /** Forgets the last answer of {@link with}, so that it can be collected. */
  forget(): void {
    this.#next = undefined;
  }

  /** The frames that carry the sequence; all messages are of this codec. Built once. */
  frames(codec: Codec): readonly Bytes[] {
    return (this.#frames ??= this.#build(codec));
  }

  #build(codec: Codec): readonly Bytes[] {
    const messages = this.#messages();
    if (this.bytes <= FRAME_LIMIT) return [codec.frame(messages)];
    const frames: Bytes[] = [];
    let begin = 0;
    let size = 0;
    for (let i = 0; i < messages.length; i++) {
      const length = (messages[i] as Bytes).length;
      if (size > 0 && size + length > FRAME_LIMIT) {
        frames.push(codec.frame(messages.slice(begin, i)));
        begin = i;
        size = 0;
      }
      size += length;
    }
    frames.push(codec.frame(messages.slice(begin)));
    return frames;
  }

  #messages(): Bytes[] {
    const messages = this.#message === undefined ? [] : [this.#message];
    for (let batch = this.#before; batch !== undefined; batch = batch.#before) {
      if (batch.#message !== undefined) messages.push(batch.#message);
    }
    return messages.reverse();
  }
}
