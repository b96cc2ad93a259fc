/**
 * A scanner over the bytes of a JSON text. It validates as it goes and gives positions, so that an envelope can be
 * read while the payloads inside it are sliced out untouched: `1.0`, big integers, key order and escapes survive.
 *
 * The grammar is RFC 8259's, depth bounded by {@link MAX_DEPTH}. Whether the bytes are well-formed UTF-8 is the
 * caller's question: transports ask it once for a whole frame or body.
 *
 * Every function throws SyntaxError where the text is not what it says it reads.
 */

/** How deep arrays and objects may nest. */
export const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

function fail(text: Buffer, at: number): never {
  if (at >= text.length) throw new SyntaxError('unexpected end of JSON');
  throw new SyntaxError(`unexpected byte 0x${(text[at] as number).toString(16)} at ${at} of JSON`);
}

/** A Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first position at or after `at` that holds no white space. */
export function skipSpace(text: Buffer, at: number): number {
  while (at < text.length) {
    const c = text[at] as number;
    if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) return at;
    at++;
  }
  return at;
}

function skipString(text: Buffer, at: number): number {
  const length = text.length;
  for (let i = at + 1; i < length; i++) {
    const c = text[i] as number;
    if (c === QUOTE) return i + 1;
    if (c < 0x20) fail(text, i);
    if (c === BACKSLASH) i = skipEscape(text, i + 1);
  }
  return fail(text, length);
}

/** Gives the position of the escape's last byte. */
function skipEscape(text: Buffer, at: number): number {
  switch (text[at]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at;
    case 0x75: // u and four hex digits
      for (let i = at + 1; i <= at + 4; i++) {
        const c = text[i];
        if (c === undefined || !((c >= ZERO && c <= NINE) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66)))
          fail(text, i);
      }
      return at + 4;
    default:
      return fail(text, at);
  }
}

function skipDigits(text: Buffer, at: number): number {
  let i = at;
  for (; i < text.length; i++) {
    const c = text[i] as number;
    if (c < ZERO || c > NINE) break;
  }
  return i === at ? fail(text, at) : i;
}

function skipNumber(text: Buffer, at: number): number {
  let i = text[at] === MINUS ? at + 1 : at;
  i = text[i] === ZERO ? i + 1 : skipDigits(text, i);
  if (text[i] === 0x2e) i = skipDigits(text, i + 1);
  const e = text[i];
  if (e === 0x65 || e === 0x45) {
    const sign = text[i + 1];
    i = skipDigits(text, sign === 0x2b || sign === MINUS ? i + 2 : i + 1);
  }
  return i;
}

function skipWord(text: Buffer, at: number, word: string): number {
  for (let i = 0; i < word.length; i++) {
    if (text[at + i] !== word.charCodeAt(i)) fail(text, at + i);
  }
  return at + word.length;
}

/**
 * Validates the value that begins at `at` (after white space) and gives the position after it.
 * @param depth arrays and objects already open around it
 */
export function skipValue(text: Buffer, at: number, depth = 0): number {
  at = skipSpace(text, at);
  switch (text[at]) {
    case QUOTE:
      return skipString(text, at);
    case OPEN_BRACE:
      return walkObject(text, at, undefined, depth);
    case OPEN_BRACKET:
      return walkArray(text, at, undefined, depth);
    case 0x74:
      return skipWord(text, at, 'true');
    case 0x66:
      return skipWord(text, at, 'false');
    case 0x6e:
      return skipWord(text, at, 'null');
    default:
      return skipNumber(text, at);
  }
}

type Field = (key: string, start: number) => number;
type Item = (start: number) => number;

