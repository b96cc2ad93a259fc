import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, EncodeError } from './codec.ts';
import { clientError } from './errors.ts';
import { jsonCodec } from './json.ts';
import type { Command, Push, Reply } from './messages.ts';

const bytes = (s: string) => Buffer.from(s);
const decode = (s: string) => jsonCodec.decode(bytes(s));
const line = (message: Uint8Array) => Buffer.from(message).toString();
const reply = (r: Reply) => line(jsonCodec.reply(r));
const push = (p: Push) => line(jsonCodec.push(p));

describe('commands in JSON', () => {
  it('reads every command with its fields', () => {
    const commands = decode(
      [
        '{"id":1,"connect":{"token":"t","data":{"a":1.0},"name":"js","version":"1","headers":{"X-A":"b"},"subs":{"c":{"recover":true,"offset":7,"epoch":"e"}}}}',
        '{"id":2,"subscribe":{"channel":"c","token":"s","recover":true,"epoch":"e","offset":9007199254740991,"data":[1],"positioned":true,"recoverable":true,"join_leave":true,"delta":"fossil","flag":2,"type":1,"tf":{"op":"and","nodes":[{"key":"k","cmp":"in","vals":["a","b"]},{"op":"not","nodes":[{"key":"x","cmp":"eq","val":"1"}]}]}}}',
        '{"id":3,"unsubscribe":{"channel":"c"}}',
        '{"id":4,"publish":{"channel":"c","data":"x","type":1}}',
        '{"id":5,"presence":{"channel":"c"}}',
        '{"id":6,"presence_stats":{"channel":"c"}}',
        '{"id":7,"history":{"channel":"c","limit":-1,"since":{"offset":2,"epoch":"e"},"reverse":true}}',
        '{"id":8,"rpc":{"method":"m","data":null}}',
        '{"send":{"data":5}}',
        '{"id":9,"refresh":{"token":"t"}}',
        '{"id":10,"sub_refresh":{"channel":"c","token":"t","type":0}}',
        '{}',
      ].join('\n'),
    );
    const text = JSON.parse(
      JSON.stringify(commands, (_key, value: unknown) =>
        value !== null && typeof value === 'object' && 'type' in value && value.type === 'Buffer'
          ? Buffer.from((value as unknown as { data: number[] }).data).toString()
          : value,
      ),
    ) as Command[];
    expect(text).toMatchSnapshot();
  });

  it('copies payloads as they stand, out of a frame that is reused', () => {
    const frame = bytes(
      '{"id":1,"publish":{"channel":"c","data":{"a":1.0,"b":12345678901234567890,"a":"\\u00e9" } }}',
    );
    const [command] = jsonCodec.decode(frame);
    frame.fill(0);
    expect(command?.method === 'publish' && line(command.request.data)).toBe(
      '{"a":1.0,"b":12345678901234567890,"a":"\\u00e9" }',
    );
  });

  it('any JSON payload passes byte for byte', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, '\t'), (value, space) => {
        const payload = JSON.stringify(value, null, space).replaceAll('\n', ' ');
        const [command] = decode(`{"id":1,"publish":{"channel":"c","data":${payload}}}`);
        if (command?.method !== 'publish') throw new Error('not a publish');
        // `null` is a field not sent.
        expect(line(command.request.data)).toBe(payload === 'null' ? '' : payload);
        const encoded = line(
          jsonCodec.publication('c', { data: bytes(payload) }, { deltaNegotiated: false }),
        );
        expect(encoded).toBe(`{"push":{"channel":"c","pub":{"data":${payload}}}}\n`);
      }),
    );
  });

  it('takes the first request by precedence', () => {
    expect(decode('{"id":1,"publish":{"channel":"p"},"subscribe":{"channel":"s"}}')).toMatchObject([
      { method: 'subscribe', request: { channel: 's' } },
    ]);
  });

  it('passes over what it does not know, and null', () => {
    expect(
      decode('{"id":1,"new":{"x":[1]},"unsubscribe":{"channel":"c","later":{}},"publish":null}'),
    ).toEqual([{ id: 1, method: 'unsubscribe', request: { channel: 'c' } }]);
  });

  it('is not fooled by names of Object.prototype', () => {
    const [command] = decode(
      '{"id":1,"constructor":1,"__proto__":{"id":2},"connect":{"toString":"x","headers":{"__proto__":"p","a":"b"}}}',
    );
    expect(command?.id).toBe(1);
    if (command?.method !== 'connect') throw new Error('not a connect');
    expect(Object.entries(command.request.headers ?? {})).toEqual([
      ['__proto__', 'p'],
      ['a', 'b'],
    ]);
    expect(({} as { a?: string }).a).toBeUndefined();
  });

  it.each([
    ['an empty frame', ''],
    ['a blank line', '{}\n\n{}'],
    ['a line of spaces', '{}\n  \n'],
    ['broken JSON', '{"id":1,"publish":{"channel":"c","data":{]}}'],
    ['text after a command', '{} {}'],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['a request without an id', '{"publish":{"channel":"c"}}'],
    ['an id without a request', '{"id":1}'],
    ['a negative id', '{"id":-1,"unsubscribe":{"channel":"c"}}'],
    ['a fractional id', '{"id":1.5,"unsubscribe":{"channel":"c"}}'],
    ['a string id', '{"id":"1","unsubscribe":{"channel":"c"}}'],
    ['a number for a channel', '{"id":1,"subscribe":{"channel":5}}'],
    ['a string for a flag', '{"id":1,"subscribe":{"channel":"c","recover":"true"}}'],
    ['a list for a request', '{"id":1,"subscribe":[]}'],
    ['a ping', '{"id":1,"ping":{}}'],
    ['an offset below zero', '{"id":1,"subscribe":{"channel":"c","offset":-1}}'],
    ['an offset no double holds', '{"id":1,"subscribe":{"channel":"c","offset":9007199254740993}}'],
    [
      'a filter without end',
      `{"id":1,"subscribe":{"channel":"c","tf":${'{"nodes":['.repeat(70)}${']}'.repeat(70)}}}`,
    ],
  ])('refuses %s', (_name, frame) => {
    expect(() => decode(frame)).toThrow(DecodeError);
  });

  it('allows one newline at the end', () => {
    expect(decode('{}\n')).toHaveLength(1);
    expect(() => decode('{}\n\n')).toThrow(DecodeError);
  });

  it('never throws anything but DecodeError', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((a) => Buffer.from(a)),
      fc
        .tuple(fc.constantFrom('connect', 'subscribe', 'publish', 'history', 'send', 'ping'), fc.json())
        .map(([method, json]) => bytes(`{"id":1,"${method}":${json}}`)),
    );
    fc.assert(
      fc.property(noise, (frame) => {
        try {
          jsonCodec.decode(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('replies and pushes in JSON', () => {
  const info = { user: '', client: 'id', connInfo: bytes('{"n":1.0}') };

  it.each<[string, string]>([
    [reply({ id: 1, method: 'publish', result: {} }), '{"id":1,"publish":{}}'],
    [reply({ id: 1, method: 'subscribe', result: {} }), '{"id":1,"subscribe":{}}'],
    [
      reply({
        id: 2,
        method: 'subscribe',
        result: {
          expires: true,
          ttl: 5,
          recoverable: true,
          positioned: true,
          epoch: 'e',
          offset: 3,
          recovered: true,
          wasRecovering: true,
          publications: [{ data: bytes('1.0'), offset: 3, tags: { k: 'v"' } }],
          data: bytes('[ ]'),
        },
      }),
      '{"id":2,"subscribe":{"expires":true,"ttl":5,"recoverable":true,"epoch":"e","publications":[{"data":1.0,"offset":3,"tags":{"k":"v\\""}}],"recovered":true,"offset":3,"positioned":true,"data":[ ],"was_recovering":true}}',
    ],
    [
      reply({ id: 3, method: 'presence', result: { presence: new Map([['id', info]]) } }),
      '{"id":3,"presence":{"presence":{"id":{"user":"","client":"id","conn_info":{"n":1.0}}}}}',
    ],
    [
      reply({ id: 3, method: 'presence', result: { presence: new Map() } }),
      '{"id":3,"presence":{"presence":{}}}',
    ],
    [
      reply({ id: 4, method: 'presence_stats', result: { numClients: 0, numUsers: 0 } }),
      '{"id":4,"presence_stats":{"num_clients":0,"num_users":0}}',
    ],
    [
      reply({ id: 5, method: 'history', result: { publications: [], epoch: '', offset: 0 } }),
      '{"id":5,"history":{"publications":[],"epoch":"","offset":0}}',
    ],
    [
      reply({
        id: 6,
        method: 'connect',
        result: { client: 'c', version: '1', ping: 25, pong: true, subs: { a: {} } },
      }),
      '{"id":6,"connect":{"client":"c","version":"1","subs":{"a":{}},"ping":25,"pong":true}}',
    ],
    [reply({ id: 7, method: 'rpc', result: { data: bytes('null') } }), '{"id":7,"rpc":{"data":null}}'],
    [
      reply({ id: 8, method: 'refresh', result: { expires: true, ttl: 9 } }),
      '{"id":8,"refresh":{"expires":true,"ttl":9}}',
    ],
    [
      push({ type: 'join', channel: 'c', info }),
      '{"push":{"channel":"c","join":{"info":{"user":"","client":"id","conn_info":{"n":1.0}}}}}',
    ],
    [
      push({ type: 'unsubscribe', channel: 'c', code: 2000, reason: 'server unsubscribe' }),
      '{"push":{"channel":"c","unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}',
    ],
    [
      push({ type: 'subscribe', channel: 'c', recoverable: true, positioned: true, epoch: 'e', offset: 5 }),
      '{"push":{"channel":"c","subscribe":{"recoverable":true,"epoch":"e","offset":5,"positioned":true}}}',
    ],
    [push({ type: 'message', data: bytes('{}') }), '{"push":{"message":{"data":{}}}}'],
    [
      push({ type: 'disconnect', code: 3001, reason: 'shutdown' }),
      '{"push":{"disconnect":{"code":3001,"reason":"shutdown"}}}',
    ],
    [push({ type: 'refresh', expires: true, ttl: 60 }), '{"push":{"refresh":{"expires":true,"ttl":60}}}'],
  ])('%s', (encoded, expected) => {
    expect(encoded).toBe(`${expected}\n`);
    JSON.parse(encoded);
  });

  it('writes errors', () => {
    expect(line(jsonCodec.error(4, clientError('permissionDenied')))).toBe(
      '{"id":4,"error":{"code":103,"message":"permission denied"}}\n',
    );
    expect(line(jsonCodec.error(4, clientError('internal')))).toBe(
      '{"id":4,"error":{"code":100,"message":"internal server error","temporary":true}}\n',
    );
  });

  it('takes newlines out of a payload, where they are white space', () => {
    const encoded = line(
      jsonCodec.publication('c', { data: bytes('{\n"a":\r\n"\\n"}') }, { deltaNegotiated: false }),
    );
    expect(encoded).toBe('{"push":{"channel":"c","pub":{"data":{"a":\r"\\n"}}}}\n');
  });

  it('cannot carry what is not JSON', () => {
    expect(() => jsonCodec.publication('c', { data: bytes('{') }, { deltaNegotiated: false })).toThrow(
      EncodeError,
    );
    expect(() => jsonCodec.reply({ id: 1, method: 'rpc', result: { data: Buffer.from([0xff]) } })).toThrow(
      EncodeError,
    );
  });

  it('gives payloads as strings where deltas are negotiated', () => {
    const encoded = line(
      jsonCodec.publication('c', { data: bytes('{"a":"é"}'), offset: 2 }, { deltaNegotiated: true }),
    );
    expect(encoded).toBe('{"push":{"channel":"c","pub":{"data":"{\\"a\\":\\"é\\"}","offset":2}}}\n');
  });

  it('joins messages with newlines, none at the end', () => {
    expect(line(jsonCodec.frame([jsonCodec.ping]))).toBe('{}');
    expect(line(jsonCodec.frame([jsonCodec.ping, jsonCodec.ping, jsonCodec.ping]))).toBe('{}\n{}\n{}');
  });
});
