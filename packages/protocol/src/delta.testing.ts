import { checksum, digits } from './delta.ts';
import type { Bytes } from './messages.ts';

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const AT = 0x40;

/**
 * Turns `base` into the target that `patch` was made for.
 * @throws Error where the patch is malformed or does not belong to this base
 */
export function applyDelta(base: Bytes, patch: Bytes): Bytes {
  const parts: Bytes[] = [];
  let at = 0;
  let made = 0;
  const number = (): number => {
    let value = 0;
    for (let digit = digits.indexOf(patch[at] ?? 0); digit >= 0; digit = digits.indexOf(patch[at] ?? 0)) {
      value = value * 64 + digit;
      at++;
    }
    return value;
  };
  const expect = (char: number): void => {
    if (patch[at++] !== char) throw new Error('malformed delta');
  };
  const add = (from: Bytes, offset: number, size: number): void => {
    made += size;
    if (offset + size > from.length || made > targetSize) throw new Error('delta reaches beyond its bounds');
    parts.push(from.subarray(offset, offset + size));
  };

  const targetSize = number();
  expect(NEWLINE);
  for (;;) {
    const value = number();
    const operator = patch[at++];
    if (operator === AT) {
      const offset = number();
      expect(COMMA);
      add(base, offset, value);
    } else if (operator === COLON) {
      add(patch, at, value);
      at += value;
    } else if (operator === SEMICOLON) {
      const target = Buffer.concat(parts);
      if (made !== targetSize || value !== checksum(target)) throw new Error('delta does not fit its base');
      return target;
    } else {
      throw new Error('malformed delta');
    }
  }
}
