import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DEPTH, isJson, readFields, readInteger, readObject, skipValue } from './json-scan.ts';

const text = (s: string) => Buffer.from(s);

function parses(s: string): boolean {
  try {
    JSON.parse(s);
    return true;
  } catch {
    return false;
  }
}

/** JSON texts with odd spacing, and the same with a byte changed: most of those are broken, some are not. */
const jsonText = fc
  .tuple(fc.jsonValue(), fc.constantFrom(0, 1, 2))
  .map(([value, indent]) => JSON.stringify(value, null, indent));
const mutated = fc
  .tuple(
    jsonText,
    fc.nat(),
    fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      '.',
      'e',
      '\n',
      '\u0001',
      't',
      'u',
    ),
  )
  .map(([s, at, insert]) => {
    const i = at % (s.length + 1);
    return s.slice(0, i) + insert + s.slice(i + (at % 2));
  });

describe('the scanner', () => {
  it('accepts exactly what JSON.parse accepts', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, mutated), (s) => {
        expect(isJson(text(s)), JSON.stringify(s)).toBe(parses(s));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    '1',
    '-0',
    '0.5e+10',
    '"\\u12aF"',
    '[]',
    '{}',
    ' {"a" : [ 1 , null ] } ',
    'true',
    '12345678901234567890',
    '1.0',
  ])('accepts %s', (s) => expect(isJson(text(s))).toBe(true));

  it.each([
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '"',
    '"\\x"',
    '"\\u12g4"',
    '"\n"',
    '[1,]',
    '{"a"}',
    '{"a":}',
    '{,}',
    '{a:1}',
    'tru',
    'nul',
    '1 2',
    '{}x',
    "'a'",
    '-',
    'NaN',
  ])('refuses %j', (s) => expect(isJson(text(s))).toBe(false));

  it('bounds how deep values nest', () => {
    const nested = (depth: number) => text('['.repeat(depth) + ']'.repeat(depth));
    expect(isJson(nested(MAX_DEPTH))).toBe(true);
    expect(isJson(nested(MAX_DEPTH + 1))).toBe(false);
    expect(isJson(text('['.repeat(1_000_000)))).toBe(false);
    expect(isJson(text('{"a":'.repeat(100_000)))).toBe(false);
  });

  it('gives the positions of values as they stand', () => {
    const body = text(' { "a" : {"x": 1.0} ,"b\\n":12345678901234567890 } ');
    const seen: [string, string][] = [];
    const end = readObject(body, 0, (key, start, stop) =>
      seen.push([key, body.toString('utf8', start, stop)]),
    );
    expect(seen).toEqual([
      ['a', '{"x": 1.0}'],
      ['b\n', '12345678901234567890'],
    ]);
    expect(body.toString('utf8', end)).toBe(' ');
  });

  it('lets a reader of fields consume values itself', () => {
    const body = text('{"a":{"b":{"c":1}}}');
    let inner = '';
    readFields(body, 0, (_a, at) =>
      readFields(body, at, (_b, start) => {
        const end = skipValue(body, start);
        inner = body.toString('utf8', start, end);
        return end;
      }),
    );
    expect(inner).toBe('{"c":1}');
  });

  it('reads whole numbers that a double holds, and no others', () => {
    const read = (s: string) => readInteger(text(s), 0, s.length);
    expect(read('0')).toBe(0);
    expect(read('-17')).toBe(-17);
    expect(read('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    for (const bad of ['1.0', '1e3', '9007199254740992', '"5"', '99999999999999999999']) {
      expect(() => read(bad), bad).toThrow(SyntaxError);
    }
  });
});
