import type { Subscription } from '../hub/subscription.ts';

/** Subscriptions a second whose clients are told that they lost their place; as many as come back a second later. */
const RATE = 5000;
/** Milliseconds between two portions. */
const PORTION = 50;

/**
 * Tells clients that their subscriptions have lost their place, not all at once: each of them subscribes again, and a
 * Redis that comes back would meet all clients of all channels in the same moment.
 */
export class Notices {
  #waiting: Subscription[] = [];
  #timer: NodeJS.Timeout | undefined;

  send(subscriptions: readonly Subscription[]): void {
    this.#waiting = this.#waiting.concat(subscriptions);
    if (this.#timer !== undefined || this.#waiting.length === 0) return;
    this.#portion();
    if (this.#waiting.length > 0) this.#timer = setInterval(() => this.#portion(), PORTION);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#waiting = [];
  }

  #portion(): void {
    for (const member of this.#waiting.splice(0, (RATE * PORTION) / 1000)) {
      // It may have left meanwhile.
      const isThere = member.session.subscriptions.get(member.channel.name) === member;
      if (isThere) member.session.lostPosition(member);
    }
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
