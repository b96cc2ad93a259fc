import { randomBytes } from 'node:crypto';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface FrameOptions {
  /** Default true: the last of its message. */
  readonly final?: boolean;
  /** Default true, as a client must. */
  readonly masked?: boolean;
}

/** A WebSocket frame as a client sends it, or as it must not. */
export function encodeFrame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Buffer {
  const { final = true, masked = true } = options;
  const length = payload.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)]);
}

/**
 * Takes the first frame that a server sent off the front of what was received.
 * @returns undefined where it has not come completely
 */
export function decodeFrame(received: Buffer): { frame: Frame; rest: Buffer } | undefined {
  if (received.length < 2) return undefined;
  const short = received[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (received.length < start) return undefined;
  const length =
    short < 126 ? short : short === 126 ? received.readUInt16BE(2) : Number(received.readBigUInt64BE(2));
  if (received.length < start + length) return undefined;
  const payload = received.subarray(start, start + length);
  return { frame: { opcode: received[0]! & 0x0f, payload }, rest: received.subarray(start + length) };
}
