import type { Log } from './types.ts';

const intervalMs = 10_000;

/** Says an error at most once in ten seconds, and with the next one how many were not said. */
export class ErrorLog {
  readonly #log: Log;
  readonly #fields: object;
  #said = -Infinity;
  #unsaid = 0;
  #trouble = false;

  /** @param fields said with each error */
  constructor(log: Log, fields: object) {
    this.#log = log;
    this.#fields = fields;
  }

  /** @param more fields of this error */
  warn(message: string, error: unknown, more: object = {}): void {
    const now = performance.now();
    if (now - this.#said < intervalMs) {
      this.#unsaid++;
      return;
    }
    this.#log.warn?.(message, { ...this.#fields, ...more, error: reasonOf(error), unsaid: this.#unsaid });
    this.#trouble = true;
    this.#said = now;
    this.#unsaid = 0;
  }

  /** Says what is well again. */
  info(message: string, fields: object): void {
    this.#log.info?.(message, { ...this.#fields, ...fields });
  }

  /** Whether an error was said since this was last asked. */
  takeTrouble(): boolean {
    const trouble = this.#trouble;
    this.#trouble = false;
    return trouble;
  }
}

/** What an error says, without what the client library says around it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // All addresses that a name has.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  const [, ofSentinel] = /^All sentinels are unreachable.*? Last error: (.+)$/s.exec(error.message) ?? [];
  return ofSentinel === undefined ? error.message || error.name : `no Sentinel names a master: ${ofSentinel}`;
}
