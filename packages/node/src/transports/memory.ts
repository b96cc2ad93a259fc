import type { Bytes } from '@gyre/protocol';
import type { Transport } from './transport.ts';

/** A transport that keeps what it is given, for tests. The peer reads nothing while `stalled`. */
export class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly headers: ReadonlyMap<string, string> = new Map();
  readonly frames: Bytes[] = [];
  /** How it ended: the code told, or 1006 where none was. */
  ended: { readonly code: number; readonly reason: string } | undefined;
  stalled = false;
  #buffered = 0;

  send(frame: Bytes): boolean {
    if (this.ended !== undefined) return true;
    this.frames.push(frame);
    if (this.stalled) this.#buffered += frame.length;
    return !this.stalled;
  }

  buffered(): number {
    return this.#buffered;
  }

  /** The peer reads again, all of it. Tell the outbox or session that it is drained. */
  resume(): void {
    this.stalled = false;
    this.#buffered = 0;
  }

  close(code: number, reason: string): void {
    this.ended ??= { code, reason };
  }

  terminate(): void {
    this.ended ??= { code: 1006, reason: '' };
  }

  /** All frames so far, as text. */
  text(): string[] {
    return this.frames.map((frame) => Buffer.from(frame).toString());
  }
}
