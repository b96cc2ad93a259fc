import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { jwt } from '../harness/index.ts';
import { channelName } from './names.ts';

/** A payload: text of JSON, sound or not, that stands in a message as it is. */
export class Payload {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A command, its fields by their names of the wire; every value may be one that does not belong there. */
export type Command = Record<string, unknown>;

const numbers = [0, 1, -1, 2, 20, 300, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER, -(2 ** 31), 1.5];

const payloads = [
  '{}',
  '1',
  'null',
  '"text"',
  '{"n":12345678901234567890,"f":1.0}',
  '[1e309,-1e309,1e-400]',
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '" \\n\\u0000\\u2028"',
  '{"a":{"b":[{"c":"d"}]}}',
  '{"a":1,"a":2}',
  '[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]',
];

export function payload(random: Random): Payload {
  switch (random.int(12)) {
    case 0: {
      const depth = random.pick([10, 62, 63, 64, 65, 66, 3000]);
      return new Payload('['.repeat(depth) + ']'.repeat(depth));
    }
    case 1:
      return new Payload(`"${'x'.repeat(random.pick([100, 5000, 60_000]))}"`);
    case 2:
      return new Payload(JSON.stringify({ [random.text()]: random.text() }));
    case 3:
      // JSON that is none.
      return new Payload(
        random.pick(['{', '{"a":}', '01', 'nul', '"\\x"', '[1,]', '{"a" 1}', '"a', '\u00a0 1']),
      );
    default:
      return new Payload(random.pick(payloads));
  }
}

/** Tokens of users that are only here, good and bad. */
export function token(random: Random, secret: string, channel: string): string {
  const user = random.pick(['', '42', '43']);
  switch (random.int(9)) {
    case 0:
      return random.text();
    case 1:
      return jwt({ sub: user }, 'another secret');
    case 2:
      return jwt({ sub: user, exp: 1 }, secret);
    case 3:
      return jwt({ sub: user, channels: [channel, channel, 'a', 'cache:a'] }, secret);
    case 4:
      return jwt(
        { sub: user, subs: { [channel]: { info: { a: 1 }, override: { presence: { value: true } } } } },
        secret,
      );
    case 5:
      return `${jwt({ sub: user, channel }, secret)}${random.pick(['', '', '.', 'A', '='])}`;
    default:
      return jwt(random.oneIn(2) ? { sub: user } : { sub: user, channel }, secret);
  }
}

function filter(random: Random, depth = 0): object {
  if (depth < 40 && random.oneIn(depth === 0 ? 2 : 3)) {
    const nodes = Array.from({ length: random.int(4) }, () => filter(random, depth + 1));
    return { op: random.pick(['and', 'or', 'not', 'xor', '']), nodes };
  }
  return {
    key: random.pick(['a', '', '__proto__', 'constructor', random.text()]),
    cmp: random.pick([
      'eq',
      'neq',
      'in',
      'nin',
      'ex',
      'nex',
      'sw',
      'ew',
      'ct',
      'gt',
      'gte',
      'lt',
      'lte',
      'zz',
      '',
    ]),
    val: random.pick(['1', '', 'x', '1e309', random.text()]),
    ...(random.oneIn(2) ? { vals: ['a', random.text()] } : {}),
  };
}

/** A filter of so many `not`s. */
export function deepFilter(depth: number): object {
  let node: object = { key: 'a', cmp: 'ex' };
  for (let n = 0; n < depth; n++) node = { op: 'not', nodes: [node] };
  return node;
}

const flag = (random: Random): boolean => random.oneIn(2);

function subscribeRequest(random: Random, secret: string): Command {
  const channel = channelName(random);
  return {
    channel,
    ...(random.oneIn(4) ? { token: token(random, secret, channel) } : {}),
    ...(random.oneIn(2)
      ? {
          recover: flag(random),
          epoch: random.pick(['', 'abcd', random.text()]),
          offset: random.pick(numbers),
        }
      : {}),
    ...(random.oneIn(3)
      ? { positioned: flag(random), recoverable: flag(random), join_leave: flag(random) }
      : {}),
    ...(random.oneIn(4) ? { delta: random.pick(['fossil', 'fossil', '', 'x']) } : {}),
    ...(random.oneIn(6)
      ? { tf: random.oneIn(4) ? deepFilter(random.pick([5, 31, 32, 33, 60])) : filter(random) }
      : {}),
    ...(random.oneIn(8)
      ? { flag: random.pick(numbers), type: random.pick(numbers), data: payload(random) }
      : {}),
  };
}

function connectRequest(random: Random, secret: string): Command {
  const map = (value: () => unknown): Command =>
    Object.fromEntries(Array.from({ length: random.int(4) }, () => [channelName(random), value()]));
  return {
    ...(random.oneIn(2) ? { token: token(random, secret, channelName(random)) } : {}),
    ...(random.oneIn(4) ? { name: random.text(), version: random.text(), data: payload(random) } : {}),
    ...(random.oneIn(5) ? { subs: map(() => subscribeRequest(random, secret)) } : {}),
    ...(random.oneIn(5) ? { headers: map(() => random.text()) } : {}),
  };
}

type Maker = (random: Random, secret: string) => Command;

const channelOnly: Maker = (random) => ({ channel: channelName(random) });

const requests: Readonly<Record<string, Maker>> = {
  connect: connectRequest,
  subscribe: subscribeRequest,
  unsubscribe: channelOnly,
  publish: (random) => ({ channel: channelName(random), data: payload(random) }),
  presence: channelOnly,
  presence_stats: channelOnly,
  history: (random) => ({
    channel: channelName(random),
    limit: random.pick(numbers),
    ...(random.oneIn(2) ? { since: { offset: random.pick(numbers), epoch: random.text() } } : {}),
    reverse: flag(random),
  }),
  rpc: (random) => ({ method: random.pick(['ping', '', random.text()]), data: payload(random) }),
  send: (random) => ({ data: payload(random) }),
  refresh: (random, secret) => ({ token: token(random, secret, 'a') }),
  sub_refresh: (random, secret) => {
    const channel = channelName(random);
    return { channel, token: token(random, secret, channel) };
  },
};

/** Of those that end the connection, as `send` does here, only few: what comes after them is not looked at. */
const methods = [
  'subscribe',
  'subscribe',
  'subscribe',
  'unsubscribe',
  'publish',
  'publish',
  'presence',
  'history',
];
const others = ['presence_stats', 'rpc', 'rpc', 'sub_refresh', 'refresh', 'connect', 'send', 'ping', 'dance'];

const ids = [0, -1, 1, 2 ** 32, 2 ** 32 - 1, 2 ** 53, 1.5];

/** A command, mostly a right one. @param id its own, which it mostly gets */
export function command(random: Random, secret: string, id: number): Command {
  const method = random.oneIn(6) ? random.pick(others) : random.pick(methods);
  return {
    id: random.oneIn(40) ? random.pick(ids) : id,
    [method]: requests[method]?.(random, secret) ?? {},
    // A second request in one command.
    ...(random.oneIn(60) ? { [random.pick(methods)]: channelOnly(random, secret) } : {}),
  };
}

/** What a session begins with, mostly so that it goes on. */
export function opening(random: Random, secret: string): Command {
  if (random.oneIn(20)) return command(random, secret, 1);
  return { id: 1, connect: random.oneIn(3) ? connectRequest(random, secret) : {} };
}
