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

/**
 * One request and its answer. A response of uWebSockets must not be touched once its peer is gone, and must have its
 * abort handler before its route handler returns: make an Exchange first thing, and answer through it only.
 */
export class Exchange {
  readonly #response: HttpResponse;
  #over = false;
  /** The peer went before the body was read. */
  #aborted: (() => void) | undefined;

  constructor(response: HttpResponse) {
    this.#response = response;
    response.onAborted(() => {
      this.#over = true;
      this.#aborted?.();
    });
  }

  /**
   * Answers, once; later calls and calls after the peer has gone do nothing.
   * @param close end the connection too, because the rest of the request was not read
   */
  answer(answer: Answer, close = false): void {
    if (this.#over) return;
    this.#over = true;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(STATUS_LINES[answer.status] ?? String(answer.status));
      if (answer.contentType !== undefined) response.writeHeader('Content-Type', answer.contentType);
      for (const name in answer.headers) response.writeHeader(name, answer.headers[name] ?? '');
      response.end(answer.body, close);
    });
  }

  /**
   * Reads the body and hands it over, owned by the receiver. A longer one than `limit` bytes is answered with 413 and
   * handed to nobody.
   * @param declared the Content-Length header
   */
  read(limit: number, declared: string, receive: (body: Buffer) => void): void {
    if (Number(declared) > limit) {
      this.#tooLarge(limit);
      return;
    }
    let chunks: Buffer[] | undefined;
    let size = 0;
    this.#aborted = () => (chunks = undefined);
    this.#response.onData((chunk, isLast) => {
      if (this.#over) return;
      size += chunk.byteLength;
      if (size > limit) {
        chunks = undefined;
        this.#tooLarge(limit);
        return;
      }
      // The chunk's memory is uWebSockets' own: whatever is kept past this call has to be a copy.
      const copy = Buffer.from(Buffer.from(chunk));
      if (!isLast) (chunks ??= []).push(copy);
      else receive(chunks === undefined ? copy : Buffer.concat([...chunks, copy], size));
    });
  }

  #tooLarge(limit: number): void {
    this.answer(
      { status: 413, contentType: 'text/plain; charset=utf-8', body: `Request body over ${limit} bytes\n` },
      true,
    );
  }
}
