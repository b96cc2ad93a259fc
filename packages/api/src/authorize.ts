import { hash, timingSafeEqual } from 'node:crypto';

/** Where a request over HTTP may carry its key. */
export interface Credentials {
  /** A header's value by its lower-case name, "" where there is none. */
  header(name: string): string;
  /** The raw query, without the question mark. */
  readonly query: string;
}

export interface KeyOptions {
  /** "" lets nobody in. */
  readonly key: string;
  /** Let everybody in, whatever the key. */
  readonly insecure: boolean;
}

/** The word in any case, and one more field. */
const APIKEY = /^\s*apikey\s+(\S+)\s*$/i;

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

function headerKey(request: Credentials): string {
  const own = request.header('x-api-key');
  return own === '' ? (APIKEY.exec(request.header('authorization'))?.[1] ?? '') : own;
}

function queryKey({ query }: Credentials): string {
  return query === '' ? '' : (new URLSearchParams(query).get('api_key') ?? '');
}

/**
 * Makes the comparison with a secret. Digests of equal length are compared, in constant time, so that neither the
 * content nor the length of the secret can be told from how long it takes.
 */
export function isSecret(secret: string): (given: string) => boolean {
  const expected = digest(secret);
  return (given) => given !== '' && timingSafeEqual(digest(given), expected);
}

/**
 * Makes the check of a request's key: in `X-API-Key`; where that is absent in `Authorization: apikey KEY`; where the
 * headers do not open, in the query's `api_key`.
 */
export function authorize({ key, insecure }: KeyOptions): (request: Credentials) => boolean {
  if (insecure) return () => true;
  if (key === '') return () => false;
  const fits = isSecret(key);
  return (request) => fits(headerKey(request)) || fits(queryKey(request));
}
