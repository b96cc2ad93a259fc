import type { Bytes } from '@gyre/protocol';

/**
 * The messages of the server API as data: one list of fields a message, from which every wire (JSON and
 * Protobuf) is read and written. Names in code are camelCase; the wire's are the same in snake_case.
 */

export type Kind =
  | 'string'
  | 'bool'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'double'
  /** On JSON raw JSON text, on Protobuf any bytes. Empty means absent. */
  | 'bytes'
  | 'message';

/** One field of a message; `T` is the type of its value in code. */
export interface Field<T = unknown> {
  readonly number: number;
  readonly kind: Kind;
  /** How often: once, as a list, or as a map by strings. */
  readonly shape: 'one' | 'list' | 'map';
  /** Written even when zero. */
  readonly always: boolean;
  /** What an absent field reads as; undefined for a message. */
  readonly zero: T | undefined;
  /** The kind's message, for `message` only. */
  readonly of?: Message<object>;
}

/** A field with its names. */
export interface NamedField extends Field {
  readonly name: string;
  readonly wire: string;
}

export interface Message<T extends object> {
  /** As in `proto/api.proto`. */
  readonly name: string;
  /** In the order they are written. */
  readonly fields: readonly NamedField[];
  readonly byWire: ReadonlyMap<string, NamedField>;
  readonly byNumber: ReadonlyMap<number, NamedField>;
  /** An object that has every field absent. */
  create(): T;
}

const NO_BYTES: Bytes = new Uint8Array(0);

function one<T>(kind: Kind, zero: T): (number: number, always?: 'always') => Field<T> {
  return (number, always) => ({ number, kind, shape: 'one', always: always !== undefined, zero });
}

export const string = one<string>('string', '');
export const bool = one<boolean>('bool', false);
export const int32 = one<number>('int32', 0);
export const uint32 = one<number>('uint32', 0);
export const int64 = one<number>('int64', 0);
export const uint64 = one<number>('uint64', 0);
export const double = one<number>('double', 0);
export const bytes = one<Bytes>('bytes', NO_BYTES);

/** A message inside a message; absent, or there with whatever it holds. */
export function child<T extends object>(number: number, of: Message<T>): Field<T> {
  return { number, kind: 'message', shape: 'one', always: false, zero: undefined, of };
}

export function strings(number: number): Field<readonly string[]> {
  return { number, kind: 'string', shape: 'list', always: false, zero: [] };
}

/** An item that is `null` reads as undefined: absent, yet in its place. */
export function list<T extends object, Item extends T | undefined = T>(
  number: number,
  of: Message<T>,
  always?: 'always',
): Field<readonly Item[]> {
  return { number, kind: 'message', shape: 'list', always: always !== undefined, zero: [], of };
}

/** A map of scalars: an object without prototype, so that no key is special. */
export function record<T>(
  number: number,
  of: (number: number) => Field<T>,
): Field<Readonly<Record<string, T>>> {
  return {
    ...of(number),
    shape: 'map',
    zero: Object.freeze(Object.create(null)) as Readonly<Record<string, T>>,
  };
}

/** A map of messages, for results. */
export function mapOf<T extends object>(number: number, of: Message<T>): Field<ReadonlyMap<string, T>> {
  return { number, kind: 'message', shape: 'map', always: true, zero: new Map(), of };
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * Makes a message of its fields, in the order they are written. The type names every field, so that none is forgotten
 * and none has another type on the wire than in code.
 */
export function message<T extends object>(
  name: string,
  fields: { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> },
): Message<T> {
  const named = Object.entries<Field>(fields as Record<string, Field>).map(([key, field]): NamedField => ({
    ...field,
    name: key,
    wire: snakeCase(key),
  }));
  const absent = Object.fromEntries(named.filter((f) => f.zero !== undefined).map((f) => [f.name, f.zero]));
  return {
    name,
    fields: named,
    byWire: new Map(named.map((field) => [field.wire, field])),
    byNumber: new Map(named.map((field) => [field.number, field])),
    create: () => ({ ...absent }) as T,
  };
}
