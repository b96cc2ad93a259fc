import type { Logger } from '../logger.ts';
import type { Life } from './life.ts';

/** Milliseconds between two looks. */
const PERIOD = 250;
/** Milliseconds of standing still that are worth a line: after two seconds others do not count on a node any more. */
const STILL = 1000;

/** Looks at a node from within. Closing twice is harmless. */
export interface Watcher {
  close(): void;
}

/**
 * Tells the log, once for each change, that a node is not ready and why, or is ready again; and for how long it stood
 * still, where it did. Who ends it says so itself.
 */
export function watchLife(life: Life, log: Logger): Watcher {
  let wasReady = life.unready() === undefined;
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const still = now - lookedAt - PERIOD;
    lookedAt = now;
    if (still > STILL) log.warn?.(`stood still for ${(still / 1000).toFixed(1)} s`);
    if (life.phase !== 'serving') return;
    const because = life.unready();
    const isReady = because === undefined;
    if (isReady === wasReady) return;
    wasReady = isReady;
    if (isReady) log.info?.('ready');
    else log.warn?.('not ready', { because });
  }, PERIOD);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
