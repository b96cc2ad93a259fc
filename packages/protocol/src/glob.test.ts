import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.ts';

const matches: readonly [pattern: string, names: readonly string[], others: readonly string[]][] = [
  ['', [''], ['a', ' ']],
  ['news', ['news'], ['new', 'newss', 'NEWS', 'xnews', '']],
  ['*', ['', 'a', 'a:b.c/d', 'two\nlines', '😀'], []],
  ['chat:*', ['chat:', 'chat:a', 'chat:a:b.c/d'], ['chat', 'xchat:a', 'Chat:a']],
  ['*:*', [':', 'a:b', 'a:b:c'], ['', 'ab']],
  ['a*b*c', ['abc', 'a-b-c', 'abbcc', 'abcbc'], ['acb', 'ab', 'abcd']],
  ['**', ['', 'abc'], []],
  ['a?c', ['abc', 'a:c', 'a😀c', 'a\nc'], ['ac', 'abbc']],
  ['?', ['é', '😀', '*'], ['', '😀😀']],
  ['[abc]', ['a', 'b', 'c'], ['d', '', 'ab', '-']],
  ['[a-c0-2]', ['a', 'b', 'c', '0', '2'], ['d', '3', '-']],
  ['[!a-c]', ['d', '-', '!', '😀', '\n'], ['a', 'b', 'c', '', 'dd']],
  ['[😀-😂]', ['😀', '😁', '😂'], ['😃', '\ud83d']],
  ['[a-]', ['a', '-'], ['b']],
  ['[-a]', ['a', '-'], ['b']],
  ['[a!]', ['a', '!'], ['b']],
  ['[{*?,}[]', ['{', '*', '?', ',', '}', '['], ['a', '\\']],
  ['[\\]\\-\\\\]', [']', '-', '\\'], ['a']],
  ['[a\\-z]', ['a', '-', 'z'], ['m', '\\']],
  ['{a,b}', ['a', 'b'], ['', 'ab', ',', '{a,b}']],
  ['x{a,b}y', ['xay', 'xby'], ['xy', 'xaby']],
  ['{a,{b,c*}d}e', ['ae', 'bde', 'cde', 'cxxde'], ['e', 'be', 'cxx']],
  ['{news,chat:[0-9]?*}', ['news', 'chat:1a', 'chat:12345'], ['chat:1', 'chat:ab', 'news1']],
  ['{,a}b', ['b', 'ab'], ['aab', 'a']],
  ['{}', [''], ['{}']],
  ['{*,b}c', ['c', 'bc', 'xyzc'], ['b', 'cb']],
  ['a,b', ['a,b'], ['a', 'b']],
  ['\\*\\?\\[\\]\\{\\}\\,\\\\\\a', ['*?[]{},\\a'], ['']],
  ['{a\\,b,\\}}', ['a,b', '}'], ['a', 'b']],
];

const invalid = [
  '[',
  '[a',
  '[]',
  '[!]',
  '[a-',
  '[z-a]',
  ']',
  '{',
  '{a',
  '{a,',
  '{a,{b}',
  '}',
  'a}',
  '\\',
  'a\\',
  '[\\',
  '{[,]',
];

describe('compileGlob', () => {
  it.each(matches)('%j matches %j and not %j', (pattern, names, others) => {
    const glob = compileGlob(pattern);
    // Twice, since a matcher is used for many names.
    for (let round = 0; round < 2; round++) {
      expect(names.filter((name) => !glob(name))).toEqual([]);
      expect(others.filter((name) => glob(name))).toEqual([]);
    }
  });

  it.each(invalid)('refuses %j', (pattern) => {
    expect(() => compileGlob(pattern)).toThrow(SyntaxError);
  });

  it('takes 256 characters and no more, however many units they have', () => {
    expect(compileGlob('😀'.repeat(256))('😀'.repeat(256))).toBe(true);
    expect(() => compileGlob('a'.repeat(257))).toThrow(SyntaxError);
    expect(() => compileGlob('😀'.repeat(257))).toThrow(SyntaxError);
    expect(() => compileGlob('*'.repeat(50_000_000))).toThrow(SyntaxError);
  });

  it('does bounded work whatever the pattern', () => {
    // Each of these keeps a matcher that tries one way after another busy for longer than the test may take.
    const hostile = [
      `${'*a'.repeat(98)}[!a]`,
      `${'{a,?}'.repeat(50)}b`,
      `${'{,a}'.repeat(63)}b`,
      `${'{*,a*}'.repeat(42)}b`,
      `${'{'.repeat(100)}*a*a*a*a*a*a*a*a*a*b${'}'.repeat(100)}`,
    ];
    const name = 'a'.repeat(255);
    for (const pattern of hostile) {
      const glob = compileGlob(pattern);
      expect([pattern, glob(name), glob(`${name}b`)]).toEqual([
        pattern,
        false,
        pattern !== hostile[1] && pattern !== hostile[2],
      ]);
    }
  });

  const seed = Math.floor(Math.random() * 2 ** 32);
  it(`agrees with regular expressions on random patterns (seed ${seed})`, () => {
    const random = generator(seed);
    for (let i = 0; i < 5000; i++) {
      const [pattern, source] = randomPattern(random, 2);
      const glob = compileGlob(pattern);
      const oracle = new RegExp(`^${source}$`, 'su');
      const names = Array.from({ length: 10 }, () => text(random, 7));
      const matched = (test: (name: string) => boolean): unknown => [
        pattern,
        names.filter((name) => test(name)),
      ];
      expect(matched(glob)).toEqual(matched((name) => oracle.test(name)));
    }
  });
});

function text(random: (n: number) => number, below: number): string {
  return Array.from({ length: random(below) }, () => 'ab-:'[random(4)]).join('');
}

/** Whole numbers below `n`, the same ones for the same seed. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

/** A pattern and what it means as a regular expression. */
function randomPattern(random: (n: number) => number, depth: number): [glob: string, regExp: string] {
  const parts = Array.from({ length: random(4) }, (): [string, string] => {
    const literal = 'ab-:'[random(4)]!;
    switch (random(depth > 0 ? 7 : 5)) {
      case 0:
        return ['*', '.*'];
      case 1:
        return ['?', '.'];
      case 2:
        return random(2) === 0 ? ['[a:]', '[a:]'] : ['[!a-b]', '[^a-b]'];
      case 3:
        return [`\\${literal}`, `\\u{${literal.codePointAt(0)!.toString(16)}}`];
      case 5:
      case 6: {
        const alternatives = Array.from({ length: 1 + random(3) }, () => randomPattern(random, depth - 1));
        return [
          `{${alternatives.map(([a]) => a).join(',')}}`,
          `(?:${alternatives.map(([, b]) => b).join('|')})`,
        ];
      }
      default:
        return [literal, literal];
    }
  });
  return [parts.map(([a]) => a).join(''), parts.map(([, b]) => b).join('')];
}
