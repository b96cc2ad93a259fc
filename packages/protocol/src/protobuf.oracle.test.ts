import { readFileSync } from 'node:fs';
import { Centrifuge } from 'centrifuge/build/protobuf';
import protobufjs from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { DecodeError } from './codec.ts';
import { ClientError } from './errors.ts';
import type {
  ClientInfo,
  Command,
  FilterNode,
  Method,
  Publication,
  Push,
  Reply,
  Requests,
  Results,
  SubscribeRequest,
  SubscribeResult,
} from './messages.ts';
import { protobufCodec as codec } from './protobuf.ts';
import { randomFrom, seedOfRun } from './random.testing.ts';

/**
 * The codec against one that is made from `proto/client.proto` when the test runs, and against the one of the official
 * client: a field number that differs, on any side, fails here.
 */

const source = readFileSync(new URL('../../../proto/client.proto', import.meta.url), 'utf8');
const { root } = protobufjs.parse(source, { keepCase: true });
const CommandType = root.lookupType('centrifugal.centrifuge.protocol.Command');
const ReplyType = root.lookupType('centrifugal.centrifuge.protocol.Reply');

type Json = Readonly<Record<string, unknown>>;

function encodeByOracle(type: protobufjs.Type, message: Json): Uint8Array {
  return type.encodeDelimited(type.fromObject(message)).finish();
}

/** Only what is on the wire: no defaults are filled in. */
function decodeByOracle(type: protobufjs.Type, bytes: Uint8Array): Json {
  return type.toObject(type.decodeDelimited(bytes), { longs: Number, bytes: String });
}

const maps = new Set(['tags', 'subs', 'headers', 'presence']);

/** One of our messages in the names of the wire: payloads in base64, zero values left out, messages kept. */
function wire(value: object, isMap = false): Json {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const out: Record<string, unknown> = {};
  for (const [key, item] of entries) {
    const name = isMap ? key : key.replaceAll(/[A-Z]/g, (letter: string) => `_${letter.toLowerCase()}`);
    const plain = wireValue(item, maps.has(key));
    if (isMap || !isZero(plain, maps.has(key))) out[name] = plain;
  }
  return out;
}

function wireValue(item: unknown, isMap: boolean): unknown {
  if (item instanceof Uint8Array) return Buffer.from(item).toString('base64');
  if (Array.isArray(item)) return item.map((one: unknown) => wireValue(one, false));
  return typeof item === 'object' && item !== null ? wire(item, isMap) : item;
}

function isZero(item: unknown, isMap: boolean): boolean {
  if (Array.isArray(item)) return item.length === 0;
  if (isMap) return Object.keys(item as object).length === 0;
  return item === undefined || item === '' || item === 0 || item === false;
}

const seed = seedOfRun();
console.log(`protobuf: SEED=${seed}`);
const random = randomFrom(seed);
const flip = (): boolean => random.oneIn(2);
const text = (): string => random.text();
const payload = (): Buffer => random.bytes(random.pick([1, 2, 50, 127, 128, random.int(20_000) + 1]));
const count = (): number => random.pick([0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1]);
const offset = (): number =>
  random.pick([0, 1, 300, 2 ** 32 - 1, 2 ** 32, 2 ** 42 + 7, Number.MAX_SAFE_INTEGER]);

/** A field that may be absent, to be spread. */
function maybe<K extends string, V>(key: K, make: () => V): { [P in K]?: V } {
  return (flip() ? { [key]: make() } : {}) as { [P in K]?: V };
}

function list<T>(make: () => T, atLeast = 0): T[] {
  return Array.from({ length: atLeast + random.int(4) }, make);
}

function mapOf<T>(make: () => T): Record<string, T> {
  return Object.fromEntries(list(() => [`k${text()}`, make()] as const, 1));
}

function filter(depth = 0): FilterNode {
  return {
    ...maybe('op', () => `o${text()}`),
    ...maybe('key', () => `k${text()}`),
    ...maybe('cmp', () => `c${text()}`),
    ...maybe('val', () => `v${text()}`),
    ...maybe('vals', () => list(text, 1)),
    ...(depth < 4 ? maybe('nodes', () => list(() => filter(depth + 1), 1)) : {}),
  };
}

function subscribeRequest(): SubscribeRequest {
  return {
    channel: text(),
    token: text(),
    recover: flip(),
    epoch: text(),
    offset: offset(),
    ...maybe('data', payload),
    positioned: flip(),
    recoverable: flip(),
    joinLeave: flip(),
    delta: text(),
    ...maybe('tf', filter),
    flag: random.pick([0, 1, 2, 3, 2 ** 32 - 1]),
    type: random.pick([0, 4, -1, -(2 ** 31)]),
  };
}

