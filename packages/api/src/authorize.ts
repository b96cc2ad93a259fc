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

/** Bytes that are compared, however long a secret is. */
const ROOM = 128;
/** Of those, what a text may take; the last two bytes tell how long it is. */
const MAX_TEXT = ROOM - 2;
/** In place of a length: a longer text is represented by its digest. */
const LONG = 0xffff;

/** Writes what represents a text: always as many bytes, the same for equal texts and for no others. */
function image(text: string, into: Buffer): Buffer {
  into.fill(0);
  if (Buffer.byteLength(text) <= MAX_TEXT) {
    into.writeUInt16BE(into.write(text), MAX_TEXT);
    return into;
  }
  hash('sha256', text, 'buffer').copy(into);
  into.writeUInt16BE(LONG, MAX_TEXT);
  return into;
}

function headerKey(request: Credentials): string {
  const own = request.header('x-api-key');
  return own === '' ? (APIKEY.exec(request.header('authorization'))?.[1] ?? '') : own;
}

function queryKey({ query }: Credentials): string {
  return query === '' ? '' : (new URLSearchParams(query).get('api_key') ?? '');
}

/**
 * Makes the comparison with a secret, in constant time: as many bytes are compared for every secret and every guess, so
 * that neither the content nor the length of the secret can be told from how long it takes. (Digests for all would do
 * the same, and cost seven times as much.)
 */
export function isSecret(secret: string): (given: string) => boolean {
  const expected = image(secret, Buffer.alloc(ROOM));
  const room = Buffer.alloc(ROOM);
  return (given) => given !== '' && timingSafeEqual(image(given, room), expected);
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
