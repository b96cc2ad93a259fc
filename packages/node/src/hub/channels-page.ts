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
    if (matches === undefined || matches(name)) page.add(channel);
  }
  return page.finish();
}

/** The first so many channels in order, of those that are added in any order. */
class Page {
  readonly #limit: number;
  #channels: Channel[] = [];
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

  add(channel: Channel): void {
    if (this.#last !== undefined && channel.name > this.#last) {
      this.#more = true;
      return;
    }
    this.#channels.push(channel);
    // Sorting now and then is cheaper than keeping order all the time.
    if (this.#limit > 0 && this.#channels.length >= this.#limit * 2) this.#cut();
  }

  #cut(): void {
    this.#channels.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (this.#channels.length <= this.#limit) return;
    this.#channels.length = this.#limit;
    this.#last = this.#channels.at(-1)?.name;
    this.#more = true;
  }

  finish(): ChannelsPage {
    if (this.#limit > 0) this.#cut();
    // Whoever left meanwhile is not shown with nobody in it.
    const channels = this.#channels.filter(({ size }) => size > 0);
    return {
      channels: channels.map(({ name, size }) => ({ channel: name, numClients: size })),
      more: this.#more,
    };
  }
}
