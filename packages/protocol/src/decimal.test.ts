import { expect, it } from 'vitest';
import { compareDecimals, parseDecimal } from './decimal.ts';
import { randomFrom, seedOfRun } from './random.testing.ts';

const seed = seedOfRun();
console.log(`decimal: SEED=${seed}`);
const random = randomFrom(seed);

function compare(a: string, b: string): number {
  return Math.sign(compareDecimals(parseDecimal(a)!, parseDecimal(b)!)) + 0;
}

it.each([
  ['9007199254740993', '9007199254740992', 1],
  ['0.1000000000000000000000000001', '0.1', 1],
  ['123456789012345678901234567890.5', '123456789012345678901234567890.50', 0],
  ['-123456789012345678901234567891', '-123456789012345678901234567890', -1],
  ['0.05', '0.5', -1],
  ['-0.05', '-0.5', 1],
  ['100', '99.9', 1],
  ['-0', '0.00', 0],
  ['000', '-0.0', 0],
  ['-0.1', '0', -1],
  ['+7', '007.0', 0],
] as const)('%s against %s: %i', (a, b, order) => {
  expect(compare(a, b)).toBe(order);
  expect(compare(b, a)).toBe(0 - order);
});

it('agrees with whole numbers of the same scale', () => {
  const scale = 25;
  const digits = (length: number): string =>
    Array.from({ length }, () => random.pick(['0', '0', '1', '9'])).join('');
  const draw = (): [text: string, value: bigint] => {
    const negative = random.oneIn(2);
    const whole = digits(1 + random.int(25));
    const fraction = digits(random.int(scale + 1));
    const size = BigInt(whole + fraction.padEnd(scale, '0'));
    const text = (negative ? '-' : random.pick(['', '+'])) + whole + (fraction === '' ? '' : `.${fraction}`);
    return [text, negative ? -size : size];
  };
  for (let i = 0; i < 5000; i++) {
    const [a, x] = draw();
    const [b, y] = random.oneIn(10) ? [`${a.includes('.') ? a : `${a}.`}0`, x] : draw();
    expect([a, b, compare(a, b)]).toEqual([a, b, x < y ? -1 : x > y ? 1 : 0]);
  }
});
