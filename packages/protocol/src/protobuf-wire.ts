import { DecodeError } from './codec.ts';
import type { Bytes } from './messages.ts';

/**
 * The Protobuf wire format as far as our messages use it: varints and length-delimited fields are read and written,
 * doubles are written, other fixed-width fields are passed over, groups are refused.
 */

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** Strict, and keeps a byte order mark that belongs to the text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads fields one after another: {@link next} goes to the next one, then exactly one of the other methods takes its
 * value or passes over it. Nothing is allocated for a length before it is known to lie inside the message.
 *
 * Every method throws DecodeError where the bytes are not what it says.
 */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #end: number;
  #type = 0;
  /** The two halves of the varint read last. */
  #low = 0;
  #high = 0;

  /** Number of the current field. */
  field = 0;

  constructor(bytes: Bytes) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** Whether anything is left of the current message. */
  get more(): boolean {
    return this.#at < this.#end;
  }

  /** Reads the head of the next field into {@link field}; false at the end of the current message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.#varint();
    if (this.#high !== 0) throw new DecodeError('field number too large');
    this.field = this.#low >>> 3;
    this.#type = this.#low & 7;
    if (this.field === 0) throw new DecodeError('field number 0');
    return true;
  }

  /** Passes over the value of a field that nobody wants. */
  skip(): void {
    if (this.#type === VARINT) this.#varint();
    else if (this.#type === DELIMITED) this.#take(this.#length());
    else if (this.#type === FIXED32) this.#take(4);
    else if (this.#type === FIXED64) this.#take(8);
    else throw new DecodeError(`wire type ${this.#type}`);
  }

  bool(): boolean {
    this.#expect(VARINT);
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** The low 32 bits of any integer field, unsigned; those above are dropped, as the format asks. */
  uint32(): number {
    this.#expect(VARINT);
    this.#varint();
    return this.#low >>> 0;
  }

  /** The low 32 bits of any integer field, signed. */
  int32(): number {
    return this.uint32() | 0;
  }

  /** A 64-bit count; more than Number.MAX_SAFE_INTEGER is refused. */
  uint64(): number {
    this.#expect(VARINT);
    this.#varint();
    const high = this.#high >>> 0;
    if (high >= 2 ** 21) throw new DecodeError('integer too large');
    return high * 2 ** 32 + (this.#low >>> 0);
  }

  /** A 64-bit number in two's complement; more than Number.MAX_SAFE_INTEGER either way is refused. */
  int64(): number {
    this.#expect(VARINT);
    this.#varint();
    const high = this.#high | 0;
    if (high >= 2 ** 21 || high < -(2 ** 21)) throw new DecodeError('integer too large');
    return high * 2 ** 32 + (this.#low >>> 0);
  }

  string(): string {
    const start = this.#delimited();
    for (let i = start; i < this.#at; i++) {
      if ((this.#bytes[i] ?? 0) > 0x7f) return this.#text(start);
    }
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** A copy of the bytes, empty where the field is. */
  bytes(): Bytes {
    const start = this.#delimited();
    const copy = Buffer.allocUnsafe(this.#at - start);
    this.#bytes.copy(copy, 0, start, this.#at);
    return copy;
  }

  /**
   * Narrows the reader to the message in the current field: {@link next} ends where it does.
   * @returns what {@link leave} needs to go on with the message around it
   */
  enter(): number {
    this.#expect(DELIMITED);
    return this.enterFramed();
  }

  /** Like {@link enter}, for a message with its length in front of it and no field around it. */
  enterFramed(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  /** Goes on after a message that was read to its end. */
  leave(outer: number): void {
    this.#end = outer;
  }

  #text(start: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, this.#at));
    } catch {
      throw new DecodeError('text that is not UTF-8');
    }
  }

  #expect(type: number): void {
    if (this.#type !== type) throw new DecodeError(`wire type ${this.#type} in field ${this.field}`);
  }

  /** Goes past a length-delimited value and gives its start. */
  #delimited(): number {
    this.#expect(DELIMITED);
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return start;
  }

  /** Reads a length that the current message has room for. */
  #length(): number {
    this.#varint();
    const length = this.#low >>> 0;
    if (this.#high !== 0 || length > this.#end - this.#at) throw new DecodeError('message cut short');
    return length;
  }

  #take(length: number): void {
    if (length > this.#end - this.#at) throw new DecodeError('message cut short');
    this.#at += length;
  }

  /** Reads at most ten bytes with at most 64 bits in them. */
  #varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw new DecodeError('message cut short');
      const byte = this.#bytes[this.#at++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift > 28) high |= bits << (shift - 32);
      else {
        low |= bits << 28;
        high = bits >>> 4;
      }
      if (byte <= 0x7f) {
        if (shift === 63 && bits > 1) break;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    throw new DecodeError('varint too long');
  }
}

/** Room that a writer keeps; what a larger message needed is given back before the next one. */
const ROOM = 64 * 1024;

/**
 * Writes a message **from its end to its beginning**: the length of what is inside a message is then known when its
 * head is written, and no size has to be computed beforehand. So fields are given in falling order, to appear in rising
 * order. Zero values are left out.
 *
 * One writer serves one message after another; it must not be used for two at once.
 */
export class Writer {
  #room = Buffer.allocUnsafeSlow(ROOM);
  #at = ROOM;

  /** Bytes written so far; what {@link message} needs to know where a message ended. */
  get size(): number {
    return this.#room.length - this.#at;
  }

  /** Begins a message; whatever an unfinished one left behind is gone. */
  begin(): void {
    if (this.#room.length > ROOM) this.#room = Buffer.allocUnsafeSlow(ROOM);
    this.#at = this.#room.length;
  }

  /** Makes what was written since `end` a message, and the value of a field. Written even where it is empty. */
  message(field: number, end: number): void {
    this.#varint(this.size - end);
    this.#tag(field, DELIMITED);
  }

  /** A non-negative integer up to Number.MAX_SAFE_INTEGER. */
  uint(field: number, value: number | undefined): void {
    if (value === undefined || value === 0) return;
    this.#varint(value);
    this.#tag(field, VARINT);
  }

  bool(field: number, value: boolean | undefined): void {
    if (value === true) this.uint(field, 1);
  }

  double(field: number, value: number | undefined): void {
    if (value === undefined || value === 0) return;
    this.#reserve(8);
    this.#at -= 8;
    this.#room.writeDoubleLE(value, this.#at);
    this.#tag(field, FIXED64);
  }

  string(field: number, value: string | undefined): void {
    if (value === undefined || value === '') return;
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#at -= length;
    this.#room.write(value, this.#at, length);
    this.#varint(length);
    this.#tag(field, DELIMITED);
  }

  bytes(field: number, value: Bytes | undefined): void {
    if (value === undefined || value.length === 0) return;
    this.#reserve(value.length);
    this.#at -= value.length;
    this.#room.set(value, this.#at);
    this.#varint(value.length);
    this.#tag(field, DELIMITED);
  }

  /** The message written since {@link begin}, as it is. */
  bare(): Bytes {
    const bytes = Buffer.allocUnsafe(this.size);
    this.#room.copy(bytes, 0, this.#at);
    return bytes;
  }

  /** The message written since {@link begin}, with its length in front. */
  finish(): Bytes {
    this.#varint(this.size);
    const framed = Buffer.allocUnsafe(this.size);
    this.#room.copy(framed, 0, this.#at);
    return framed;
  }

  #tag(field: number, type: number): void {
    this.#varint((field << 3) | type);
  }

  #varint(value: number): void {
    let length = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length++;
    this.#reserve(length);
    this.#at -= length;
    let at = this.#at;
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.#room[at++] = (rest % 128) | 0x80;
    this.#room[at] = rest;
  }

  #reserve(length: number): void {
    if (length <= this.#at) return;
    const size = this.size;
    const room = Buffer.allocUnsafeSlow(Math.max(this.#room.length * 2, size + length + ROOM));
    this.#room.copy(room, room.length - size, this.#at);
    this.#at = room.length - size;
    this.#room = room;
  }
}
