import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { Payload } from './commands.ts';

const strange = [
  'null',
  'true',
  '1e309',
  '-0',
  '""',
  '"\\ud800"',
  '[]',
  '{}',
  '[null]',
  '18446744073709551616',
  'NaN',
];

const extraFields = [
  '"__proto__":{"polluted":1}',
  '"constructor":{"prototype":{"polluted":1}}',
  '"toString":null',
  '"hasOwnProperty":1',
  '"unknown":[{"a":[]}]',
  '"":""',
  '"i\\u0064":7',
  '"channel":"b"',
];

/** Writes a value as JSON; once in a while with a field more, a field twice, a strange value, or white space. */
export function jsonText(random: Random, value: unknown, odd: number): string {
  if (odd > 0 && random.oneIn(odd)) return random.pick(strange);
  if (value instanceof Payload) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(random, item, odd)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${jsonText(random, item, odd)}`,
  );
  if (odd > 0 && random.oneIn(odd)) fields.splice(random.int(fields.length + 1), 0, random.pick(extraFields));
  if (odd > 0 && random.oneIn(odd) && fields.length > 0) fields.push(random.pick(fields));
  const space = odd > 0 && random.oneIn(odd) ? random.pick([' ', '\t', '\r', '  \r ']) : '';
  return `{${space}${fields.join(`${space},${space}`)}${space}}`;
}
