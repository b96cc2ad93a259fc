import { describe, expect, it } from 'vitest';
import { kept, Recorder, saying } from '../contract/stage.ts';
import { makeEngine, sweep } from './engine.ts';
import { publish } from './publish.ts';

describe('sweep', () => {
  it.each([
    ['streams', { history: { size: 1, ttlMs: 1000, metaTtlMs: 1000 } }],
    ['publications', { history: { ...kept, ttlMs: 1000 } }],
    ['keys', { idempotencyKey: 'k', idempotencyTtlMs: 1000 }],
  ])('looks at some %s and says whether more are due', async (_, options) => {
    let now = 0;
    const engine = makeEngine(
      () => now,
      () => {},
    );
    engine.events = new Recorder();
    for (let i = 0; i < 2500; i++) await publish(engine, `c${i}`, saying('1'), options);
    now = 999;
    expect(sweep(engine)).toBe(false);
    now = 1000;
    expect([sweep(engine), sweep(engine), sweep(engine)]).toEqual([true, true, false]);
  });
});
