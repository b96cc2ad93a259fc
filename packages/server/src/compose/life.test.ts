import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Life } from './life.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const isReady = (life: Life): boolean => life.unready() === undefined;

function make(readyWithoutRedis = false) {
  const redis = { standing: 'current' as 'current' | 'late' | 'away', verified: true };
  const engines = { standing: () => redis.standing, verified: () => redis.verified };
  const health = { enabled: true, handler_prefix: '', ready_without_redis: readyWithoutRedis };
  return { redis, life: new Life(engines, () => health) };
}

it('is ready to serve, then takes connections without being ready, then takes none', () => {
  const { life } = make();
  const seen = (['serving', 'leaving', 'ending'] as const).map((phase) => {
    life.phase = phase;
    return [isReady(life), life.barred()];
  });
  expect(seen).toEqual([
    [true, undefined],
    [false, undefined],
    [false, 'shutdown'],
  ]);
});

it.each([false, true])('takes nobody while it has not caught up, ready_without_redis: %s', (option) => {
  const { redis, life } = make(option);
  redis.standing = 'late';
  expect([isReady(life), life.barred()]).toEqual([false, 'redis']);
  redis.standing = 'current';
  expect([isReady(life), life.barred()]).toEqual([true, undefined]);
});

it('takes connections without Redis only where it is told to', () => {
  for (const [option, barred] of [
    [false, 'redis'],
    [true, undefined],
  ] as const) {
    const { redis, life } = make(option);
    redis.standing = 'away';
    redis.verified = false;
    expect([isReady(life), life.barred()]).toEqual([option, barred]);
  }
});

it('is ready again when Redis has been there for a while', () => {
  const { redis, life } = make();
  redis.verified = false;
  expect(isReady(life)).toBe(false);
  redis.verified = true;
  expect(isReady(life)).toBe(false);
  vi.advanceTimersByTime(1500);
  expect(isReady(life)).toBe(true);
});
