import type { Codec } from './codec.ts';
import { decodeFrame } from './protobuf-decode.ts';
import { encodeError, encodePublication, encodePush, encodeReply } from './protobuf-encode.ts';

/**
 * The Protobuf wire: each message has its length as an unsigned varint in front. Any payload can be carried, so nothing
 * here throws EncodeError.
 */
export const protobufCodec: Codec = {
  wire: 'protobuf',
  decode: decodeFrame,
  reply: encodeReply,
  error: encodeError,
  push: encodePush,
  publication: encodePublication,
  ping: Uint8Array.of(0),
  frame: (messages) =>
    messages.length === 1 && messages[0] !== undefined ? messages[0] : Buffer.concat(messages),
};
