import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { decodeFrame, encodeFrame, opcodes, type Frame } from '../harness/frames.ts';
import type { Gyre } from '../harness/index.ts';
import { readerOf, readReply } from './messages.ts';

/** How a connection ended. */
export type Ending =
  /** With a close frame. */
  | { readonly code: number; readonly reason: string }
  /** Cut, without a close frame. */
  | 'cut';

export type Wire = 'json' | 'protobuf';

export interface Reply {
  readonly id?: number;
  readonly [field: string]: unknown;
}

export interface Handshake {
  /** Path and query. */
  readonly target?: string;
  readonly headers?: readonly string[];
}

const { disconnects } = JSON.parse(
  readFileSync(new URL('../../proto/codes.json', import.meta.url), 'utf8'),
) as { disconnects: { code: number }[] };

/** With what a server may close a connection. */
const closeCodes = new Set([1002, 1007, 1009, ...disconnects.map(({ code }) => code)]);

/**
 * A client that sends any bytes, and checks everything that comes back: whatever it sent, the server has to go on
 * speaking its protocol.
 */
export class Peer {
  readonly wire: Wire;
  /** Replies and pushes so far, pings left out. */
  readonly messages: Reply[] = [];
  /** Pongs so far. */
  pongs = 0;
  /** Who may have a say in how this connection is closed. */
  closedBy: 'server' | 'api' | 'peer' = 'server';
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #status = 0;
  #wrong: Error | undefined;
  #ending: Ending | undefined;
  #waiting: (() => void)[] = [];

  constructor({ port }: Pick<Gyre, 'port'>, wire: Wire) {
    this.wire = wire;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    // A reset is an ending like another.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ending ??= 'cut';
      this.#wake();
    });
  }

  /** Sends the handshake, at once together with what is written next. */
  handshake({ target, headers = [] }: Handshake = {}): void {
    const path = target ?? `/connection/websocket${this.wire === 'protobuf' ? '?cf_protocol=protobuf' : ''}`;
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ...headers,
    ];
    this.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** A message as it should be. */
  send(message: Uint8Array, opcode: number = this.wire === 'json' ? opcodes.text : opcodes.binary): void {
    this.write(encodeFrame(opcode, message));
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  /** Waits until the condition holds or the connection has ended, and gives how it ended. @throws what was found wrong */
  async until(condition: () => boolean): Promise<Ending | undefined> {
    while (this.#wrong === undefined && this.#ending === undefined && !condition()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#wrong !== undefined) throw this.#wrong;
    return this.#ending;
  }

  /** Waits for the answer to the handshake, and gives its status; 0 where the connection was cut. */
  async answered(): Promise<number> {
    await this.until(() => this.#status !== 0);
    return this.#status;
  }

  /** Goes away: with FIN, or with RST. @throws what was found wrong before */
  leave(abruptly = false): void {
    if (abruptly) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      if (!this.#upgraded) this.#takeHead();
      while (this.#upgraded) {
        const next = decodeFrame(this.#received);
        if (next === undefined) break;
        this.#received = next.rest;
        this.#frame(next.frame);
      }
    } catch (error) {
      this.#wrong ??= error as Error;
    }
    this.#wake();
  }

  #takeHead(): void {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.#status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.#received.toString('latin1', 0, 20))?.[1] ?? -1);
    if (this.#status === 101) this.#received = this.#received.subarray(end + 4);
    this.#upgraded = this.#status === 101;
  }

  #frame({ opcode, payload }: Frame): void {
    if (opcode === opcodes.close) this.#closed(payload);
    else if (opcode === opcodes.text && this.wire === 'json') this.#lines(payload);
    else if (opcode === opcodes.binary && this.wire === 'protobuf') this.#framed(payload);
    else if (opcode === opcodes.pong) this.pongs++;
    else if (opcode !== opcodes.ping) throw new Error(`opcode ${opcode} of the server`);
  }

  #closed(payload: Buffer): void {
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    const reason = payload.subarray(2);
    this.#ending = { code, reason: reason.toString() };
    // Others give codes of their own, which come back as they are.
    if (this.closedBy !== 'server') return;
    if (!closeCodes.has(code) || !isUtf8(reason) || payload.length > 125)
      throw new Error(`close frame of the server: ${payload.toString('hex')}`);
  }

  #lines(payload: Buffer): void {
    if (!isUtf8(payload)) throw new Error('text of the server is not UTF-8');
    for (const line of payload.toString().split('\n')) this.#message(JSON.parse(line) as Reply);
  }

  #framed(payload: Buffer): void {
    const reader = readerOf(payload);
    while (reader.pos < reader.len) this.#message(readReply(reader));
  }

  #message(message: Reply): void {
    if (Object.keys(message).length === 0) return;
    if (message.id === undefined && message['push'] === undefined)
      throw new Error(`neither reply nor push: ${JSON.stringify(message)}`);
    this.messages.push(message);
  }
}
