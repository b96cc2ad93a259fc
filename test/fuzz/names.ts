import type { Random } from '../../packages/protocol/src/random.testing.ts';

/** Channels that cases meet in, of every namespace. */
export const channels = [
  'a',
  'b',
  'list#42,43',
  '$private',
  'cache:a',
  'delta:a',
  'delta:b',
  'json:a',
  'regex:abc',
  'closed:a',
];

const oddNames = [
  '',
  ':',
  'nowhere:a',
  '$',
  '#',
  'a#',
  'regex:\u0430\u0431\u0432',
  '\u202eabc',
  'a\u0000b',
  'a\r\nb',
  '{a}',
  '{}',
  '__proto__',
  'constructor',
  'meta.a',
  '\ud800',
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(5000),
];

/** Mostly a channel of the pool, at times a name that is none, or a new one. */
export function channelName(random: Random): string {
  switch (random.int(12)) {
    case 0:
      return random.pick(oddNames);
    case 1:
      return `new${random.int(1000)}`;
    case 2:
      return random.text();
    default:
      return random.pick(channels);
  }
}
