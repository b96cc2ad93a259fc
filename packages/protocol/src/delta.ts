import type { Bytes } from './messages.ts';

/**
 * Patches between two payloads in the Fossil delta format: the size of the target and a newline, then segments, then a
 * checksum and `;`. A segment is `N@O,` (copy N bytes from offset O of the base) or `N:` and N bytes (insert them).
 * Numbers are written in base 64, the most significant digit first. All sizes and offsets are in bytes.
 *
 * On a JSON connection a patch travels as text. So where base and target are UTF-8, segments begin and end between
 * characters of the target, and the patch is UTF-8 too.
 */

/** Digits of the numbers in a patch, by value. */
export const digits = Buffer.from(
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~',
  'latin1',
);
const NEWLINE = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const AT = 0x40;

/** Size of the pieces of the base that are looked for in the target. */
const BLOCK = 16;
/** A shorter copy may take more room than the bytes themselves. */
const MIN_COPY = 10;
/** Equal pieces of the base that are tried at one place: keeps repetitive payloads from taking quadratic time. */
const MAX_TRIES = 8;

/**
 * Makes the patch that turns `base` into `target`.
 * @returns undefined where the patch would not be smaller than the target
 */
export function createDelta(base: Bytes, target: Bytes): Bytes | undefined {
  const patch = new Patch(target);
  patch.number(target.length, NEWLINE);

  let head = alignDown(target, commonPrefix(base, target));
  if (head < MIN_COPY) head = 0;
  let tail = alignUp(target, target.length - commonSuffix(base, target, head));
  if (target.length - tail < MIN_COPY) tail = target.length;

  patch.copy(head, 0);
  if (tail - head < BLOCK || base.length < BLOCK) patch.insert(head, tail);
  else encodeMiddle(base, target, head, tail, patch);
  patch.copy(target.length - tail, base.length - (target.length - tail));

  patch.number(checksum(target), SEMICOLON);
  return patch.end();
}

/** A patch being written; of no use any more once it is as large as its target. */
class Patch {
  readonly #target: Bytes;
  readonly #out: Buffer;
  #at = 0;

  constructor(target: Bytes) {
    this.#target = target;
    this.#out = Buffer.allocUnsafe(target.length);
  }

  number(value: number, operator: number): void {
    let size = 1;
    for (let rest = value >>> 6; rest > 0; rest >>>= 6) size++;
    for (let i = size - 1, rest = value; i >= 0; i--, rest >>>= 6) {
      this.#out[this.#at + i] = digits[rest & 63] ?? 0;
    }
    this.#at += size;
    this.#out[this.#at++] = operator;
  }

  copy(size: number, offset: number): void {
    if (size === 0) return;
    this.number(size, AT);
    this.number(offset, COMMA);
  }

