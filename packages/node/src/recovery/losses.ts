import type { Log } from '../options.ts';

/** Why publications cannot be had: the stream has them no more, or it is another one or went back. */
export type Loss = 'trimmed' | 'reset';

/** Milliseconds in which losses become one line of the log: a Redis that comes back empty has lost every channel at once. */
const TOGETHER = 1000;

/** Says what was lost, in few lines. */
export class LossLog {
  readonly #log: Log;
  readonly #losses = new Map<Loss, { channels: number; subscriptions: number; readonly first: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param subscriptions those that are told */
  add(channel: string, why: Loss, subscriptions: number): void {
    const loss = this.#losses.get(why) ?? { channels: 0, subscriptions: 0, first: channel };
    loss.channels++;
    loss.subscriptions += subscriptions;
    this.#losses.set(why, loss);
    this.#timer ??= setTimeout(() => this.close(), TOGETHER).unref();
  }

  /** Says what is not said yet. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [why, { channels, subscriptions, first }] of this.#losses) {
      const what =
        why === 'trimmed' ? 'history no longer has' : 'the stream is another one, or went back, and lost';
      this.#log.warn?.(`${what} what subscribers missed: they are told`, {
        channels,
        subscriptions,
        such_as: first,
      });
    }
    this.#losses.clear();
  }
}
