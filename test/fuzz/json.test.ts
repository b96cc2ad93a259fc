import { expect, test } from 'vitest';
import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { command, deepFilter, opening, payload } from './commands.ts';
import { jsonText } from './json-text.ts';
import { mutate } from './mutate.ts';
import { recordSession } from './recording.ts';
import { session, type Frame } from './session.ts';
import { fuzz, testTimeout } from './stage.ts';

const frame = (text: string): Frame => ({ bytes: Buffer.from(text) });

const connect: Frame = { ...frame('{"id":1,"connect":{}}'), ids: [1] };

/** Commands by the grammar, some to a frame. @param odd one of so many values is a strange one; 0 for none */
function grammatical(random: Random, secret: string, odd: number): Frame[] {
  let id = 1;
  const frames: Frame[] = [];
  const first = opening(random, secret);
  let lines = [jsonText(random, first, random.oneIn(4) ? odd : 0)];
  let ids = [1];
  for (let n = random.int(25); n >= 0; n--) {
    if (random.oneIn(2)) {
      frames.push({ bytes: Buffer.from(lines.join('\n') + (random.oneIn(8) ? '\n' : '')), ids });
      lines = [];
      ids = [];
    }
    const next = command(random, secret, ++id);
    lines.push(jsonText(random, next, odd));
    ids.push(Number(next['id']));
  }
  frames.push({ bytes: Buffer.from(lines.join('\n')), ids });
  return odd === 0 ? frames : frames.map(({ bytes }) => ({ bytes }));
}

/** Parts of a session of an official client, most of them changed. */
function mutated(random: Random, recorded: readonly Buffer[]): Frame[] {
  const frames = recorded.filter((_, i) => i === 0 || random.oneIn(2));
  return frames.map((bytes, i) => {
    const changed = random.oneIn(i === 0 ? 6 : 2);
    return { bytes: changed ? mutate(random, bytes) : bytes };
  });
}

const times = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n + 2)).join('\n');

/** As much as a frame holds, of one thing. */
function bombs(random: Random): Frame[] {
  const deep = random.pick([31, 32, 33, 64, 65, 1000]);
  const text = random.pick<() => string>([
    () => times(10_000, () => '{}'),
    () => times(10_000, () => '\n'),
    () => times(2300, (id) => `{"id":${id},"rpc":{}}`),
    () => times(1500, (id) => `{"id":${id},"publish":{"channel":"a","data":1}}`),
    () => times(1400, (id) => `{"id":${id},"subscribe":{"channel":"b${id}"}}`),
    () => times(1400, () => '{"id":7,"subscribe":{"channel":"a"}}'),
    () => times(1000, (id) => `{"id":${id},"history":{"channel":"delta:a","limit":-1}}`),
    () =>
      times(
        700,
        (id) => `{"id":${id},"subscribe":{"channel":"a"}}\n{"id":${id},"unsubscribe":{"channel":"a"}}`,
      ),
    () => '['.repeat(65_000),
    () => '{"id":2,"publish":{"channel":"a","data":'.concat('{"a":'.repeat(10_000)),
    () =>
      `{"id":2,"publish":{"channel":"a","data":{${times(5000, (n) => `"k${n}":0`).replaceAll('\n', ',')}}}}`,
    () => `{"id":2,"publish":{"channel":"a","data":${payload(random).text}}}`,
    () => `{${times(5000, (n) => `"k${n}":0`).replaceAll('\n', ',')},"id":2,"rpc":{"method":"ping"}}`,
    () => JSON.stringify({ id: 2, subscribe: { channel: 'b', tf: deepFilter(deep) } }),
    () => `{"id":2,"subscribe":{"channel":"b","tf":{"op":"and","nodes":[${'{},'.repeat(15_000)}{}]}}}`,
    () => `{"id":2,"connect":{"subs":{${times(3000, (n) => `"c${n}":{}`).replaceAll('\n', ',')}}}}`,
    () => `{"id":2,"rpc":{"method":"${'\\u0061'.repeat(10_000)}"}}`,
    () => `{"id":${'9'.repeat(60_000)},"rpc":{}}`,
  ])();
  return random.oneIn(8) ? [frame(text)] : [connect, frame(text)];
}

test('commands in JSON', { timeout: testTimeout }, async () => {
  let recording: Promise<readonly Buffer[]> | undefined;
  const cases = await fuzz('json', async (one) => {
    recording ??= recordSession(one.server, 'json');
    const recorded = await recording;
    const { random, server } = one;
    const kind = random.int(30);
    if (kind === 0) await session(one, 'json', bombs(random));
    else if (kind < 10) await session(one, 'json', mutated(random, recorded));
    else await session(one, 'json', grammatical(random, server.tokenSecret, random.pick([0, 0, 20, 100])));
  });
  expect(cases).toBeGreaterThan(100);
});
