import type { Random } from '../../packages/protocol/src/random.testing.ts';

/** What breaks parsers: ends of ranges, signs of a grammar, halves of characters. */
const nasty = [
  ...'{ } [ ] " \\ , : \n \0 - 0 1e309 1e-309 null true "" {} [] -1 1.0 18446744073709551616'.split(' '),
  ...'\\u0000 \\ud800 \\udc00\\ud800 \ufeff \u2028'.split(' '),
  ...'"__proto__": "constructor": "id": "connect": "subs": "tf":'.split(' '),
  '\n'.repeat(3),
  '['.repeat(100),
  '{"a":'.repeat(70),
].map((text) => Buffer.from(text));

/** Ends of ranges, broken UTF-8; varints: the most that fits 32 bits and 64, one that never ends. */
const nastyBytes = [
  '00',
  'ff',
  '80',
  '7f',
  'c080',
  'eda080',
  'f4908080',
  'ffffffff0f',
  `${'ff'.repeat(9)}01`,
  'ff'.repeat(11),
].map((hex) => Buffer.from(hex, 'hex'));

/** Changes a few places of some bytes. */
export function mutate(random: Random, bytes: Uint8Array): Buffer {
  let now: Buffer = Buffer.from(bytes);
  for (let times = 1 + random.int(random.oneIn(4) ? 12 : 3); times > 0; times--)
    now = mutateOnce(random, now);
  return now;
}

function mutateOnce(random: Random, bytes: Buffer): Buffer {
  const at = random.int(bytes.length + 1);
  const to = Math.min(bytes.length, at + random.int(random.oneIn(3) ? 200 : 8));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (random.int(9)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = flipped[at]! ^ (1 << random.int(8));
      return flipped;
    }
    case 1:
      return Buffer.concat([before, random.bytes(1 + random.int(4)), after]);
    case 2:
      return Buffer.concat([before, bytes.subarray(to)]);
    case 3:
      // A part once more, elsewhere.
      return Buffer.concat([before, bytes.subarray(at, to), after]);
    case 4:
      return Buffer.concat([before, bytes.subarray(random.int(bytes.length + 1), to), bytes.subarray(to)]);
    case 5:
      return Buffer.concat([before, random.pick(nasty), after]);
    case 6:
      return Buffer.concat([before, random.pick(nasty), bytes.subarray(to)]);
    case 7:
      return Buffer.concat([before, random.pick(nastyBytes), random.oneIn(2) ? after : bytes.subarray(to)]);
    default:
      return Buffer.from(before);
  }
}
