import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { asBuffer, isJson, type Bytes } from '@gyre/protocol';
import type { Message, NamedField } from './field.ts';

/** A result with a longer list or map than this is written in slices, so that other work gets its turn. */
const SLICE = 1000;

/** Raw newlines separate replies of a pipelined body; inside JSON they are white space, and go. */
const NEWLINES = /[\r\n]+/g;

/**
 * A payload as a named field. What cannot stand in JSON as it is goes as base64 under the name `b64…`, as it would have
 * come.
 */
function rawField(wire: string, bytes: Bytes): string {
  const text = asBuffer(bytes);
  if (isUtf8(text) && isJson(text)) return `"${wire}":${text.toString().replace(NEWLINES, '')}`;
  return `"b64${wire}":"${text.toString('base64')}"`;
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value);
}

function one(field: NamedField, value: unknown): string {
  return field.of === undefined ? scalar(value) : writeJson(field.of, value as object);
}

type Entry = readonly [string, unknown];

function entries(value: unknown): Iterable<Entry> {
  return value instanceof Map ? value : Object.entries(value as object);
}

const writeItem = (field: NamedField) => (item: unknown) => one(field, item);
const writeEntry = (field: NamedField) => (entry: Entry) =>
  `${JSON.stringify(entry[0])}:${one(field, entry[1])}`;

function collection(field: NamedField, value: unknown): string {
  return field.shape === 'list'
    ? `[${Array.from(value as Iterable<unknown>, writeItem(field)).join(',')}]`
    : `{${Array.from(entries(value), writeEntry(field)).join(',')}}`;
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : Object.keys(value as object).length;
}

function isAbsent(field: NamedField, value: unknown): boolean {
  if (value === undefined) return true;
  if (field.always) return false;
  if (field.shape !== 'one') return sizeOf(value) === 0;
  if (field.kind === 'bytes') return (value as Bytes).length === 0;
  return field.kind !== 'message' && value === field.zero;
}

function writeField(field: NamedField, value: unknown): string {
  if (field.kind === 'bytes') return rawField(field.wire, value as Bytes);
  return `"${field.wire}":${field.shape === 'one' ? one(field, value) : collection(field, value)}`;
}

function valueOf(message: object, field: NamedField): unknown {
  return (message as Readonly<Record<string, unknown>>)[field.name];
}

/** A message as JSON, on one line, fields in the schema's order; zero values are left out where they may be. */
export function writeJson<T extends object>(message: Message<T>, value: T): string {
  let text = '';
  for (const field of message.fields) {
    const part = valueOf(value, field);
    if (isAbsent(field, part)) continue;
    text += `${text === '' ? '' : ','}${writeField(field, part)}`;
  }
  return `{${text}}`;
}

async function writeSliced(field: NamedField, value: unknown): Promise<string> {
  const pieces: string[] = [];
  let piece: string[] = [];
  const write: (item: never) => string = field.shape === 'list' ? writeItem(field) : writeEntry(field);
  for (const item of (field.shape === 'list' ? value : entries(value)) as Iterable<never>) {
    piece.push(write(item));
    if (piece.length < SLICE) continue;
    pieces.push(piece.join(','));
    piece = [];
    await setImmediate();
  }
  if (piece.length > 0) pieces.push(piece.join(','));
  const [open, close] = field.shape === 'list' ? ['[', ']'] : ['{', '}'];
  return `"${field.wire}":${open}${pieces.join(',')}${close}`;
}

/** As {@link writeJson}; a message that holds very many of something is written in slices of the event loop. */
export async function writeLargeJson<T extends object>(message: Message<T>, value: T): Promise<string> {
  const fields: string[] = [];
  for (const field of message.fields) {
    const part = valueOf(value, field);
    if (isAbsent(field, part)) continue;
    fields.push(field.shape === 'one' ? writeField(field, part) : await writeSliced(field, part));
  }
  return `{${fields.join(',')}}`;
}

/** Whether to write it at once would hold up the event loop. */
export function isLarge<T extends object>(message: Message<T>, value: T): boolean {
  return message.fields.some(
    (field) =>
      field.shape !== 'one' && valueOf(value, field) !== undefined && sizeOf(valueOf(value, field)) > SLICE,
  );
}
