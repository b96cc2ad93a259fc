import { setImmediate } from 'node:timers/promises';
import type { ChannelsPage, Surveys } from '@gyre/broker';
import { compileGlob } from '@gyre/protocol';
import type { Channel } from './channel.ts';

/** How long one turn may hold the event loop, in milliseconds. */
const SLICE = 4;

/**
 * Lists channels that have subscribers, a page at a time: the names after `after` that fit the pattern, the first
 * `limit` of them in code unit order; with a limit of 0 all of them, in no order.
 *
 * Looks at every channel there is, in turns between which everything else goes on. A channel that has subscribers all
 * the while is on exactly one page; one that comes or goes meanwhile may be missed.
 */
export async function channelsPage(
  channels: Iterable<Channel>,
  { pattern, after, limit }: Surveys['channels']['query'],
): Promise<ChannelsPage> {
  const matches = pattern === '' ? undefined : compileGlob(pattern);
  const page = new Page(limit);
  let turnEnds = performance.now() + SLICE;
  let seen = 0;
  for (const channel of channels) {
    // A hostile pattern may cost a millisecond a name: with one the clock is looked at more often.
    if ((++seen & (matches === undefined ? 255 : 7)) === 0 && performance.now() > turnEnds) {
      await setImmediate();
      turnEnds = performance.now() + SLICE;
    }
    const { name, size } = channel;
    if (size === 0 || name <= after || page.isFull(name)) continue;
    if (matches === undefined || matches(name)) page.add(name, size);
  }
  return page.finish();
}

type Entry = ChannelsPage['channels'][number];

/** The first so many channels in order, of those that are added in any order. */
class Page {
  readonly #limit: number;
  readonly #entries: Entry[] = [];
  /** Whatever does not come before it has no place any more. */
  #last: string | undefined;
  #more = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Nothing that stands at `name` can change this page, nor what is known of the next. */
  isFull(name: string): boolean {
    return this.#more && this.#last !== undefined && name > this.#last;
  }

  add(channel: string, numClients: number): void {
    if (this.#last !== undefined && channel > this.#last) {
      this.#more = true;
      return;
    }
    this.#entries.push({ channel, numClients });
    // Sorting now and then is cheaper than keeping order all the time.
    if (this.#limit > 0 && this.#entries.length >= this.#limit * 2) this.#cut();
  }

  #cut(): void {
    this.#entries.sort((a, b) => (a.channel < b.channel ? -1 : 1));
    if (this.#entries.length <= this.#limit) return;
    this.#entries.length = this.#limit;
    this.#last = this.#entries.at(-1)?.channel;
    this.#more = true;
  }

  finish(): ChannelsPage {
    if (this.#limit > 0) this.#cut();
    return { channels: this.#entries, more: this.#more };
  }
}
