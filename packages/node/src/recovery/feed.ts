import type { BrokerEvents, HistoryOptions, HistoryPage } from '@gyre/broker';
import { ClientError, errorCodes, type Publication, type StreamPosition } from '@gyre/protocol';
import type { Context } from '../context.ts';
import type { Arrived, Channel } from '../hub/channel.ts';
import type { Subscription } from '../hub/subscription.ts';
import { announce, fanout } from '../hub/fanout.ts';
import { count } from '../options.ts';
import { LossLog, type Loss } from './losses.ts';
import { Notices } from './notices.ts';
import type { Arrival } from './position.ts';

/** Publications that one read of a gap brings. */
const FILL = 500;
/** Publications that may wait for a gap to be filled; beyond it they are read like the gap itself. */
const HELD = 1000;
/** Milliseconds between two tries to read a gap, doubled each time up to the second. */
const RETRY = [50, 2000] as const;
/** Channels whose position is asked for at a time. */
const BATCH = 128;
/** Milliseconds in which every quiet channel is looked at once. */
const SWEEP = 10_000;
/** A channel that subscribers count on is used, though nobody publishes: so many times in the life of its position. */
const USES = 3;

/** Why subscribers are told to begin anew. */
type Resync = Loss | 'renewed';

const NOTHING: ReadonlyMap<string, StreamPosition> = new Map();

/**
 * What comes back from the broker, in order and without holes: from here a publication goes to the subscribers.
 *
 * A publication that does not follow the last one holds its channel until the missing ones are read and delivered. What
 * was subscribed anew after a broken connection is compared with the stream at once, and every quiet channel now and
 * then, so that a missing last publication is found as well. Only where the stream does not have what is missing are
 * subscribers told.
 */
export class Feed implements BrokerEvents {
  readonly #context: Context;
  readonly #stop = new AbortController();
  readonly #notices = new Notices();
  readonly #losses: LossLog;

  constructor(context: Context) {
    this.#context = context;
    this.#losses = new LossLog(context.log);
  }

  /** Begins to look at quiet channels. */
  start(): void {
    void this.#sweep(this.#stop.signal);
  }

  close(): void {
    this.#stop.abort();
    this.#notices.close();
    this.#losses.close();
  }

