import { connect, type Socket } from 'node:net';
import type { Gyre } from '../harness/index.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A connection over which any bytes go out, and only sound answers come back. */
export class HttpPeer {
  readonly answers: HttpAnswer[] = [];
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wrong: Error | undefined;
  #waiting: (() => void)[] = [];

  constructor({ port }: Pick<Gyre, 'port'>) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      try {
        while (this.#takeAnswer());
      } catch (error) {
        this.#wrong ??= error as Error;
      }
      this.#wake();
    });
    // A reset is an ending like another.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  write(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Waits for so many answers, or the end of the connection. @throws what was found wrong */
  async until(answers: number): Promise<void> {
    while (this.#wrong === undefined && !this.#ended && this.answers.length < answers) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  /** Goes away: with FIN, or with RST. @throws what was found wrong before */
  leave(abruptly: boolean): void {
    if (abruptly) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
    if (this.#wrong !== undefined) throw this.#wrong;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #takeAnswer(): boolean {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const [first = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) [ -~]*$/.exec(first)?.[1];
    if (status === undefined) throw new Error(`status line ${JSON.stringify(first)}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const [, name, value = ''] = /^([A-Za-z-]+): ([ -~]*)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`header ${JSON.stringify(line)}`);
      headers.set(name.toLowerCase(), value);
    }
    const length = Number(headers.get('content-length') ?? 0);
    if (this.#received.length < end + 4 + length) return false;
    this.answers.push({
      status: Number(status),
      headers,
      body: this.#received.toString('utf8', end + 4, end + 4 + length),
    });
    this.#received = this.#received.subarray(end + 4 + length);
    return true;
  }
}