  insert(start: number, end: number): void {
    if (start === end) return;
    this.number(end - start, COLON);
    if (this.#at + end - start <= this.#out.length)
      this.#out.set(this.#target.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  end(): Bytes | undefined {
    return this.#at < this.#target.length ? this.#out.subarray(0, this.#at) : undefined;
  }
}

/** Where the blocks of a base are, by hash: the first one of a hash, and for each block the next one of its hash. */
interface BlockIndex {
  readonly table: Int32Array;
  /** Where in `table` the second part begins. */
  readonly next: number;
  /** How far a hash is shifted to be a place in the first part. */
  readonly shift: number;
}

/** Serves every base up to 64 KiB, so that no table is made for a publication of usual size. */
const sharedTable = new Int32Array(3 * 4096);

/** Both any odd numbers with many bits; the second one spreads a hash over its upper bits. */
const FACTOR = 0x01000193;
const SPREAD = 0x9e3779b1 | 0;
/** What the oldest byte of a window has been multiplied with. */
const OLDEST = power(FACTOR, BLOCK - 1);

function power(factor: number, exponent: number): number {
  let value = 1;
  for (let i = 0; i < exponent; i++) value = Math.imul(value, factor);
  return value;
}

function hashBlock(bytes: Bytes, start: number): number {
  let hash = 0;
  for (let i = start; i < start + BLOCK; i++) hash = (Math.imul(hash, FACTOR) + (bytes[i] ?? 0)) | 0;
  return hash;
}

function indexBlocks(base: Bytes): BlockIndex {
  const blocks = Math.floor(base.length / BLOCK);
  const bits = Math.max(1, 32 - Math.clz32(blocks));
  const next = 1 << bits;
  const table = next + blocks <= sharedTable.length ? sharedTable : new Int32Array(next + blocks);
  const shift = 32 - bits;
  table.fill(-1, 0, next);
  // From the end, so that of equal blocks the first is found first: it has the most bytes after it.
  for (let block = blocks - 1; block >= 0; block--) {
    const place = Math.imul(hashBlock(base, block * BLOCK), SPREAD) >>> shift;
    table[next + block] = table[place] ?? -1;
    table[place] = block;
  }
  return { table, next, shift };
}

/** Encodes `target` from `start` to `end`, both between characters, as copies of what is found in the base. */
function encodeMiddle(base: Bytes, target: Bytes, start: number, end: number, patch: Patch): void {
  const { table, next, shift } = indexBlocks(base);
  let pending = start;
  let at = start;
  let hash = hashBlock(target, at);
  while (at + BLOCK <= end) {
    let from = 0;
    let to = 0;
    let offset = 0;
    let block = table[Math.imul(hash, SPREAD) >>> shift] ?? -1;
    for (let tries = 0; block >= 0 && tries < MAX_TRIES; tries++) {
      const first = block * BLOCK;
      const size = matchForward(base, first, target, at, end);
      if (size >= BLOCK) {
        const before = matchBackward(base, first, target, at, pending);
        if (size + before > to - from) {
          from = at - before;
          to = at + size;
          offset = first - before;
        }
      }
      block = table[next + block] ?? -1;
    }
    if (to > from) {
      const begin = alignUp(target, from);
      const stop = alignDown(target, to);
      patch.insert(pending, begin);
      patch.copy(stop - begin, offset + begin - from);
      pending = stop;
      at = stop;
      if (at + BLOCK <= end) hash = hashBlock(target, at);
    } else {
      hash = Math.imul(hash - Math.imul(target[at] ?? 0, OLDEST), FACTOR);
      hash = (hash + (target[at + BLOCK] ?? 0)) | 0;
      at++;
    }
  }
  patch.insert(pending, end);
}

function matchForward(base: Bytes, first: number, target: Bytes, at: number, end: number): number {
  const limit = Math.min(base.length - first, end - at);
  let size = 0;
  while (size < limit && base[first + size] === target[at + size]) size++;
  return size;
}

function matchBackward(base: Bytes, first: number, target: Bytes, at: number, start: number): number {
  const limit = Math.min(first, at - start);
  let size = 0;
  while (size < limit && base[first - size - 1] === target[at - size - 1]) size++;
  return size;
}

function commonPrefix(base: Bytes, target: Bytes): number {
  return matchForward(base, 0, target, 0, target.length);
}

/** The bytes at the end that are the same, without the first `head` bytes of the target. */
function commonSuffix(base: Bytes, target: Bytes, head: number): number {
  return matchBackward(base, base.length, target, target.length, head);
}

/** Whether a byte goes on with a UTF-8 character that began before it. */
function continues(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** The nearest place between two characters, not before `at`; `at` itself where the text is not UTF-8. */
function alignUp(text: Bytes, at: number): number {
  let place = at;
  while (place < at + 3 && continues(text[place])) place++;
  return continues(text[place]) ? at : place;
}

/** The nearest place between two characters, not after `at`; `at` itself where the text is not UTF-8. */
function alignDown(text: Bytes, at: number): number {
  let place = at;
  while (place > at - 3 && continues(text[place])) place--;
  return continues(text[place]) ? at : place;
}

/** The sum of the bytes taken as 32-bit numbers, the most significant byte first, zeros added at the end. */
export function checksum(bytes: Bytes): number {
  let sum = 0;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const high = ((bytes[i] ?? 0) << 24) | ((bytes[i + 1] ?? 0) << 16);
    sum = (sum + (high | ((bytes[i + 2] ?? 0) << 8) | (bytes[i + 3] ?? 0))) | 0;
  }
  for (let i = whole; i < bytes.length; i++) sum = (sum + ((bytes[i] ?? 0) << (24 - 8 * (i - whole)))) | 0;
  return sum >>> 0;
}
