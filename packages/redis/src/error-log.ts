import type { Log } from './types.ts';

const intervalMs = 10_000;

/** Says an error at most once in ten seconds, and with the next one how many were not said. */
export class ErrorLog {
  readonly #log: Log;
  readonly #fields: object;
  #said = -Infinity;
  #unsaid = 0;

  /** @param fields said with each error */
  constructor(log: Log, fields: object) {
    this.#log = log;
    this.#fields = fields;
  }

  warn(message: string, error: unknown): void {
    const now = performance.now();
    if (now - this.#said < intervalMs) {
      this.#unsaid++;
      return;
    }
    const reason = error instanceof Error ? error.message || error.name : String(error);
    this.#log.warn?.(message, { ...this.#fields, error: reason, unsaid: this.#unsaid });
    this.#said = now;
    this.#unsaid = 0;
  }
}