  get #closed(): boolean {
    return this.#stop.signal.aborted;
  }

  publication(name: string, publication: Publication, at: StreamPosition | undefined, delta: boolean): void {
    const { hub, stats } = this.#context;
    stats.received.publication++;
    const channel = hub.channel(name);
    if (channel === undefined) return;
    if (at === undefined) fanout(channel, publication, undefined, stats);
    else this.#arrived(channel, { publication, at, delta });
  }

  join(name: string, info: Parameters<BrokerEvents['join']>[1]): void {
    const { hub, stats } = this.#context;
    stats.received.join++;
    const channel = hub.channel(name);
    if (channel !== undefined) announce(channel, 'join', info, stats);
  }

  leave(name: string, info: Parameters<BrokerEvents['leave']>[1]): void {
    const { hub, stats } = this.#context;
    stats.received.leave++;
    const channel = hub.channel(name);
    if (channel !== undefined) announce(channel, 'leave', info, stats);
  }

  uncertain(names: readonly string[]): void {
    // Among what did not arrive may be that history was removed.
    for (const name of names) this.#context.hub.channel(name)?.position?.doubt();
    this.#context.background(this.#compare(names, true));
  }

  historyRemoved(name: string): void {
    this.#context.hub.channel(name)?.position?.forget();
  }

  /** Somebody read the stream up to `top`, which this node has not got to yet: resolves when it has. */
  async catchUp(channel: Channel, top: StreamPosition, history: HistoryOptions): Promise<void> {
    if (channel.position === undefined) channel.stand(top);
    else await (channel.filling ?? this.#startFilling(channel, [], history));
  }

  /** @param history how the channel is kept, should nobody be left who knows */
  #startFilling(channel: Channel, held: Arrived[], history?: HistoryOptions): Promise<void> {
    const { gaps, gapFills } = this.#context.stats;
    gaps.found++;
    channel.held = held;
    const began = performance.now();
    const filling = this.#fill(channel, history).finally(() => {
      if (channel.filling === filling) channel.filling = undefined;
      gapFills.observe((performance.now() - began) / 1000);
    });
    channel.filling = filling;
    this.#context.background(filling);
    return filling;
  }

  #arrived(channel: Channel, arrived: Arrived): void {
    if (channel.held !== undefined) {
      // One too many is forgotten: the read that follows finds it in the stream.
      if (channel.held.length < HELD) channel.held.push(arrived);
      return;
    }
    if (this.#take(channel, arrived) === 'gap') this.#gap(channel, arrived);
  }

  /** Delivers a publication if it is the next one. */
  #take(channel: Channel, { publication, at, delta }: Arrived): Arrival {
    const position = channel.position ?? channel.stand({ ...at, offset: at.offset - 1 });
    const base = delta ? position.last : undefined;
    const arrival = position.arrive(at, publication);
    if (arrival === 'next') fanout(channel, publication, base, this.#context.stats);
    else if (arrival === 'old') this.#context.stats.duplicates++;
    return arrival;
  }

  #gap(channel: Channel, arrived: Arrived): void {
    const { stats } = this.#context;
    if (channel.history !== undefined) {
      void this.#startFilling(channel, [arrived]);
      return;
    }
    // Nobody here counts on offsets.
    channel.position?.jump(arrived.at, arrived.publication);
    fanout(channel, arrived.publication, undefined, stats);
  }

  /** Reads what is missing until there is no gap left, and lets go what was held. */
  async #fill(channel: Channel, kept: HistoryOptions | undefined): Promise<void> {
    for (let wait: number = RETRY[0]; ;) {
      const history = channel.history ?? kept;
      if (history === undefined || this.#closed || this.#context.hub.channel(channel.name) !== channel) {
        channel.held = undefined;
        return;
      }
      const before = channel.position?.current;
      const heldBefore = channel.held?.length ?? 0;
      try {
        if (!(await this.#read(channel, history)) && this.#letGo(channel, heldBefore)) return;
      } catch (error) {
        this.#context.log.warn?.('cannot read what is missing', { channel: channel.name, error });
      }
      const now = channel.position?.current;
      if (now?.offset !== before?.offset || now?.epoch !== before?.epoch) wait = RETRY[0];
      else {
        await this.#pause(wait);
        wait = Math.min(wait * 2, RETRY[1]);
      }
    }
  }

  /**
   * Delivers what is held, as far as it follows.
   * @param known so many were held when the read of the stream began: what of them does not follow is of a stream that was
   * @returns whether nothing is held any more
   */
  #letGo(channel: Channel, known: number): boolean {
    const held = channel.held ?? [];
    for (const [i, arrived] of held.entries()) {
      if (this.#take(channel, arrived) !== 'gap' || i < known) continue;
      channel.held = held.slice(i);
      return false;
    }
    channel.held = undefined;
    return true;
  }

  /**
   * Delivers what is held, whatever the position. The first one of a new stream does not say its epoch here: a client would
   * take it for that of its own position, recover from there, and never hear that the stream it followed is gone.
   */
  #release(channel: Channel): void {
    const held = channel.held ?? [];
    channel.held = undefined;
    for (const {
      at,
      publication: { epoch: _, ...publication },
    } of held) {
      (channel.position ?? channel.stand(at)).jump(at, publication);
      fanout(channel, publication, undefined, this.#context.stats);
    }
  }

  /**
   * Reads and delivers one piece of what is missing.
   * @returns whether there is more to read
   */
  async #read(channel: Channel, history: HistoryOptions): Promise<boolean> {
    const { broker, stats } = this.#context;
    const { position } = channel;
    if (position === undefined) return false;
    const since = position.current;
    let page: HistoryPage;
    try {
      page = await broker.history(channel.name, { limit: FILL, since }, history);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== errorCodes.unrecoverablePosition.code)
        throw error;
      page = await broker.history(channel.name, { limit: 0 }, history);
      // The stream is another one, or is not what it was. What shows it is delivered, so that it is not lost with the rest.
      this.#release(channel);
      this.#resync(channel, 'reset', page.position);
      return false;
    }
    const first = page.publications[0];
    const whole =
      first === undefined ? page.position.offset <= since.offset : first.offset === since.offset + 1;
    const wentBack = page.position.offset < since.offset;
    if (wentBack) {
      // What is held may be of what the stream has lost.
      channel.held = [];
      channel.lose();
    }
    if (!whole || wentBack) {
      this.#resync(channel, wentBack ? 'reset' : 'trimmed', page.position);
      return false;
    }
    const { epoch } = page.position;
    if (epoch !== since.epoch) {
      // Their clients hold the old epoch, under which what comes now is beyond the cut: they subscribe again from where
      // they are, recover it, and hold the new one.
      this.#renew(channel);
      position.adopt(epoch);
    }
    for (const publication of page.publications) {
      const base = position.last;
      if (position.arrive({ epoch, offset: publication.offset ?? 0 }, publication) !== 'next') continue;
      fanout(channel, publication, base, stats);
      stats.gaps.filled++;
    }
    return page.publications.length === FILL;
  }

  /** What is missing cannot be had any more. Whoever counted on it is told; the others get what is there, and go on. */
  #resync(channel: Channel, why: Loss, top: StreamPosition): void {
    const told = this.#tell(channel, why, (member) => member.grant.positioned);
    this.#losses.add(channel.name, why, told);
    this.#release(channel);
    const here = channel.position?.current;
    if (here?.epoch !== top.epoch || here.offset < top.offset) channel.stand(top);
  }

  #renew(channel: Channel): void {
    this.#tell(channel, 'renewed', (member) => member.grant.positioned && !member.serverSide);
  }

  /** Until its client is told, a subscription gets nothing more: what comes would be taken for what follows. */
  #tell(channel: Channel, why: Resync, concerned: (member: Subscription) => boolean): number {
    const members = channel.members().filter(concerned);
    for (const member of members) {
      count(this.#context.stats.resyncs, why);
      channel.park(member);
    }
    this.#notices.send(members);
    return members.length;
  }

  /** Not all channels, nor all nodes, ask again at once. */
  #pause(about: number): Promise<void> {
    return pause(about * (0.5 + Math.random() / 2), this.#stop.signal);
  }

  /**
   * Compares channels with their streams, and fills what is missing.
   * @param insist ask again where the store does not answer, as long as it takes
   */
  async #compare(names: readonly string[], insist: boolean): Promise<void> {
    let left = names;
    for (let wait: number = RETRY[0]; left.length > 0; wait = Math.min(wait * 2, RETRY[1])) {
      const unknown: string[] = [];
      for (let i = 0; i < left.length; i += BATCH) {
        const batch = left.slice(i, i + BATCH).filter((name) => this.#counts(name));
        const tops = batch.length === 0 ? NOTHING : await this.#tops(batch);
        for (const name of batch) {
          const top = tops.get(name);
          if (top === undefined) unknown.push(name);
          else this.#settle(name, top);
        }
      }
      if (!insist || this.#closed) return;
      left = unknown;
      if (left.length > 0) await this.#pause(wait);
    }
  }

  /** Somebody counts on the positions of this channel. */
  #counts(name: string): boolean {
    const channel = this.#context.hub.channel(name);
    return channel?.position !== undefined && channel.history !== undefined;
  }

  async #tops(names: readonly string[]): Promise<ReadonlyMap<string, StreamPosition>> {
    try {
      return await this.#context.broker.positions(names);
    } catch (error) {
      this.#context.log.warn?.('cannot compare positions', { channels: names.length, error });
      return NOTHING;
    }
  }

  /** Whatever differs is looked at closely: only a read of the stream can tell an old answer from a lost publication. */
  #settle(name: string, top: StreamPosition): void {
    const channel = this.#context.hub.channel(name);
    const here = channel?.position?.current;
    if (channel === undefined || here === undefined || channel.held !== undefined) return;
    if (top.epoch === here.epoch && top.offset === here.offset) return;
    void this.#startFilling(channel, []);
  }

  /** Looks at every channel once in a while, a few at a time. */
  async #sweep(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const began = performance.now();
      const names = [...this.#context.hub.channels()]
        .filter((channel) => channel.position !== undefined && channel.history !== undefined)
        .map(({ name }) => name);
      const batches = Math.max(1, Math.ceil(names.length / BATCH));
      for (let i = 0; i < batches; i++) {
        await pause(SWEEP / batches, stop);
        if (stop.aborted) return;
        const batch = names.slice(i * BATCH, (i + 1) * BATCH);
        await this.#compare(batch, false);
        await this.#use(batch);
      }
      this.#context.stats.sweepSeconds = (performance.now() - began) / 1000;
    }
  }

  /** Keeps the positions of channels alive in which nothing is published. */
  async #use(names: readonly string[]): Promise<void> {
    const { hub, broker, log } = this.#context;
    const now = performance.now();
    for (const name of names) {
      const channel = hub.channel(name);
      const { position, history } = channel ?? {};
      if (channel?.size === 0 || position === undefined || history === undefined) continue;
      if (now - position.usedAt < history.metaTtlMs / USES) continue;
      position.usedAt = now;
      await broker
        .history(name, { limit: 0 }, history)
        .catch((error: unknown) => log.warn?.('cannot keep a position alive', { channel: name, error }));
    }
  }
}

/** Resolves after so many milliseconds, or when `stop` says so. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    stop.addEventListener('abort', done);
  });
}