const requests: { readonly [M in Method]: () => Requests[M] } = {
  connect: () => ({
    token: text(),
    name: text(),
    version: text(),
    ...maybe('data', payload),
    ...maybe('subs', () => mapOf(subscribeRequest)),
    ...maybe('headers', () => mapOf(text)),
  }),
  subscribe: subscribeRequest,
  unsubscribe: () => ({ channel: text() }),
  publish: () => ({ channel: text(), data: flip() ? payload() : Buffer.alloc(0), type: random.int(3) }),
  presence: () => ({ channel: text() }),
  presence_stats: () => ({ channel: text() }),
  history: () => ({
    channel: text(),
    limit: random.pick([0, 1, 300, -1, 2 ** 31 - 1, -(2 ** 31)]),
    ...maybe('since', () => ({ offset: offset(), epoch: text() })),
    reverse: flip(),
  }),
  rpc: () => ({ method: text(), ...maybe('data', payload) }),
  send: () => maybe('data', payload),
  refresh: () => ({ token: text() }),
  sub_refresh: () => ({ channel: text(), token: text(), type: random.int(3) }),
};
const methods = Object.keys(requests) as Method[];

function command(method: Method): Command {
  const id = method === 'send' ? random.int(2) : random.pick([1, 127, 128, 2 ** 32 - 1]);
  return { method, id, request: requests[method]() } as Command;
}

function encodeCommand({ method, id, request }: Command): Uint8Array {
  return encodeByOracle(CommandType, { id, [method]: request === undefined ? undefined : wire(request) });
}

function info(): ClientInfo {
  return { user: text(), client: text(), ...maybe('connInfo', payload), ...maybe('chanInfo', payload) };
}

function publication(): Publication {
  return {
    data: flip() ? payload() : Buffer.alloc(0),
    ...maybe('info', info),
    ...maybe('offset', offset),
    ...maybe('tags', () => mapOf(text)),
    ...maybe('delta', flip),
    ...maybe('epoch', text),
    ...maybe('version', offset),
  };
}

function subscribeResult(): SubscribeResult {
  return {
    ...maybe('expires', flip),
    ...maybe('ttl', count),
    ...maybe('recoverable', flip),
    ...maybe('epoch', text),
    ...maybe('publications', () => list(publication)),
    ...maybe('recovered', flip),
    ...maybe('offset', offset),
    ...maybe('positioned', flip),
    ...maybe('data', payload),
    ...maybe('wasRecovering', flip),
    ...maybe('delta', flip),
  };
}

const results: { readonly [M in keyof Results]: () => Results[M] } = {
  connect: () => ({
    client: text(),
    version: text(),
    ...maybe('expires', flip),
    ...maybe('ttl', count),
    ...maybe('data', payload),
    ...maybe('subs', () => mapOf(subscribeResult)),
    ...maybe('ping', count),
    ...maybe('pong', flip),
    ...maybe('session', text),
    ...maybe('node', text),
    ...maybe('time', offset),
  }),
  subscribe: subscribeResult,
  unsubscribe: () => ({}),
  publish: () => ({}),
  presence: () => ({ presence: new Map(Object.entries(mapOf(info))) }),
  presence_stats: () => ({ numClients: count(), numUsers: count() }),
  history: () => ({ publications: list(publication), epoch: text(), offset: offset() }),
  rpc: () => maybe('data', payload),
  refresh: () => ({ ...maybe('expires', flip), ...maybe('ttl', count) }),
  sub_refresh: () => ({ ...maybe('expires', flip), ...maybe('ttl', count) }),
};

const pushes: { readonly [T in Push['type']]: () => Push } = {
  pub: () => ({ type: 'pub', channel: text(), pub: publication() }),
  join: () => ({ type: 'join', channel: text(), info: info() }),
  leave: () => ({ type: 'leave', channel: text(), info: info() }),
  unsubscribe: () => ({ type: 'unsubscribe', channel: text(), code: count(), reason: text() }),
  subscribe: () => ({
    type: 'subscribe',
    channel: text(),
    ...maybe('recoverable', flip),
    ...maybe('positioned', flip),
    ...maybe('epoch', text),
    ...maybe('offset', offset),
    ...maybe('data', payload),
  }),
  message: () => ({ type: 'message', data: payload() }),
  disconnect: () => ({ type: 'disconnect', code: count(), reason: text() }),
  refresh: () => ({ type: 'refresh', ...maybe('expires', flip), ...maybe('ttl', count) }),
};

/** A push as it is on the wire. */
function wirePush(push: Push): Json {
  if (push.type === 'pub') return { push: wire({ channel: push.channel, pub: push.pub }) };
  const { type, ...fields } = push;
  const channel = 'channel' in fields ? fields.channel : '';
  return { push: wire({ channel, [type]: wire({ ...fields, channel: '' }) }) };
}

