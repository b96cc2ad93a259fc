/** Milliseconds between two looks at the event loop. */
const PERIOD = 50;

/** How far the event loop lags behind, as those feel it who wait for it. */
export interface LoopLag {
  /** Milliseconds: what is overdue now, or was of late. It rises at once and halves with each look that finds less. */
  now(): number;
  /** Ends the timer. Closing twice is harmless. */
  close(): void;
}

export function watchLoopLag(): LoopLag {
  let due = performance.now() + PERIOD;
  let lag = 0;
  const overdue = (): number => performance.now() - due;
  const timer = setInterval(() => {
    lag = Math.max(overdue(), lag / 2);
    due = performance.now() + PERIOD;
  }, PERIOD);
  timer.unref();
  return {
    // Also in the middle of a burst, before the timer has its turn.
    now: () => Math.max(overdue(), lag),
    close: () => clearInterval(timer),
  };
}
