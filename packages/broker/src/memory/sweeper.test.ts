import { afterEach, describe, expect, it, vi } from 'vitest';
import { until } from '../contract/stage.ts';
import { startSweeper } from './sweeper.ts';

describe('sweeper', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('sweeps on as long as there is more, and lets others in between', async () => {
    let swept = 0;
    let turns = 0;
    const turn = (): void => {
      turns++;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    // With one sweep at each look the wait would be over before this is.
    const stop = startSweeper(() => ++swept < 1000);
    await until(() => swept >= 1000);
    expect(turns).toBeGreaterThan(500);
    await until(() => swept > 1000);
    stop();
    clearImmediate(next);
  });

  it.each([
    ['between two looks', () => false],
    ['while there is more', () => true],
  ])('leaves no timer behind when it ends %s', (_, sweep) => {
    vi.useFakeTimers();
    const stop = startSweeper(sweep);
    vi.advanceTimersToNextTimer();
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