describe('against a codec made from client.proto', () => {
  it.each(methods)('reads %s', (method) => {
    for (let i = 0; i < 200; i++) {
      const sent = command(method);
      expect(codec.decode(encodeCommand(sent))).toEqual([sent]);
    }
  });

  it('reads frames of many commands', () => {
    for (let i = 0; i < 50; i++) {
      const sent = list(() => command(random.pick(methods)), 1);
      expect(codec.decode(codec.frame(sent.map(encodeCommand)))).toEqual(sent);
    }
  });

  it.each(Object.keys(results) as (keyof Results)[])('writes the result of %s', (method) => {
    for (let i = 0; i < 200; i++) {
      const reply = { id: count(), method, result: results[method]() } as Reply;
      const expected = { ...wire({ id: reply.id }), [method]: wire(reply.result) };
      expect(decodeByOracle(ReplyType, codec.reply(reply))).toEqual(expected);
    }
  });

  it.each(Object.keys(pushes) as Push['type'][])('writes a push of %s', (type) => {
    for (let i = 0; i < 200; i++) {
      const push = pushes[type]();
      expect(decodeByOracle(ReplyType, codec.push(push))).toEqual(wirePush(push));
    }
  });

  it('writes errors', () => {
    for (let i = 0; i < 100; i++) {
      const error = { code: count(), message: text(), temporary: flip() };
      const bytes = codec.error(7, new ClientError(error.code, error.message, error.temporary));
      expect(decodeByOracle(ReplyType, bytes)).toEqual({ id: 7, error: wire(error) });
    }
  });
});

describe('against the codec of the official client', () => {
  const { _codec: client } = new Centrifuge('ws://127.0.0.1:1') as unknown as {
    _codec: {
      encodeCommands(commands: readonly Json[]): Uint8Array;
      decodeReplies(frame: Uint8Array): readonly Json[];
    };
  };
  /** What it has read, with bytes in base64 and its 64-bit integers as numbers. */
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    if ('toNumber' in value) return (value as { toNumber(): number }).toNumber();
    const entries = Object.entries(value).map(([key, item]) => [key, plain(item)] as const);
    // It makes a map where none was sent.
    return Object.fromEntries(entries.filter(([key, item]) => !maps.has(key) || !isZero(item, true)));
  };

  it('reads what it sends', () => {
    for (let i = 0; i < 300; i++) {
      const sent = list(() => command(random.pick(methods)), 1);
      const commands = sent.map(({ id, method, request }) => ({ id, [method]: wire(request ?? {}) }));
      expect(codec.decode(client.encodeCommands(commands))).toEqual(sent);
    }
  });

  it('writes what it reads', () => {
    for (let i = 0; i < 300; i++) {
      const push = pushes[random.pick(Object.keys(pushes) as Push['type'][])]();
      const id = count();
      const frame = codec.frame([
        codec.push(push),
        codec.ping,
        codec.error(id, new ClientError(107, 'bad request')),
      ]);
      const error = { code: 107, message: 'bad request' };
      expect(plain(client.decodeReplies(frame))).toEqual([wirePush(push), {}, { ...wire({ id }), error }]);
    }
  });
});

describe('with bytes of any kind', () => {
  /** What else than DecodeError a frame leads to. */
  const failure = (frame: Uint8Array): unknown => {
    try {
      codec.decode(frame);
      return undefined;
    } catch (error) {
      return error instanceof DecodeError ? undefined : error;
    }
  };

  it('throws nothing but DecodeError for random bytes', () => {
    for (let i = 0; i < 20_000; i++) expect(failure(random.bytes(random.int(60)))).toBeUndefined();
  });

  it('throws nothing but DecodeError for frames that were damaged', () => {
    for (let i = 0; i < 10_000; i++) {
      let frame: Buffer = Buffer.from(encodeCommand(command(random.pick(methods))));
      for (let damage = random.int(4); damage >= 0; damage--) frame = damaged(frame);
      expect(failure(frame)).toBeUndefined();
    }
  });

  it('gets through the worst that a frame may hold', () => {
    const size = 1024 * 1024;
    expect(codec.decode(Buffer.alloc(size))).toHaveLength(size);
    const filled = (entry: readonly number[]): Buffer => Buffer.alloc(size, Buffer.from(entry));
    const contents = [
      delimited(4, filled([0x1a, 0])), // entries of a map
      delimited(5, delimited(13, filled([0x32, 0]))), // nodes of a filter
      delimited(5, filled([0x7a, 0])), // a known field of another type
      delimited(5, filled([0xaa, 6, 0])), // unknown fields
    ];
    for (const content of contents) {
      const whole = Buffer.concat([Buffer.from([8, 1]), content]);
      expect(failure(Buffer.concat([varint(whole.length), whole]))).toBeUndefined();
    }
  });
});

function varint(value: number): Buffer {
  return Buffer.from(protobufjs.Writer.create().uint32(value).finish());
}

function delimited(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

/** A copy with one thing changed, about the length in front too. */
function damaged(frame: Buffer): Buffer {
  const at = random.int(frame.length + 1);
  const until = at + random.int(Math.min(8, frame.length - at + 1));
  const before = frame.subarray(0, at);
  const after = frame.subarray(until);
  switch (random.int(4)) {
    case 0:
      return Buffer.from(before);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, random.bytes(until - at), after]);
    default:
      return Buffer.concat([
        before,
        frame.subarray(at, until),
        random.bytes(random.int(3)),
        frame.subarray(at),
      ]);
  }
}
