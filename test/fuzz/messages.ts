import { readFileSync } from 'node:fs';
import protobufjs from 'protobufjs';

/** The messages of the wire as `proto/client.proto` says: an oracle that the server has no part in. */

const source = readFileSync(new URL('../../proto/client.proto', import.meta.url), 'utf8');
const { root } = protobufjs.parse(source, { keepCase: true });
const command = root.lookupType('centrifugal.centrifuge.protocol.Command');
const reply = root.lookupType('centrifugal.centrifuge.protocol.Reply');

export function readerOf(bytes: Uint8Array): protobufjs.Reader {
  return protobufjs.Reader.create(bytes);
}

/** Reads the next reply, with its length in front. @throws Error where it is none */
export function readReply(reader: protobufjs.Reader): Readonly<Record<string, unknown>> & { id?: number } {
  return reply.toObject(reply.decodeDelimited(reader), { longs: Number, bytes: String });
}

/** A command with its length in front; what does not fit the schema is bent until it does. */
export function commandBytes(message: Readonly<Record<string, unknown>>): Uint8Array {
  return command.encodeDelimited(command.fromObject(message)).finish();
}
