import { badRequest } from './errors.ts';

const MAX_BYTES = 4096;
/** A UTF-16 unit is at most three bytes of UTF-8, so names up to this length need no counting. */
const SURELY_SHORT = MAX_BYTES / 3;

/** Control characters, and surrogates that are half of nothing. */
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u;

/**
 * What a backend may call a channel: any well-formed text without control characters, 1 to 4096 bytes of UTF-8.
 * @throws ClientError 107
 */
export function checkChannel(name: string): void {
  if (name === '') throw badRequest();
  if (FORBIDDEN.test(name)) throw badRequest('invalid channel name');
  if (name.length > SURELY_SHORT && Buffer.byteLength(name) > MAX_BYTES)
    throw badRequest('invalid channel name');
}
