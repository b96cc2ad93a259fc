import {
  asBuffer,
  isNull,
  readBoolean,
  readFields,
  readInteger,
  readItems,
  readString,
  skipSpace,
  skipValue,
  type Bytes,
} from '@gyre/protocol';
import type { Kind, Message, NamedField } from './field.ts';

const INT32_MAX = 0x7fff_ffff;
const UINT32_MAX = 0xffff_ffff;

/** Least and greatest by kind; 64-bit numbers are taken as far as a double holds them. No request has fractions. */
const ranges: Partial<Record<Kind, readonly [least: number, most: number]>> = {
  int32: [-INT32_MAX - 1, INT32_MAX],
  uint32: [0, UINT32_MAX],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

/**
 * Reads messages out of one JSON text, each byte looked at once. Field names match in any letter case, unknown ones are
 * passed over, of doubled ones the last counts, and `null` is a field not sent, except as raw JSON.
 */
class Reader {
  readonly #text: Buffer;
  #at = 0;

  constructor(text: Buffer) {
    this.#text = text;
  }

  whole<T extends object>(message: Message<T>): T {
    const value = this.#message(message, 0) ?? message.create();
    if (skipSpace(this.#text, this.#at) !== this.#text.length)
      throw new SyntaxError('text after the JSON value');
    return value;
  }

  #message<T extends object>(message: Message<T>, depth: number): T | undefined {
    if (this.#skipNull()) return undefined;
    const target = message.create() as Record<string, unknown>;
    this.#at = readFields(
      this.#text,
      this.#at,
      (key, start) => {
        this.#at = start;
        const field = message.byWire.get(key) ?? message.byWire.get(key.toLowerCase());
        if (field === undefined) return skipValue(this.#text, start, depth + 1);
        const value = this.#field(field, depth + 1);
        if (value !== undefined) target[field.name] = value;
        return this.#at;
      },
      depth,
    );
    return target as T;
  }

  #field(field: NamedField, depth: number): unknown {
    switch (field.shape) {
      case 'one':
        return this.#value(field, depth);
      case 'list':
        return this.#list(field, depth);
      case 'map':
        return this.#map(field, depth);
    }
  }

  #list(field: NamedField, depth: number): unknown[] | undefined {
    if (this.#skipNull()) return undefined;
    const items: unknown[] = [];
    this.#at = readItems(
      this.#text,
      this.#at,
      (start) => {
        this.#at = start;
        items.push(this.#value(field, depth + 1) ?? (field.kind === 'string' ? '' : undefined));
        return this.#at;
      },
      depth,
    );
    return items;
  }

  /** Of strings: no request holds another map. */
  #map(field: NamedField, depth: number): Record<string, unknown> | undefined {
    if (this.#skipNull()) return undefined;
    const map = Object.create(null) as Record<string, unknown>;
    this.#at = readFields(
      this.#text,
      this.#at,
      (key, start) => {
        this.#at = start;
        map[key] = this.#value(field, depth + 1) ?? '';
        return this.#at;
      },
      depth,
    );
    return map;
  }

  #value(field: NamedField, depth: number): unknown {
    if (field.kind === 'message') return this.#message(field.of as Message<object>, depth);
    const text = this.#text;
    const start = this.#at;
    const end = skipValue(text, start, depth);
    this.#at = end;
    if (field.kind === 'bytes') return copy(text, start, end);
    if (isNull(text, start)) return undefined;
    if (field.kind === 'string') return readString(text, start, end);
    if (field.kind === 'bool') return readBoolean(text, start, end);
    return integer(text, start, end, field.kind);
  }

  #skipNull(): boolean {
    this.#at = skipSpace(this.#text, this.#at);
    if (!isNull(this.#text, this.#at)) return false;
    this.#at = skipValue(this.#text, this.#at);
    return true;
  }
}

function integer(text: Buffer, start: number, end: number, kind: Kind): number {
  const value = readInteger(text, start, end);
  const [least, most] = ranges[kind] ?? [0, 0];
  if (value < least || value > most) throw new SyntaxError(`number at ${start} of JSON is out of range`);
  return value;
}

/** A payload, copied: the body that it came in is not ours to keep. */
function copy(text: Buffer, start: number, end: number): Bytes {
  const bytes = Buffer.allocUnsafe(end - start);
  text.copy(bytes, 0, start, end);
  return bytes;
}

/**
 * The message that a JSON text holds; `null` holds an empty one. Raw JSON fields are copied out of the text, which may
 * be reused afterwards.
 * @param text well-formed UTF-8
 * @returns undefined where the text is not JSON, or a field is of another type than the message's
 */
export function readJson<T extends object>(message: Message<T>, text: Bytes): T | undefined {
  try {
    return new Reader(asBuffer(text)).whole(message);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
