import { expect, test } from 'vitest';
import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { command, opening, Payload, type Command } from './commands.ts';
import { commandBytes } from './messages.ts';
import { mutate } from './mutate.ts';
import { recordSession } from './recording.ts';
import { session, type Frame } from './session.ts';
import { fuzz, testTimeout } from './stage.ts';

/** Payloads are bytes here, and numbers whole. */
function plain(value: unknown): unknown {
  if (value instanceof Payload) return Buffer.from(value.text);
  if (typeof value === 'number') return Math.trunc(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const encode = (message: Command): Uint8Array => commandBytes(plain(message) as Command);

const connect: Frame = { bytes: encode({ id: 1, connect: {} }) };

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function grammatical(random: Random, secret: string): Frame[] {
  const frames: Frame[] = [];
  let id = 1;
  let parts = [encode(opening(random, secret))];
  for (let n = random.int(20); n >= 0; n--) {
    if (random.oneIn(2)) {
      frames.push({ bytes: Buffer.concat(parts) });
      parts = [];
    }
    parts.push(encode(command(random, secret, ++id)));
  }
  return [...frames, { bytes: Buffer.concat(parts) }];
}

function mutated(random: Random, frames: readonly Uint8Array[]): Frame[] {
  const some = frames.filter((_, i) => i === 0 || random.oneIn(2));
  return some.map((bytes, i) => ({ bytes: random.oneIn(i === 0 ? 6 : 2) ? mutate(random, bytes) : bytes }));
}

const lies = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0x80, 0x00],
  [0x80],
  [],
];

/** A field head and a length that nothing follows, or too little, at some depth of messages with right lengths. */
function lying(random: Random): Frame {
  const tag =
    (random.pick([1, 4, 5, 7, 10, 13, 15, 16, 2 ** 28]) << 3) | random.pick([0, 1, 2, 2, 2, 3, 4, 5, 6, 7]);
  let body = [...varint(tag >>> 0), ...random.pick(lies), ...random.bytes(random.int(20))];
  for (let n = random.int(3); n > 0; n--)
    body = [0x08, 0x02, (random.pick([1, 2, 6, 8, 13]) << 3) | 2, ...varint(body.length), ...body];
  const length = random.oneIn(4) ? random.pick(lies) : varint(body.length);
  return { bytes: Buffer.from([...length, ...body]) };
}

/** Deeper than the oracle would write. */
function deepFilterCommand(depth: number): Uint8Array {
  let node = [0x1a, 0x02, ...Buffer.from('ex')];
  for (let n = 0; n < depth; n++)
    node = [0x0a, 0x03, ...Buffer.from('not'), 0x32, ...varint(node.length), ...node];
  const request = [0x0a, 0x01, ...Buffer.from('b'), 0x6a, ...varint(node.length), ...node];
  const message = [0x08, 0x02, 0x2a, ...varint(request.length), ...request];
  return Buffer.from([...varint(message.length), ...message]);
}

const many = (count: number, one: (id: number) => Command): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, (_, n) => encode(one(n + 2))));

/** As much as a frame holds, of one thing. Made once: making them takes longer than reading them. */
const bombs = [
  Buffer.alloc(65_536, 0),
  Buffer.alloc(65_536, 1),
  Buffer.alloc(65_536, 0xff),
  Buffer.from('ffffffff0f', 'hex'),
  many(2000, (id) => ({ id, publish: { channel: 'a', data: new Payload('1') } })),
  many(4000, (id) => ({ id, rpc: {} })),
  many(1500, (id) => ({ id, subscribe: { channel: `b${id}` } })),
  many(1000, (id) => ({ id, history: { channel: 'delta:a', limit: -1 } })),
  ...[31, 32, 33, 64, 3000].map(deepFilterCommand),
  encode({ id: 2, subscribe: { channel: 'b', tf: { op: 'and', nodes: Array(20_000).fill({}) } } }),
  encode({ id: 2, publish: { channel: 'a', data: new Payload(`"${'x'.repeat(60_000)}"`) } }),
  encode({
    id: 2,
    connect: { subs: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`c${n}`, {}])) },
  }),
];

function bomb(random: Random): Frame[] {
  const bytes = random.pick(bombs);
  return random.oneIn(8) ? [{ bytes }] : [connect, { bytes }];
}

/** The frames of one case. */
function frames(random: Random, secret: string, recorded: readonly Buffer[]): Frame[] {
  const kind = random.int(30);
  if (kind === 0) return bomb(random);
  if (kind < 8) return mutated(random, recorded);
  if (kind < 14)
    return mutated(
      random,
      grammatical(random, secret).map(({ bytes }) => bytes),
    );
  if (kind < 18) return [...(random.oneIn(3) ? [] : [connect]), lying(random)];
  if (kind < 20) return [connect, { bytes: random.bytes(random.int(3000)) }];
  return grammatical(random, secret);
}

test('commands in Protobuf', { timeout: testTimeout }, async () => {
  let recording: Promise<readonly Buffer[]> | undefined;
  const cases = await fuzz('protobuf', async (one) => {
    recording ??= recordSession(one.server, 'protobuf');
    const recorded = await recording;
    await session(one, 'protobuf', frames(one.random, one.server.tokenSecret, recorded));
  });
  expect(cases).toBeGreaterThan(100);
});
