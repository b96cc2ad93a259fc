/** Lets what concerns the same names happen one after another, in the order of the calls. Holds only what is under way. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Begins when all that was called for before for one of these names is settled. */
  async take<T>(names: readonly string[], act: () => Promise<T>): Promise<T> {
    const before = names.flatMap((name) => this.#last.get(name) ?? []);
    const mine = before.length === 0 ? act() : Promise.allSettled(before).then(act);
    for (const name of names) this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      for (const name of names) if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }

  /** Names for which something is under way. */
  get size(): number {
    return this.#last.size;
  }

  /** Something is under way for this name. */
  busy(name: string): boolean {
    return this.#last.has(name);
  }

  /** Resolves when all that is under way now is settled. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
