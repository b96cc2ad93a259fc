/**
 * How a member lies in Redis.
 *
 *     client key = length of the client id as 8 hex digits, client id
 *     entry      = client key, holder, length of the user id as 8 hex digits, user id, has (byte: 1 connInfo,
 *                  2 chanInfo), length of connInfo as 8 hex digits, connInfo, chanInfo
 *     name       = length of the channel as 8 hex digits, channel, client key
 *
 * Lengths count bytes. No client key begins another one, so a client's entry is found by its key in the order of bytes.
 */
import { clientError } from '@gyre/protocol';
import type { ClientInfo } from '@gyre/protocol';

/** A member and who holds it. */
export interface Entry {
  readonly key: Buffer;
  readonly holder: string;
  readonly info: ClientInfo;
}

const digits = 8;
const none = new Uint8Array(0);

const hex = (length: number): Buffer => Buffer.from(length.toString(16).padStart(digits, '0'));

/** Text after its length. */
function measured(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([hex(bytes.length), bytes]);
}

/** The key of a client among the members of a channel. */
export function clientKey(client: string): Buffer {
  return measured(client);
}

/** The client of a key. */
export function clientOf(key: Buffer): string {
  return key.toString('utf8', digits);
}

/** What the names of a channel's members begin with; the client key follows. */
export function nameHead(channel: string): Buffer {
  return measured(channel);
}

/** Which member of which channel. */
export interface Name {
  readonly channel: string;
  /** Client key. */
  readonly key: Buffer;
}

export function readName(name: Buffer): Name {
  const reader = new Reader(name);
  return { channel: reader.measured().toString(), key: reader.rest() };
}

export function encodeEntry(holder: string, { client, user, connInfo, chanInfo }: ClientInfo): Buffer {
  const has = (connInfo === undefined ? 0 : 1) | (chanInfo === undefined ? 0 : 2);
  const conn = connInfo ?? none;
  return Buffer.concat([
    clientKey(client),
    Buffer.from(holder),
    measured(user),
    Uint8Array.of(has),
    hex(conn.length),
    conn,
    chanInfo ?? none,
  ]);
}

/** @param holderLength of any holder: all are equally long */
export function readEntry(entry: Buffer, holderLength: number): Entry {
  const reader = new Reader(entry);
  const client = reader.measured().toString();
  const key = entry.subarray(0, reader.at);
  const holder = reader.take(holderLength).toString();
  const user = reader.measured().toString();
  const has = reader.take(1)[0] ?? 0;
  const connInfo = reader.measured();
  const chanInfo = reader.rest();
  return {
    key,
    holder,
    info: { user, client, ...(has & 1 ? { connInfo } : {}), ...(has & 2 ? { chanInfo } : {}) },
  };
}

/** A cursor is the key of the last client given. */
export function cursorOf(key: Buffer): string {
  return key.toString('base64url');
}

/** @throws ClientError 107 for what `cursorOf` gives for no client */
export function readCursor(cursor: string): Buffer {
  const key = Buffer.from(cursor, 'base64url');
  if (cursorOf(key) !== cursor || !hex(key.length - digits).equals(key.subarray(0, digits))) {
    throw clientError('badRequest', 'unknown cursor');
  }
  return key;
}

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(length: number): Buffer {
    const from = this.at;
    this.at += length;
    return this.#bytes.subarray(from, this.at);
  }

  measured(): Buffer {
    return this.take(Number.parseInt(this.take(digits).toString(), 16));
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.at);
  }
}
