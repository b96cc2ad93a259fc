import { ErrorLog } from './error-log.ts';
import { RedisError } from './errors.ts';
import type { Log } from './types.ts';

/**
 * Makes those who are told of failures that nobody waits for. What Redis refuses is expected, and a warning of one line at
 * most every ten seconds; anything else is a fault of ours, and is logged with its stack.
 * @returns takes what is not done then, for the log, and gives who is told why, and of which shard where that is known
 */
export function tellFailures(log: Log): (what: string) => (error: unknown, shard?: string) => void {
  return (what) => {
    const refusals = new ErrorLog(log, {});
    return (error, shard) => {
      const fields = shard === undefined ? {} : { shard };
      if (error instanceof RedisError) refusals.warn(what, error, fields);
      else log.error?.(what, { ...fields, error });
    };
  };
}
