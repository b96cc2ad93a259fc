import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** Milliseconds; default 10 000. For hangs only: never what a test measures. */
  readonly deadline?: number;
  /** What was waited for, said when it did not come. */
  readonly message?: string | (() => string);
}

/**
 * Waits for a condition.
 * @param condition asked every few milliseconds; what it throws ends the waiting
 * @returns the first truthy answer
 * @throws Error after the deadline
 */
export async function until<T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<T> {
  const { deadline = 10_000, message = String(condition) } = options;
  const end = performance.now() + deadline;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > end) {
      throw new Error(`not within ${deadline} ms: ${told(message)}`);
    }
    await delay(5);
  }
}

/**
 * Gives what a promise gives, or throws after a deadline.
 * @param deadline milliseconds
 */
export async function within<T>(
  promise: Promise<T>,
  deadline: number,
  message: string | (() => string),
): Promise<T> {
  const timer = new AbortController();
  const late = delay(deadline, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`not within ${deadline} ms: ${told(message)}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

function told(message: string | (() => string)): string {
  return typeof message === 'string' ? message : message();
}
