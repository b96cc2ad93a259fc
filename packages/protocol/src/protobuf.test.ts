import { describe, expect, it } from 'vitest';
import { DecodeError } from './codec.ts';
import { clientError } from './errors.ts';
import { MAX_FILTER_DEPTH } from './filter.ts';
import type { Command, Publication } from './messages.ts';
import { protobufCodec as codec } from './protobuf.ts';

const form = { deltaNegotiated: false };

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A message inside of another one. */
function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function framed(content: Uint8Array): Buffer {
  return Buffer.concat([varint(content.length), content]);
}

/** A command with id 1. */
function command(request: number, content: Uint8Array): Buffer {
  return framed(Buffer.concat([hex('0801'), field(request, content)]));
}

describe('decode', () => {
  it('reads a command', () => {
    // id 7, publish (7): channel "ab", data 01 02
    const frame = hex('0c 08 07 3a 08 0a 02 61 62 12 02 01 02');
    expect(codec.decode(frame)).toEqual([
      { method: 'publish', id: 7, request: { channel: 'ab', data: hex('0102'), type: 0 } },
    ]);
  });

  it('reads several commands of one frame, in order, an empty one as a pong', () => {
    const frame = Buffer.concat([command(4, hex('')), hex('00'), command(13, hex('12 01 6d'))]);
    expect(codec.decode(frame)).toEqual<Command[]>([
      { method: 'connect', id: 1, request: { token: '', name: '', version: '' } },
      { method: 'pong', id: 0 },
      { method: 'rpc', id: 1, request: { method: 'm' } },
    ]);
  });

  it('takes a command with nothing but unknown fields and zeros for a pong', () => {
    expect(codec.decode(framed(hex('0800 a00601')))).toEqual([{ method: 'pong', id: 0 }]);
  });

  it('takes send without an id, and with one', () => {
    expect(codec.decode(framed(hex('62 00')))).toEqual([{ method: 'send', id: 0, request: {} }]);
    expect(codec.decode(framed(hex('08 05 62 00')))).toEqual([{ method: 'send', id: 5, request: {} }]);
  });

  it('lets the first request count, in the order of the protocol and not of the frame', () => {
    const two = (a: Buffer, b: Buffer): string[] =>
      codec.decode(framed(Buffer.concat([hex('0801'), a, b]))).map(({ method }) => method);
    const methods: [number, string][] = [
      [4, 'connect'],
      [5, 'subscribe'],
      [6, 'unsubscribe'],
      [7, 'publish'],
      [8, 'presence'],
      [9, 'presence_stats'],
      [10, 'history'],
      [13, 'rpc'],
      [12, 'send'],
      [14, 'refresh'],
      [15, 'sub_refresh'],
    ];
    for (const [i, [first, name]] of methods.entries()) {
      for (const [second] of methods.slice(i + 1)) {
        expect(two(field(first, hex('')), field(second, hex('')))).toEqual([name]);
        expect(two(field(second, hex('')), field(first, hex('')))).toEqual([name]);
      }
    }
  });

  it('lets the last of two equal fields count', () => {
    const frame = command(8, hex('0a0161 0a0162'));
    expect(codec.decode(frame)).toMatchObject([{ request: { channel: 'b' } }]);
    const twice = framed(Buffer.concat([hex('0801 0802'), field(8, hex('0a0161')), field(8, hex(''))]));
    expect(codec.decode(twice)).toEqual([{ method: 'presence', id: 2, request: { channel: '' } }]);
  });

  it('passes over fields that it does not know, of every wire type', () => {
    const unknown = hex('a006 8101 a106 0102030405060708 a206 02 ffff a506 01020304');
    const subscribe = Buffer.concat([unknown, hex('0a 01 63'), unknown]);
    const frame = framed(Buffer.concat([unknown, hex('08 01'), field(5, subscribe), unknown]));
    expect(codec.decode(frame)).toMatchObject([{ method: 'subscribe', id: 1, request: { channel: 'c' } }]);
  });

  it('reads numbers of every width', () => {
    const limit = (bytes: string): unknown => codec.decode(command(10, hex(`38 ${bytes}`)))[0]?.request;
    expect(limit('01')).toMatchObject({ limit: 1 });
    expect(limit('ffffffff07')).toMatchObject({ limit: 2 ** 31 - 1 });
    expect(limit('ffffffffffffffffff01')).toMatchObject({ limit: -1 });
    expect(limit('81 80 00')).toMatchObject({ limit: 1 });

    const offset = (bytes: string): unknown => codec.decode(command(5, hex(`38 ${bytes}`)))[0]?.request;
    expect(offset('ffffffff0f')).toMatchObject({ offset: 2 ** 32 - 1 });
    expect(offset('8080808010')).toMatchObject({ offset: 2 ** 32 });
    expect(offset('ffffffffffffff0f')).toMatchObject({ offset: Number.MAX_SAFE_INTEGER });

    const flag = (bytes: string): unknown => codec.decode(command(5, hex(`70 ${bytes}`)))[0]?.request;
    expect(flag('02')).toMatchObject({ flag: 2 });
    expect(flag('82808080808080808001')).toMatchObject({ flag: 2 });

    // Any bit makes a boolean true, the upper half's too.
    expect(codec.decode(command(10, hex('48 808080808010')))[0]?.request).toMatchObject({ reverse: true });
  });

  it('keeps all of a text, a byte order mark too', () => {
    const channel = '\ufeffпривет 😀\u0000';
    const frame = command(6, field(1, Buffer.from(channel)));
    expect(codec.decode(frame)).toEqual([{ method: 'unsubscribe', id: 1, request: { channel } }]);
  });

  it('holds no piece of the frame', () => {
    const frame = command(7, hex('0a0163 12026869'));
    const [publish] = codec.decode(frame);
    frame.fill(0);
    expect(publish?.request).toEqual({ channel: 'c', data: Buffer.from('hi'), type: 0 });
  });

  it('reads a frame that is a part of a larger buffer', () => {
    const whole = Buffer.concat([hex('ffff'), command(8, hex('0a0161')), hex('ffff')]);
    expect(codec.decode(whole.subarray(2, -2))).toEqual([
      { method: 'presence', id: 1, request: { channel: 'a' } },
    ]);
  });

  it('leaves out what is not there, and what is there and empty', () => {
    const empty = command(5, Buffer.concat([field(8, hex('')), hex('1800')]));
    const [subscribe] = codec.decode(empty);
    expect(Object.keys(subscribe?.request ?? {})).not.toContain('data');
    expect(codec.decode(command(4, field(3, hex(''))))).toMatchObject([
      { request: { subs: { '': { channel: '', offset: 0 } } } },
    ]);
  });

  it('takes any key for a map', () => {
    const entry = field(6, Buffer.concat([field(1, Buffer.from('__proto__')), field(2, Buffer.from('x'))]));
    const [connect] = codec.decode(command(4, entry));
    const headers = connect?.method === 'connect' ? connect.request.headers : undefined;
    expect(Object.entries(headers ?? {})).toEqual([['__proto__', 'x']]);
  });

  const nested = (depth: number): Buffer => {
    let node: Buffer = hex('');
    for (let i = 1; i < depth; i++) node = field(6, node);
    return command(5, field(13, node));
  };

  it('bounds the depth of filters', () => {
    const node = codec.decode(nested(MAX_FILTER_DEPTH))[0]?.request as { tf?: object } | undefined;
    expect(node?.tf).toBeDefined();
    expect(() => codec.decode(nested(MAX_FILTER_DEPTH + 1))).toThrow(DecodeError);
    expect(() => codec.decode(nested(1000))).toThrow(DecodeError);
  });

  const refused: readonly [string, Buffer][] = [
    ['an empty frame', hex('')],
    ['a length without a message', hex('05')],
    ['a length beyond the frame', hex('03 0801')],
    ['a length beyond 32 bits', hex('808080808001')],
    ['a length that goes on and on', hex('80'.repeat(11))],
    ['a length cut short', hex('80')],
    ['an id cut short', framed(hex('08'))],
    ['an id cut short by the end of its message', hex('02 0880 00')],
    ['a varint of eleven bytes', command(10, hex(`38 ${'80'.repeat(10)}01`))],
    ['a varint with more than 64 bits', command(10, hex(`38 ${'ff'.repeat(9)}02`))],
    ['an offset that no number can hold', command(5, hex('38 8080808080808010'))],
    ['an offset with the highest bit', command(5, hex('38 80808080808080808001'))],
    ['field number 0', framed(hex('0001'))],
    ['a field number too large', framed(hex('0801 a280808010 00'))],
    ['a group', framed(hex('0801 2200 a306 a406'))],
    ['wire type 6', framed(hex('0801 2200 a606'))],
    ['wire type 7', framed(hex('0801 2200 a706'))],
    ['an unknown field cut short', framed(hex('0801 2200 a506 0102'))],
    ['an unknown field with a length beyond its message', framed(hex('0801 2200 a206 7f 00'))],
    ['text where a number belongs', framed(hex('0a0161 2200'))],
    ['a number where text belongs', command(8, hex('0801'))],
    ['a number where a message belongs', framed(hex('0801 2001'))],
    ['a text that reaches out of its message', hex('08 0801 4203 0a04 61 62 6364')],
    ['a text that is not UTF-8', command(8, hex('0a02 c328'))],
    ['a surrogate in a text', command(8, hex('0a03 eda080'))],
    ['a request without an id', framed(hex('2200'))],
    ['an id without a request', framed(hex('0801'))],
    ['a ping', framed(hex('0801 5a00'))],
    ['a ping beside a request', framed(hex('0801 2200 5a00'))],
    ['a ping without an id', framed(hex('5a00'))],
    ['a good command before a bad one', Buffer.concat([command(8, hex('')), hex('01')])],
  ];
  it.each(refused)('refuses %s', (_, frame) => {
    expect(() => codec.decode(frame)).toThrow(DecodeError);
  });
});

