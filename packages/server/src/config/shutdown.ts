import type { Config } from './schema.ts';

/** How the time of a graceful end is spent, in milliseconds. */
export interface EndTimes {
  readonly readyWait: number;
  readonly drainTime: number;
  /** What is kept of the whole time for all that comes after these two. */
  readonly rest: number;
}

/** Milliseconds, or a quarter of the whole where that is less: for calls under way, presence, Redis. */
const REST = 5000;

/** What is configured, shortened in proportion where it would not leave enough of `shutdown.timeout`. */
export function endTimes({ timeout, ready_wait, drain_time }: Config['shutdown']): EndTimes {
  const rest = Math.min(REST, timeout / 4);
  const share = Math.min(1, (timeout - rest) / (ready_wait + drain_time));
  return ready_wait + drain_time === 0
    ? { readyWait: 0, drainTime: 0, rest }
    : { readyWait: ready_wait * share, drainTime: drain_time * share, rest };
}
