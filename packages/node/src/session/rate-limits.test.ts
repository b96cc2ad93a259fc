import { describe, expect, it } from 'vitest';
import { ConnectRates, RateLimits } from './rate-limits.ts';

const rates = { connect: 0, subscribe: 0, publish: 10, rpc: 0, history: 2 };

/** The codes that so many commands at one moment end with, 0 for those that pass. */
function codes(admit: () => void, times: number): number[] {
  return Array.from({ length: times }, () => {
    try {
      admit();
      return 0;
    } catch (error) {
      return (error as { code: number }).code;
    }
  });
}

const count = (values: number[], code: number) => values.filter((value) => value === code).length;

describe('what one client may ask', () => {
  it('is N a second, N at once, and error 111 beyond', () => {
    const limits = new RateLimits();
    const publish = (now: number) => () => limits.admit('publish', rates, now);
    const first = codes(publish(0), 100);
    expect([count(first, 0), count(first, 111)]).toEqual([10, 90]);
    let passed = 0;
    for (let now = 100; now <= 5000; now += 100) passed += count(codes(publish(now), 3), 0);
    expect(passed).toBe(50);
  });

  it('is counted for each kind of command apart; reads of presence are reads', () => {
    const limits = new RateLimits();
    codes(() => limits.admit('publish', rates, 0), 100);
    const reads = codes(() => limits.admit('presence', rates, 0), 1).concat(
      codes(() => limits.admit('history', rates, 0), 2),
    );
    expect(reads).toEqual([0, 0, 111]);
    expect(codes(() => limits.admit('subscribe', rates, 0), 50)).toEqual(Array(50).fill(0));
  });

  it('[LIM5] ends with 3013 for who goes on and on, not for who stops', () => {
    const limits = new RateLimits();
    const stubborn = codes(() => limits.admit('publish', rates, 0), 111);
    expect(stubborn.at(-1)).toBe(3013);
    expect(count(stubborn, 3013)).toBe(1);
    expect(codes(() => limits.admit('publish', rates, 1000), 1)).toEqual([0]);
    expect(codes(() => limits.admit('publish', rates, 1000), 20).includes(3013)).toBe(false);
  });

  it('is N connections a second for a user, any number for nobody', () => {
    const connects = new ConnectRates();
    expect(codes(() => connects.admit('u', 3, 0), 5)).toEqual([0, 0, 0, 111, 111]);
    expect(codes(() => connects.admit('v', 3, 0), 1)).toEqual([0]);
    expect(codes(() => connects.admit('', 3, 0), 50)).toEqual(Array(50).fill(0));
    expect(codes(() => connects.admit('u', 3, 1000), 4)).toEqual([0, 0, 0, 111]);
  });
});