describe('encode', () => {
  it('pings with an empty message', () => {
    expect(toHex(codec.ping)).toBe('00');
  });

  it('writes a publication', () => {
    const publication: Publication = { data: hex('7b7d'), offset: 300, tags: { k: 'v' }, delta: true };
    // push (4) { channel (2) "c", pub (4) { data (4), offset (6), tags (7), delta (8) } }
    const expected = '18 22 16 12 01 63 22 11 22 02 7b7d 30 ac02 3a 06 0a 01 6b 12 01 76 40 01'.replaceAll(
      ' ',
      '',
    );
    expect(toHex(codec.publication('c', publication, form))).toBe(expected);
    expect(toHex(codec.push({ type: 'pub', channel: 'c', pub: publication }))).toBe(expected);
    // Deltas are bytes like any others here.
    expect(toHex(codec.publication('c', publication, { deltaNegotiated: true }))).toBe(expected);
  });

  it('leaves out zero values, an empty payload among them, but no message', () => {
    const empty: Publication = {
      data: hex(''),
      info: { user: '', client: '' },
      offset: 0,
      delta: false,
      tags: {},
    };
    expect(toHex(codec.publication('', empty, form))).toBe('06 22 04 22 02 2a 00'.replaceAll(' ', ''));
    expect(toHex(codec.reply({ id: 3, method: 'publish', result: {} }))).toBe('0408034200');
    expect(toHex(codec.reply({ id: 3, method: 'unsubscribe', result: {} }))).toBe('0408033a00');
    expect(
      toHex(codec.reply({ id: 3, method: 'presence_stats', result: { numClients: 0, numUsers: 0 } })),
    ).toBe('0408035200');
  });

  it('writes an error', () => {
    // id 2, error (2) { code (1) 111, message (2), temporary (3) }
    const text = Buffer.from('too many requests').toString('hex');
    expect(toHex(codec.error(2, clientError('tooManyRequests')))).toBe(`1b08021217086f1211${text}1801`);
    expect(toHex(codec.error(2, clientError('badRequest', 'x')))).toBe('0908021205086b120178');
  });

  it('keeps the order of publications', () => {
    const publications = [1, 2, 3].map((offset) => ({ data: hex(''), offset }));
    const history = codec.reply({
      id: 1,
      method: 'history',
      result: { publications, epoch: 'e', offset: 3 },
    });
    expect(toHex(history)).toBe('15 0801 5a11 0a023001 0a023002 0a023003 120165 1803'.replaceAll(' ', ''));
  });

  it('writes text with a lone surrogate as valid UTF-8', () => {
    const bytes = codec.push({ type: 'disconnect', code: 1, reason: 'a\ud800' });
    expect(toHex(bytes)).toContain('61efbfbd');
  });

  it('writes a message of any size, and the next one', () => {
    const small = toHex(codec.publication('c', { data: hex('01') }, form));
    for (const size of [127, 128, 16_383, 16_384, 65_530, 65_536, 300_000, 5_000_000]) {
      const bytes = codec.publication('c', { data: Buffer.alloc(size, 7), epoch: 'tail' }, form);
      expect(bytes.length).toBeGreaterThan(size);
      expect(Buffer.from(bytes).includes(Buffer.alloc(size, 7))).toBe(true);
      expect(toHex(bytes.subarray(-6))).toBe('72047461696c');
      expect(toHex(codec.publication('c', { data: hex('01') }, form))).toBe(small);
    }
  });

  it('gives each message bytes of its own', () => {
    const first = codec.publication('c', { data: hex('01') }, form);
    const before = toHex(first);
    codec.publication('other', { data: hex('ffffffff') }, form);
    expect(toHex(first)).toBe(before);
  });

  it('leaves nothing of a failed message in the next one', () => {
    const good = toHex(codec.publication('c', { data: hex('01') }, form));
    const bad = { data: hex('02'), epoch: 'left behind', tags: { k: 5 as unknown as string } };
    expect(() => codec.publication('c', bad, form)).toThrow(TypeError);
    expect(toHex(codec.publication('c', { data: hex('01') }, form))).toBe(good);
  });

  it('joins messages to a frame', () => {
    const first = codec.ping;
    const second = codec.publication('c', { data: hex('01') }, form);
    expect(codec.frame([first])).toBe(first);
    expect(toHex(codec.frame([first, second, first]))).toBe(`00${toHex(second)}00`);
  });
});
