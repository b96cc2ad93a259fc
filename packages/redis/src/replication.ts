import type { Link } from './link.ts';
import { timedOut } from './link.ts';

/** Milliseconds that a replica has for saying that it has what was written. */
const waitMs = 100;
/** Milliseconds that the mark is kept, which is written because only what a connection wrote itself can be waited for. */
const markMs = 60_000;

/**
 * Finds out whether replicas have what was written to a master. It has a connection of its own, since waiting holds up
 * whatever comes after it. Those who ask while an answer is waited for share the next one, so that a replica that is away
 * costs each of them two waits at most.
 */
export class Replication {
  readonly #link: Link;
  readonly #mark: string;
  #asking: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  /** @param mark key on that master */
  constructor(link: Link, mark: string) {
    this.#link = link;
    this.#mark = mark;
  }

  /** Whether a replica has everything that the master had answered for before the call. Never rejects. */
  confirmed(): Promise<boolean> {
    this.#next ??= this.#askNext();
    return this.#next;
  }

  async #askNext(): Promise<boolean> {
    await this.#asking;
    this.#next = undefined;
    this.#asking = this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<boolean> {
    const link = this.#link;
    try {
      await link.whenOpen();
      const marked = link.send(['SET', this.#mark, '', 'PX', markMs]);
      const [, replicas] = await Promise.all([marked, link.send(['WAIT', 1, waitMs])]);
      return Number(replicas) > 0;
    } catch (error) {
      if (timedOut(error)) link.rebuild();
      return false;
    }
  }
}
