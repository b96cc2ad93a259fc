import type { Bytes, Command, Publication, Push, Reply } from './messages.ts';
import type { ClientError } from './errors.ts';

/** What has to be known beside a publication to write it for one audience. */
export interface PublicationForm {
  /**
   * The subscription has negotiated deltas. On a JSON connection its `data` is then always a JSON string: of the
   * payload's text, or of the patch. On Protobuf it makes no difference.
   */
  readonly deltaNegotiated: boolean;
}

/**
 * One wire of the client protocol. Stateless, so one instance serves every connection.
 *
 * What an encoder gives is one **framed message**: bytes that may be put one after another to make a frame of several
 * (JSON ends each with a newline, Protobuf begins each with its length). {@link Codec.frame} does that.
 */
export interface Codec {
  readonly wire: 'json' | 'protobuf';

  /**
   * Reads a frame of commands, all of it or nothing. Payloads are copied out of the frame, which may be reused by its
   * owner as soon as this returns.
   * @throws DecodeError where any part of the frame is not a command (an empty frame or a blank line included)
   */
  decode(frame: Bytes): Command[];

  /** @throws EncodeError where a payload cannot be carried by this wire (JSON: payload that is not JSON) */
  reply(reply: Reply): Bytes;

  error(id: number, error: ClientError): Bytes;

  /** @throws EncodeError as {@link reply} */
  push(push: Push): Bytes;

  /** Like {@link push} of type `pub`; the one message that is written on the hot path. */
  publication(channel: string, publication: Publication, form: PublicationForm): Bytes;

  /** The empty message, which is how a server pings. */
  readonly ping: Bytes;

  /** Joins framed messages, at least one, into the payload of one frame. */
  frame(messages: readonly Bytes[]): Bytes;
}

/** What a client sent is not of the protocol: the connection ends with 3501. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** A payload cannot travel on the wire of this connection: it ends with 3506. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}
