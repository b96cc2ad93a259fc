import { clientError, type ClientError } from '@gyre/protocol';
import type { ApiError } from './messages.ts';

/**
 * Which text goes with code 102. Callers that were written for the `{method, params}` style compare the old one.
 */
export type Wording = 'unknown channel' | 'namespace not found';

const UNKNOWN_CHANNEL = 102;

/** HTTP status by error code, for callers that asked for errors as statuses. */
const statuses = new Map([
  [102, 404],
  [104, 404],
  [107, 400],
  [108, 400],
  [112, 416],
  [113, 409],
]);

/** The status of an error in transport error mode; 500 for whatever has none of its own. */
export function statusOf(error: ApiError): number {
  return statuses.get(error.code) ?? 500;
}

/** What a caller is told of a refusal. */
export function refusal(error: ClientError, wording: Wording): ApiError {
  return { code: error.code, message: error.code === UNKNOWN_CHANNEL ? wording : error.message };
}

/**
 * A request that cannot be meant: 107.
 * @param message for refusals of our own; those that callers know from elsewhere keep the code's text
 */
export function badRequest(message?: string): ClientError {
  return clientError('badRequest', message);
}

/** There is no such method: 104 with this API's text, which is not the client protocol's. */
export function notFound(): ClientError {
  return clientError('methodNotFound', 'not found');
}
