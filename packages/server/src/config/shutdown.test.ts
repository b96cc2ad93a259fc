import { expect, it } from 'vitest';
import { endTimes } from './shutdown.ts';
import { load } from './testing.ts';

const shutdown = (timeout: number, ready_wait: number, drain_time: number) => ({
  timeout,
  ready_wait,
  drain_time,
});

it('gives what is configured where that leaves enough', () => {
  expect(endTimes(shutdown(30_000, 3000, 10_000))).toEqual({
    readyWait: 3000,
    drainTime: 10_000,
    rest: 5000,
  });
  expect(endTimes(shutdown(30_000, 0, 0))).toEqual({ readyWait: 0, drainTime: 0, rest: 5000 });
});

it('cuts both in proportion where it does not', () => {
  expect(endTimes(shutdown(20_000, 10_000, 20_000))).toEqual({
    readyWait: 5000,
    drainTime: 10_000,
    rest: 5000,
  });
  expect(endTimes(shutdown(4000, 3000, 0))).toEqual({ readyWait: 3000, drainTime: 0, rest: 1000 });
});

it('warns of what it will cut', () => {
  const warnings = (file: object) => load({ file: { shutdown: file } }).warnings;
  expect(warnings({ timeout: '18s' })).toEqual([]);
  expect(warnings({ timeout: '17s' })).toEqual([
    'shutdown.timeout (set by config.json): 17s is too short for ready_wait and drain_time (13s) and what comes after, so both are cut',
  ]);
});
