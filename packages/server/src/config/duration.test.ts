import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

test.each([
  ['0', 0],
  ['0s', 0],
  ['300s', 300_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['720h', 2_592_000_000],
  ['100ms', 100],
  ['1.1s', 1100],
  ['.5s', 500],
  ['1h1m1s1ms', 3_661_001],
  ['500us', 0.5],
  ['500µs', 0.5],
  ['1ns', 0.000001],
  ['-2s', -2000],
  ['+2s', 2000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', 's', '5 s', '5x', '1m30', '5S', '1e3s', '--5s', '.s', 'Infinity'])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test.each([0, 1, 100, 1000, 1500, 60_000, 90_000, 3_600_000, 2_592_000_000, 0.5, 1.25])(
  '%d ms are written so that they are read again',
  (ms) => {
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  },
);

test('written as short as can be', () => {
  expect([0, 25_000, 60_000, 90_000, 2_592_000_000, 100].map(formatDuration)).toEqual([
    '0s',
    '25s',
    '1m',
    '1m30s',
    '720h',
    '100ms',
  ]);
});
