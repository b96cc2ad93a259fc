import { methods } from './executor.ts';
import { isLarge, writeJson, writeLargeJson } from './json-write.ts';
import type { ApiError, MethodName, Outcome } from './messages.ts';
import { error as errorMessage } from './schema.ts';

/** An error as bare JSON. */
export function writeError(error: ApiError): string {
  return writeJson(errorMessage, error);
}

/** A result as bare JSON; at once, unless there is very much of it. */
export function writeResult(name: MethodName, result: object): string | Promise<string> {
  const message = methods[name].result;
  return isLarge(message, result) ? writeLargeJson(message, result) : writeJson(message, result);
}

/**
 * An answer: an object with `error` or `result`; at once, unless there is very much of it.
 * @param head how the object begins, where something stands in it already
 */
export function writeOutcome(
  name: MethodName,
  outcome: Outcome<object>,
  head = '{',
): string | Promise<string> {
  if (outcome.error !== undefined) return `${head}"error":${writeError(outcome.error)}}`;
  const wrap = (text: string): string => `${head}"result":${text}}`;
  const text = writeResult(name, outcome.result);
  return typeof text === 'string' ? wrap(text) : text.then(wrap);
}
