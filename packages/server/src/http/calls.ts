/**
 * The calls of the server API that are under way over HTTP, and whether more are taken. A call is under way from its head
 * to the last byte of its answer that the operating system took.
 */
export class Calls {
  /**
   * `all`; `last`: the caller is told to close the connection, so that nobody is cut off in the middle later; `none`: 503.
   */
  taken: 'all' | 'last' | 'none' = 'all';
  #underWay = 0;
  #waiting: (() => void)[] = [];

  get underWay(): number {
    return this.#underWay;
  }

  begin(): void {
    this.#underWay++;
  }

  end(): void {
    if (--this.#underWay > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  /** Resolves when none is under way. */
  over(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
