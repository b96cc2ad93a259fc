import { expect, it, onTestFinished } from 'vitest';
import { watchLoopLag } from './loop-lag.ts';

it('tells of a loop that is held, at once, and forgets it when it runs again', async () => {
  const lag = watchLoopLag();
  onTestFinished(() => lag.close());
  const until = performance.now() + 300;
  while (performance.now() < until);
  expect(lag.now()).toBeGreaterThanOrEqual(200);
  const deadline = performance.now() + 20_000;
  while (lag.now() > 50) {
    if (performance.now() > deadline) throw new Error('it goes on telling of it');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
