import type { HttpResponse } from 'uWebSockets.js';

/** An answer to a request, before it is written. */
export interface Answer {
  readonly status: number;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const STATUS_LINES: Readonly<Record<number, string>> = {
  200: '200 OK',
  204: '204 No Content',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  409: '409 Conflict',
  413: '413 Payload Too Large',
  416: '416 Range Not Satisfiable',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
};

/** Bytes of a body from which it is handed over piece by piece, to know when the operating system took the last one. */
const LARGE = 65_536;

/**
 * One request and its answer. A response of uWebSockets must not be touched once its peer is gone, and must have its
 * abort handler before its route handler returns: make an Exchange first thing, and answer through it only.
 */
export class Exchange {
  readonly #response: HttpResponse;
  readonly #ended: (() => void) | undefined;
  #over = false;

  /** @param ended called once: when the answer has been handed to the operating system, or the peer has gone */
  constructor(response: HttpResponse, ended?: () => void) {
    this.#response = response;
    this.#ended = ended;
    response.onAborted(() => {
      this.#over = true;
      this.#ended?.();
    });
  }

  /** Answers, once; later calls and calls after the peer has gone do nothing. */
  answer(answer: Answer): void {
    if (this.#over) return;
    this.#over = true;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(STATUS_LINES[answer.status] ?? String(answer.status));
      if (answer.contentType !== undefined) response.writeHeader('Content-Type', answer.contentType);
      for (const name in answer.headers) response.writeHeader(name, answer.headers[name] ?? '');
      const { body } = answer;
      if (body === undefined || body.length < LARGE || this.#ended === undefined) {
        response.end(body);
        this.#ended?.();
      } else this.#handOver(typeof body === 'string' ? Buffer.from(body) : body);
    });
  }

  /** Writes a body as fast as the peer takes it. */
  #handOver(body: Uint8Array): void {
    const response = this.#response;
    const write = (from: number): boolean => {
      const [ok, done] = response.tryEnd(body.subarray(from), body.length);
      if (done) this.#ended?.();
      return ok;
    };
    if (!write(0)) response.onWritable(write);
  }

  /**
   * Reads the body and hands it over; its memory is the receiver's only until `receive` returns. A longer one than
   * `limit` bytes is answered with 413 and handed to nobody.
   */
  read(limit: number, receive: (body: Buffer) => void): void {
    const chunks: Buffer[] = [];
    let size = 0;
    this.#response.onData((data, isLast) => {
      if (this.#over) return;
      size += data.byteLength;
      if (size > limit) {
        chunks.length = 0;
        this.#tooLarge(limit);
        return;
      }
      const chunk = Buffer.from(data);
      if (isLast) receive(chunks.length === 0 ? chunk : Buffer.concat([...chunks, chunk], size));
      // The chunk's memory is uWebSockets' own: what is kept past this call has to be a copy.
      else chunks.push(Buffer.from(chunk));
    });
  }

  /** The rest of the body is read and dropped: closing on a peer that still sends would cost it the answer. */
  #tooLarge(limit: number): void {
    this.answer({
      status: 413,
      contentType: 'text/plain; charset=utf-8',
      headers: { Connection: 'close' },
      body: `Request body over ${limit} bytes\n`,
    });
  }
}
