import { DecodeError } from '@gyre/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readProtobuf,
  writeLargeProtobufInside,
  writeProtobuf,
  writeProtobufInside,
} from './protobuf-messages.ts';
import { requests, results } from './schema.ts';
import { messageType } from './testing/grpc.ts';

/** Bytes of a request, by an encoder that knows nothing of ours. */
function encode(name: string, value: object): Buffer {
  const type = messageType(name);
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

const text = fc.string({ unit: 'grapheme' });
const payload = fc.uint8Array().map((bytes) => Buffer.from(bytes));

describe('a request', () => {
  it('is read as it was written', () => {
    const publishes = fc.record({
      channel: text,
      data: payload,
      b64data: text,
      skipHistory: fc.boolean(),
      tags: fc.dictionary(text, text),
      idempotencyKey: text,
      delta: fc.boolean(),
      version: fc.maxSafeNat(),
      versionEpoch: text,
    });
    fc.assert(
      fc.property(publishes, (request) => {
        const read = readProtobuf(requests.publish, encode('PublishRequest', request));
        expect({ ...read, data: Buffer.from(read.data), tags: { ...read.tags } }).toEqual({
          ...request,
          tags: { ...request.tags },
        });
      }),
    );
  });

  it('has lists with empty items, and numbers of both signs', () => {
    const whitelist = ['', 'a', ''];
    expect(readProtobuf(requests.disconnect, encode('DisconnectRequest', { whitelist })).whitelist).toEqual(
      whitelist,
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer(), (expireAt, limit) => {
        expect(readProtobuf(requests.refresh, encode('RefreshRequest', { expireAt })).expireAt).toBe(
          expireAt,
        );
        expect(readProtobuf(requests.history, encode('HistoryRequest', { limit })).limit).toBe(limit);
      }),
    );
  });

  it('does not share what is absent', () => {
    const first = readProtobuf(requests.publish, encode('PublishRequest', { tags: { a: 'b' } }));
    const second = readProtobuf(requests.publish, Buffer.alloc(0));
    expect([{ ...first.tags }, { ...second.tags }]).toEqual([{ a: 'b' }, {}]);
    expect(
      readProtobuf(requests.broadcast, encode('BroadcastRequest', { channels: ['a'] })).channels,
    ).toEqual(['a']);
    expect(readProtobuf(requests.broadcast, Buffer.alloc(0)).channels).toEqual([]);
  });

  it('may have fields that nobody knows, and a message in two parts', () => {
    const parts = [{ since: { offset: 3 } }, { since: { epoch: 'e' } }].map((part) =>
      encode('HistoryRequest', part),
    );
    const unknown = encode('SubscribeRequest', { labelFilter: { op: 'or' }, allUsers: true });
    const read = readProtobuf(requests.history, Buffer.concat([...parts, unknown]));
    expect(read.since).toEqual({ offset: 3, epoch: 'e' });
  });

  it('is held by no memory of the bytes it came in', () => {
    const bytes = encode('PublishRequest', { data: Buffer.from('payload') });
    const { data } = readProtobuf(requests.publish, bytes);
    bytes.fill(0);
    expect(Buffer.from(data).toString()).toBe('payload');
  });

  it.each([
    ['cut short', requests.publish, [0x0a, 5, 0x61]],
    ['a string that is not UTF-8', requests.publish, [0x0a, 1, 0xff]],
    ['a number in place of a string', requests.publish, [0x08, 1]],
    ['a text in place of a message', requests.history, [0x18, 1]],
    [
      'a number that no double holds',
      requests.publish,
      [0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ],
    ['a tag cut short', requests.publish, [0x2a, 2, 0x0a, 5]],
  ])('is refused: %s', (_, request, bytes) => {
    expect(() => readProtobuf<object>(request, Buffer.from(bytes))).toThrow(DecodeError);
  });

  it('is read or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(...Object.values(requests)),
        (bytes, to) => {
          try {
            readProtobuf<object>(to, Buffer.from(bytes));
          } catch (error) {
            if (!(error instanceof DecodeError)) throw error;
          }
        },
      ),
    );
  });
});

describe('a result', () => {
  const type = messageType('ChannelsResult');
  const channels = new Map(Array.from({ length: 2500 }, (_, i) => [`channel:${i}`, { numClients: i + 1 }]));

  it('in slices has the same content', async () => {
    const value = { channels, cursor: 'next', missingNodes: ['', 'node'] };
    const whole = writeProtobufInside(2, results.channels, value);
    const sliced = await writeLargeProtobufInside(2, results.channels, value);
    for (const bytes of [whole, sliced]) {
      const answer = messageType('ChannelsResponse').decode(bytes);
      const { result } = messageType('ChannelsResponse').toObject(answer) as { result: object };
      expect(result).toEqual({
        channels: Object.fromEntries(channels),
        cursor: 'next',
        missingNodes: ['', 'node'],
      });
    }
  });

  it('says that it is there where nothing is in it', () => {
    expect([...writeProtobufInside(2, results.channels, { channels: new Map() })]).toEqual([0x12, 0]);
    expect([...writeProtobuf(results.channels, { channels: new Map([['a', { numClients: 0 }]]) })]).toEqual([
      0x0a, 5, 0x0a, 1, 0x61, 0x12, 0,
    ]);
    expect(type.toObject(type.decode(Buffer.from([])))).toEqual({});
  });

  it('may hold any double', () => {
    const info = messageType('InfoResult');
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: false }), (rate) => {
        const metrics = { interval: 60, items: { rate } };
        const node = {
          uid: 'u',
          name: '',
          version: '',
          numClients: 1,
          numUsers: 0,
          numChannels: 0,
          numSubs: 0,
        };
        const bytes = writeProtobuf(results.info, { nodes: [{ ...node, uptime: 1, metrics }] });
        const [read] = (info.toObject(info.decode(bytes)) as { nodes: { metrics: typeof metrics }[] }).nodes;
        // Minus zero is zero.
        expect(read?.metrics.items).toEqual({ rate: rate === 0 ? 0 : rate });
      }),
    );
  });
});
