import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Addresses } from './config.ts';
import { decodeFrame, encodeFrame, opcodes, type FrameOptions } from './frames.ts';
import { teardown } from './teardown.ts';
import { until } from './until.ts';

export interface RawSocketOptions {
  /** Default: that of `wsUrl`. */
  readonly path?: string;
  /** Sent with the handshake, over its own. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Closed {
  /** 1005 for a close frame without a code, 1006 where none came. */
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket without a will of its own: sends what it is told, also what no client should; answers no ping. */
export interface RawSocket {
  /** Sends a text message, or a binary one. */
  send(message: string | Uint8Array): void;
  /** Sends a single frame. */
  sendFrame(opcode: number, payload: string | Uint8Array, options?: FrameOptions): void;
  /** The next message, text as a string. @throws Error where none comes before the deadline or the end */
  next(deadline?: number): Promise<string | Buffer>;
  /** Messages that came and were not asked for yet. */
  readonly waiting: readonly (string | Buffer)[];
  /** Payloads of the ping frames that came. */
  readonly pings: readonly Buffer[];
  /** All of `waiting`, which is empty then. */
  takeAll(): (string | Buffer)[];
  /** Bytes of each message that came. */
  readonly sizes: readonly number[];
  /** What the handshake was answered with, "" for none. */
  readonly subProtocol: string;
  /** Stops reading, so that the server's queue grows. What has been read stays in `waiting`. */
  pause(): void;
  resume(): void;
  /** Drops the connection without a word. */
  destroy(): void;
  readonly closed: Promise<Closed>;
}

/** The handshake was answered with something else than 101. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused';
  readonly status: number;

  constructor(status: number, response: string) {
    super(`handshake refused:\n${response}`);
    this.status = status;
  }
}

/**
 * Opens a WebSocket by hand. It is dropped when the test, or file, that opened it ends.
 * @throws HandshakeRefused
 */
export async function rawSocket(
  server: Pick<Addresses, 'wsUrl'>,
  options: RawSocketOptions = {},
): Promise<RawSocket> {
  const { hostname, port, pathname, protocol } = new URL(server.wsUrl);
  const target = { host: hostname, port: Number(port) };
  const tcp = protocol === 'wss:' ? connectTls({ ...target, rejectUnauthorized: false }) : connectTcp(target);
  teardown(async () => void tcp.destroy());

  let received: Buffer = Buffer.alloc(0);
  let take = (): void => {};
  tcp.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    take();
  });
  // What went wrong is told by `closed`, or by the handshake that does not come.
  tcp.on('error', () => {});

  tcp.write(handshake(options.path ?? pathname, { Host: `${hostname}:${port}`, ...options.headers }));
  await until(() => received.includes(endOfHead) || tcp.closed, { message: 'an answer to the handshake' });
  const status = Number(received.toString('latin1').split(' ')[1] ?? 0);
  if (status !== 101) throw new HandshakeRefused(status, received.toString());
  const end = received.indexOf(endOfHead) + endOfHead.length;
  const head = received.toString('latin1', 0, end);
  const [, subProtocol = ''] = /^sec-websocket-protocol: *(.*?)\r$/im.exec(head) ?? [];
  received = received.subarray(end);

  const waiting: (string | Buffer)[] = [];
  const sizes: number[] = [];
  const pings: Buffer[] = [];
  const sendFrame: RawSocket['sendFrame'] = (opcode, payload, how) => {
    tcp.write(encodeFrame(opcode, Buffer.from(payload), how));
  };
  const closed = new Promise<Closed>((resolve) => {
    tcp.once('close', () => resolve({ code: 1006, reason: '' }));
    take = () => {
      for (let next = decodeFrame(received); next !== undefined; next = decodeFrame(received)) {
        const { opcode, payload } = next.frame;
        received = next.rest;
        if (opcode === opcodes.text || opcode === opcodes.binary) sizes.push(payload.length);
        if (opcode === opcodes.text) waiting.push(payload.toString());
        if (opcode === opcodes.binary) waiting.push(Buffer.from(payload));
        if (opcode === opcodes.ping) pings.push(Buffer.from(payload));
        if (opcode !== opcodes.close) continue;
        sendFrame(opcodes.close, payload);
        resolve({
          code: payload.length < 2 ? 1005 : payload.readUInt16BE(0),
          reason: payload.toString('utf8', 2),
        });
      }
    };
    take();
  });

  return {
    waiting,
    pings,
    sizes,
    subProtocol,
    closed,
    sendFrame,
    takeAll: () => waiting.splice(0),
    send: (message) => sendFrame(typeof message === 'string' ? opcodes.text : opcodes.binary, message),
    async next(deadline = 10_000) {
      await until(() => waiting.length > 0 || tcp.closed, { deadline, message: 'a message' });
      const message = waiting.shift();
      if (message === undefined) throw new Error('the connection has ended');
      return message;
    },
    pause: () => void tcp.pause(),
    resume: () => void tcp.resume(),
    destroy: () => void tcp.destroy(),
  };
}

const endOfHead = '\r\n\r\n';

function handshake(path: string, headers: Readonly<Record<string, string>>): string {
  const sent = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
