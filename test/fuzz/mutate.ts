import type { Random } from '../../packages/protocol/src/random.testing.ts';

/** What breaks parsers: ends of ranges, signs of a grammar, halves of characters. */
const nasty = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '\n',
    '\u0000',
    '-',
    '0',
    '1e309',
    '1e-309',
    'null',
    'true',
    '""',
  ],
  ...[
    '{}',
    '[]',
    '\\u0000',
    '\\ud800',
    '\\udc00\\ud800',
    '\ufeff',
    '\u2028',
    '18446744073709551616',
    '-1',
    '1.0',
  ],
  ...['"__proto__":', '"constructor":', '"id":', '"connect":', '"subs":', '"tf":'],
  '\n'.repeat(3),
  '['.repeat(100),
  '{"a":'.repeat(70),
].map((text) => Buffer.from(text));

const nastyBytes = [
  ...[[0x00], [0xff], [0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x7f]],
  // Varints: the most that fits 32 bits and 64, one that never ends.
  ...[
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  ],
  Array.from({ length: 11 }, () => 0xff),
].map((bytes) => Buffer.from(bytes));

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
