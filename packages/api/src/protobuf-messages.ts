import { setImmediate } from 'node:timers/promises';
import { asBuffer, Reader, Writer, type Bytes } from '@gyre/protocol';
import type { Message, NamedField } from './field.ts';

/** Entries of a list or map that are written before other work gets its turn. */
const SLICE = 1000;

type Values = Record<string, unknown>;

// Reading

/** Of strings and messages: no request holds a list of anything else. */
function addItem(reader: Reader, field: NamedField, target: Values): void {
  const item = readValue(reader, field, undefined);
  // What an absent field reads as is shared by all messages.
  if (target[field.name] === field.zero) target[field.name] = [item];
  else (target[field.name] as unknown[]).push(item);
}

/** Of strings: no request holds another map. */
function addEntry(reader: Reader, field: NamedField, target: Values): void {
  let key = '';
  let value = '';
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  reader.leave(outer);
  if (target[field.name] === field.zero) target[field.name] = Object.create(null);
  (target[field.name] as Values)[key] = value;
}

/** @param before the message that was read for this field already: a second one adds to it */
function readValue(reader: Reader, { kind, of, name }: NamedField, before: unknown): unknown {
  switch (kind) {
    case 'string':
      return reader.string();
    case 'bytes':
      return reader.bytes();
    case 'bool':
      return reader.bool();
    case 'int32':
      return reader.int32();
    case 'uint32':
      return reader.uint32();
    case 'int64':
      return reader.int64();
    case 'uint64':
      return reader.uint64();
    case 'message': {
      const message = of as Message<object>;
      const target = (before ?? message.create()) as Values;
      const outer = reader.enter();
      readInto(reader, message, target);
      reader.leave(outer);
      return target;
    }
    case 'double':
      throw new Error(`${name}: no request has fractions`);
  }
}

function readInto(reader: Reader, message: Message<object>, target: Values): void {
  while (reader.next()) {
    const field = message.byNumber.get(reader.field);
    if (field === undefined) reader.skip();
    else if (field.shape === 'list') addItem(reader, field, target);
    else if (field.shape === 'map') addEntry(reader, field, target);
    else target[field.name] = readValue(reader, field, target[field.name]);
  }
}

/**
 * The message that Protobuf bytes hold; fields that it does not have are passed over. Payloads are copied out of the
 * bytes, which may be reused afterwards.
 * @throws DecodeError where they are not such a message, or hold a number that no double does
 */
export function readProtobuf<T extends object>(message: Message<T>, bytes: Bytes): T {
  const target = message.create();
  readInto(new Reader(bytes), message, target as Values);
  return target;
}

// Writing

/** One for all messages: each is written in one go. */
const writer = new Writer();

/** Zero is left out. No result holds a negative number. */
function putValue(number: number, { kind, of }: NamedField, value: unknown): void {
  if (kind === 'message') {
    const end = writer.size;
    putFields(of as Message<object>, value as Values);
    writer.message(number, end);
  } else if (kind === 'string') writer.string(number, value as string);
  else if (kind === 'bytes') writer.bytes(number, value as Bytes);
  else if (kind === 'bool') writer.bool(number, value as boolean);
  else if (kind === 'double') writer.double(number, value as number);
  else writer.uint(number, value as number);
}

function putItem(field: NamedField, item: unknown): void {
  // An item is there even where it is empty.
  if (item === '') writer.message(field.number, writer.size);
  else putValue(field.number, field, item);
}

function putEntry(field: NamedField, [key, value]: Entry): void {
  const end = writer.size;
  putValue(2, field, value);
  writer.string(1, key);
  writer.message(field.number, end);
}

type Entry = readonly [key: string, value: unknown];

function entriesOf(field: NamedField, value: unknown): readonly unknown[] {
  if (field.shape === 'list') return value as readonly unknown[];
  return value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value as Values);
}

/** Backwards, like everything that is written. */
function putEntries(field: NamedField, entries: readonly unknown[]): void {
  for (let i = entries.length - 1; i >= 0; i--) {
    if (field.shape === 'list') putItem(field, entries[i]);
    else putEntry(field, entries[i] as Entry);
  }
}

function putField(field: NamedField, value: unknown): void {
  if (value === undefined) return;
  if (field.shape === 'one') putValue(field.number, field, value);
  else putEntries(field, entriesOf(field, value));
}

function putFields({ fields }: Message<object>, values: Values): void {
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i] as NamedField;
    putField(field, values[field.name]);
  }
}

function written(put: () => void): Buffer {
  writer.begin();
  put();
  return asBuffer(writer.bare());
}

/** A message as Protobuf. */
export function writeProtobuf<T extends object>(message: Message<T>, value: T): Buffer {
  return written(() => putFields(message, value as Values));
}

/** A message as Protobuf, as the only field of another one. */
export function writeProtobufInside<T extends object>(number: number, message: Message<T>, value: T): Buffer {
  return written(() => {
    putFields(message, value as Values);
    writer.message(number, 0);
  });
}

/**
 * As {@link writeProtobufInside}; a message that holds very many of something is written in slices of the event loop:
 * the bytes of its parts, one after the other, are the bytes of the whole.
 */
export async function writeLargeProtobufInside<T extends object>(
  number: number,
  message: Message<T>,
  value: T,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const field of message.fields) {
    const part = (value as Values)[field.name];
    if (field.shape === 'one' || part === undefined) {
      parts.push(written(() => putField(field, part)));
      continue;
    }
    const entries = entriesOf(field, part);
    for (let at = 0; at < entries.length; at += SLICE) {
      parts.push(written(() => putEntries(field, entries.slice(at, at + SLICE))));
      await setImmediate();
    }
  }
  return written(() => writer.bytes(number, Buffer.concat(parts)));
}
