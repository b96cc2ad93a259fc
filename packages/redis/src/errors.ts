/** The first word of an error of Redis, which says what it is about. Before Redis 7 a script hides it in its own error. */
export function errorCode(message: string): string {
  return (/^ERR Error running script .*?: -?([A-Z]+) /.exec(message)?.[1] ?? /^\S*/.exec(message)?.[0]) || '';
}

/**
 * A command that was not done, or of which nobody knows.
 *
 * - `none`: it did not run and may be sent again; Redis refused it or could not be reached.
 * - `unknown`: it was sent and no answer came. It may have run, or may still run.
 */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly outcome: 'none' | 'unknown';
  /** First word of what Redis answered (`NOSCRIPT`, `READONLY`, `WRONGTYPE`); "" where it did not answer. */
  readonly code: string;

  constructor(outcome: 'none' | 'unknown', message: string, code = '', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.outcome = outcome;
    this.code = code;
  }

  /** What whoever asked is told: the message may show keys and scripts, and is for the log. */
  get told(): string {
    return this.outcome === 'none' ? 'Redis is not available' : 'no answer from Redis';
  }
}
