import { setImmediate } from 'node:timers/promises';

/** Most calls of one request that are under way at a time. */
const GROUP = 1024;

/** Calls made one after the other before others get a turn, where every call may end within the same tick. */
const TURN = 256;

/** Runs for each item, one after the other, and gives the results in order. */
export async function inOrder<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) {
    results.push(await run(item));
    if (results.length % TURN === 0) await setImmediate();
  }
  return results;
}

/** Runs for each item, many at a time, and gives the results in order. */
export async function atOnce<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += GROUP) {
    if (start > 0) await setImmediate();
    results.push(...(await Promise.all(items.slice(start, start + GROUP).map(run))));
  }
  return results;
}
