import type { ServerInfo } from './greeting.ts';
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
 *
 * The connection may lead to another master by the time of the answer, which knows nothing of what was written to the one
 * before. So an answer holds only for the process that gave it.
 */
export class Replication {
  readonly #link: Link;
  readonly #mark: string;
  #asking: Promise<ServerInfo | undefined> | undefined;
  #next: Promise<ServerInfo | undefined> | undefined;

  /** @param mark key on that master */
  constructor(link: Link, mark: string) {
    this.#link = link;
    this.#mark = mark;
  }

  /**
   * Whether a replica has everything that a process of Redis had answered for before the call. Never rejects.
   * @param runId of that process; where it is hidden, only a connection that is there already can be known to lead to it
   */
  async confirmed(runId: string): Promise<boolean> {
    const before = this.#link.server;
    this.#next ??= this.#askNext();
    const by = await this.#next;
    return runId === '' ? by !== undefined && by === before : by?.runId === runId;
  }

  async #askNext(): Promise<ServerInfo | undefined> {
    await this.#asking;
    this.#next = undefined;
    this.#asking = this.#ask();
    return this.#asking;
  }

  /** @returns whose replica has everything, undefined where none has */
  async #ask(): Promise<ServerInfo | undefined> {
    const link = this.#link;
    try {
      await link.whenOpen();
      const { server } = link;
      const marked = link.send(['SET', this.#mark, '', 'PX', markMs]);
      const [, replicas] = await Promise.all([marked, link.send(['WAIT', 1, waitMs])]);
      return Number(replicas) > 0 ? server : undefined;
    } catch (error) {
      if (timedOut(error)) link.rebuild();
      return undefined;
    }
  }
}
