/** What nodes reply to one call, until all that are counted on did or it is ended. */
export class Round<T> {
  readonly replies = new Map<string, T>();
  /** Resolves when nothing more is waited for. */
  readonly over: Promise<void>;
  #end!: () => void;
  #counted: Set<string> | undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Whose replies are waited for. Replies may have come before. */
  count(nodes: Iterable<string>): void {
    this.#counted = new Set(nodes);
    this.#check();
  }

  /** Of those counted on, without those that left with no reply. */
  get counted(): ReadonlySet<string> {
    return this.#counted ?? new Set();
  }

  reply(node: string, reply: T): void {
    this.replies.set(node, reply);
    this.#check();
  }

  left(node: string): void {
    if (!this.replies.has(node)) this.#counted?.delete(node);
    this.#check();
  }

  end(): void {
    this.#end();
  }

  #check(): void {
    if (this.#counted !== undefined && [...this.#counted].every((node) => this.replies.has(node)))
      this.#end();
  }
}
