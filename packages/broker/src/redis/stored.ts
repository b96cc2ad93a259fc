import { Reader, Writer } from '@gyre/protocol';
import type { Bytes, ClientInfo, Publication, Tags } from '@gyre/protocol';
import type { NewPublication } from '../broker.ts';

/** Publications and client infos as they lie in Redis: `proto/stored.proto`, where the field numbers stand. */

const writer = new Writer();

/** A publication whose fields can still be set. */
export type Draft = { -readonly [K in keyof Publication]: Publication[K] };

export function encodePublication({ data, info, tags }: NewPublication, version: number): Bytes {
  writer.begin();
  writer.uint(5, version);
  if (tags !== undefined) {
    writer.bool(4, true);
    for (const [key, value] of Object.entries(tags).reverse()) {
      const end = writer.size;
      writer.string(2, value);
      writer.string(1, key);
      writer.message(3, end);
    }
  }
  if (info !== undefined) {
    const end = writer.size;
    writeInfo(info);
    writer.message(2, end);
  }
  writer.bytes(1, data);
  return writer.bare();
}

export function decodePublication(bytes: Bytes): Draft {
  const reader = new Reader(bytes);
  const publication: Draft = { data: noData };
  const tags: [string, string][] = [];
  while (reader.next()) {
    if (reader.field === 1) publication.data = reader.bytes();
    else if (reader.field === 2) publication.info = readInfo(reader);
    else if (reader.field === 3) tags.push(readTag(reader));
    else if (reader.field === 4 && reader.bool()) publication.tags = {};
    else if (reader.field === 5) publication.version = reader.uint64();
    else reader.skip();
  }
  // Unlike an assignment, this takes every name for a name.
  if (tags.length > 0) publication.tags = Object.fromEntries(tags) as Tags;
  return publication;
}

export function encodeInfo(info: ClientInfo): Bytes {
  writer.begin();
  writeInfo(info);
  return writer.bare();
}

export function decodeInfo(bytes: Bytes): ClientInfo {
  return infoFields(new Reader(bytes));
}

const noData: Bytes = new Uint8Array(0);

function writeInfo({ user, client, connInfo, chanInfo }: ClientInfo): void {
  writer.bytes(4, chanInfo);
  writer.bytes(3, connInfo);
  writer.string(2, client);
  writer.string(1, user);
}

function readInfo(reader: Reader): ClientInfo {
  const outer = reader.enter();
  const info = infoFields(reader);
  reader.leave(outer);
  return info;
}

function infoFields(reader: Reader): ClientInfo {
  const info: { -readonly [K in keyof ClientInfo]: ClientInfo[K] } = { user: '', client: '' };
  while (reader.next()) {
    if (reader.field === 1) info.user = reader.string();
    else if (reader.field === 2) info.client = reader.string();
    else if (reader.field === 3) info.connInfo = reader.bytes();
    else if (reader.field === 4) info.chanInfo = reader.bytes();
    else reader.skip();
  }
  return info;
}

function readTag(reader: Reader): [key: string, value: string] {
  const outer = reader.enter();
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  reader.leave(outer);
  return [key, value];
}