function walkObject(text: Buffer, at: number, field: Field | undefined, depth: number): number {
  if (text[at] !== OPEN_BRACE || depth >= MAX_DEPTH) fail(text, at);
  at = skipSpace(text, at + 1);
  if (text[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (text[at] !== QUOTE) fail(text, at);
    const keyStart = at;
    const keyEnd = skipString(text, at);
    at = skipSpace(text, keyEnd);
    if (text[at] !== COLON) fail(text, at);
    at = skipSpace(text, at + 1);
    at = field === undefined ? skipValue(text, at, depth + 1) : field(readString(text, keyStart, keyEnd), at);
    at = skipSpace(text, at);
    const c = text[at];
    if (c === CLOSE_BRACE) return at + 1;
    if (c !== COMMA) fail(text, at);
    at = skipSpace(text, at + 1);
  }
}

function walkArray(text: Buffer, at: number, item: Item | undefined, depth: number): number {
  if (text[at] !== OPEN_BRACKET || depth >= MAX_DEPTH) fail(text, at);
  at = skipSpace(text, at + 1);
  if (text[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipSpace(text, at);
    at = skipSpace(text, item === undefined ? skipValue(text, at, depth + 1) : item(at));
    const c = text[at];
    if (c === CLOSE_BRACKET) return at + 1;
    if (c !== COMMA) fail(text, at);
    at++;
  }
}

/**
 * Reads the object that begins at `at` (after white space). The callback gets each key and the position of its value,
 * consumes the value and gives the position after it, so that a nested object is passed over once only.
 * @param depth arrays and objects already open around it
 * @returns the position after the object
 */
export function readFields(text: Buffer, at: number, field: Field, depth = 0): number {
  return walkObject(text, skipSpace(text, at), field, depth);
}

/** Reads the array that begins at `at`; the callback consumes each item as in {@link readFields}. */
export function readItems(text: Buffer, at: number, item: Item, depth = 0): number {
  return walkArray(text, skipSpace(text, at), item, depth);
}

/** {@link readFields} for a caller that wants to be shown each value whole: `[start, end)`. */
export function readObject(
  text: Buffer,
  at: number,
  field: (key: string, start: number, end: number) => void,
): number {
  return readFields(text, at, (key, start) => {
    const end = skipValue(text, start, 1);
    field(key, start, end);
    return end;
  });
}

/** {@link readItems} for a caller that wants to be shown each item whole: `[start, end)`. */
export function readArray(text: Buffer, at: number, item: (start: number, end: number) => void): number {
  return readItems(text, at, (start) => {
    const end = skipValue(text, start, 1);
    item(start, end);
    return end;
  });
}

/** The string that stands at `[start, end)`, quotes included, escapes resolved. */
export function readString(text: Buffer, start: number, end: number): string {
  if (text[start] !== QUOTE) fail(text, start);
  for (let i = start + 1; i < end; i++) {
    if (text[i] === BACKSLASH) return JSON.parse(text.toString('utf8', start, end)) as string;
  }
  return text.toString('utf8', start + 1, end - 1);
}

/** The whole number that stands at `[start, end)`; refuses fractions, exponents and what a double cannot hold. */
export function readInteger(text: Buffer, start: number, end: number): number {
  const negative = text[start] === MINUS;
  let value = 0;
  for (let i = negative ? start + 1 : start; i < end; i++) {
    const c = text[i] as number;
    if (c < ZERO || c > NINE) fail(text, i);
    value = value * 10 + (c - ZERO);
  }
  if (value > Number.MAX_SAFE_INTEGER) throw new SyntaxError(`number at ${start} of JSON is too large`);
  return negative ? -value : value;
}

/** `true` or `false` at `[start, end)`. */
export function readBoolean(text: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (text[start] === 0x74 && length === 4) return true;
  if (text[start] === 0x66 && length === 5) return false;
  return fail(text, start);
}

/** Whether the value at `start` is `null`. */
export function isNull(text: Buffer, start: number): boolean {
  return text[start] === 0x6e;
}

/** Whether the bytes are one JSON text: a value with nothing but white space around it. */
export function isJson(bytes: Uint8Array): boolean {
  const text = asBuffer(bytes);
  try {
    return skipSpace(text, skipValue(text, 0)) === text.length;
  } catch {
    return false;
  }
}
