import { describe, expect, it } from 'vitest';
import type { NewPublication } from '../broker.ts';
import { hostileNames } from '../contract/bytes.ts';
import { decodeInfo, decodePublication, encodeInfo, encodePublication } from './stored.ts';

const every = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i));

describe('stored publications', () => {
  it.each<[string, NewPublication, number]>([
    ['bare', { data: every }, 0],
    ['empty', { data: Buffer.alloc(0) }, 0],
    ['with a version', { data: every }, Number.MAX_SAFE_INTEGER],
    ['with info', { data: every, info: { user: '😀', client: '', connInfo: every, chanInfo: every } }, 1],
    ['with an anonymous client', { data: every, info: { user: '', client: '' } }, 0],
    ['with no tags', { data: every, tags: {} }, 0],
    ['with tags', { data: every, tags: { a: '', '': 'b', c: 'd' } }, 7],
    ['with odd tags', { data: every, tags: Object.fromEntries(hostileNames.map((name) => [name, name])) }, 7],
  ])('come out as they went in: %s', (_, publication, version) => {
    const stored = decodePublication(encodePublication(publication, version));
    expect({ ...stored, data: Buffer.from(stored.data) }).toEqual({
      ...publication,
      ...(version > 0 ? { version } : {}),
    });
    expect(Object.entries(stored.tags ?? {})).toEqual(Object.entries(publication.tags ?? {}));
  });

  it('do not hold on to the message that they came in', () => {
    const message = Buffer.concat([Buffer.alloc(100_000), encodePublication({ data: every }, 0)]);
    const { data } = decodePublication(message.subarray(100_000));
    expect(data.buffer).not.toBe(message.buffer);
  });
});

describe('stored client infos', () => {
  it('come out as they went in', () => {
    const info = { user: 'u', client: 'c', connInfo: every, chanInfo: Buffer.from('{}') };
    expect(decodeInfo(encodeInfo(info))).toEqual(info);
    expect(decodeInfo(encodeInfo({ user: '', client: '' }))).toEqual({ user: '', client: '' });
  });
});
