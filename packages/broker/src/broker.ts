import type { ClientInfo, Publication, StreamPosition, Tags, Bytes } from '@gyre/protocol';

/** How long and how much of a channel is kept. All three are positive. */
export interface HistoryOptions {
  /** Publications kept. */
  readonly size: number;
  /** Milliseconds after the last publication until all of them go. */
  readonly ttlMs: number;
  /** Milliseconds after the last use until offset and epoch go too; not below `ttlMs`. */
  readonly metaTtlMs: number;
}

/** What is to be published. */
export interface NewPublication {
  readonly data: Bytes;
  readonly info?: ClientInfo;
  readonly tags?: Tags;
}

export interface PublishOptions {
  /** Keep it. Absent: the publication gets no offset and only reaches who is subscribed now. */
  readonly history?: HistoryOptions;
  /** A publication with the same key in the same channel within `idempotencyTtlMs` is answered, not published. */
  readonly idempotencyKey?: string;
  /** Milliseconds; default 300 000. */
  readonly idempotencyTtlMs?: number;
  /**
   * With `history` only: a version not above the last one is answered with the current position, not published.
   * 0 or absent: none. Another `versionEpoch` than the last starts anew.
   */
  readonly version?: number;
  readonly versionEpoch?: string;
  /** Subscribers that negotiated deltas may be sent a patch against the previous publication. */
  readonly delta?: boolean;
}

export interface PublishResult {
  /** Present where the publication is (or was, for a suppressed one) kept. */
  readonly position?: StreamPosition;
  /** Why it was not published again. */
  readonly suppressed?: 'idempotency' | 'version';
}

export interface HistoryFilter {
  /** 0: position only. Negative: everything. */
  readonly limit: number;
  /** Publications after this one (before it, with `reverse`). An empty epoch fits any. */
  readonly since?: StreamPosition;
  readonly reverse?: boolean;
}

export interface HistoryPage {
  /** In the asked order. Where `since` was trimmed away: whatever is left. */
  readonly publications: readonly Publication[];
  /** The top of the stream, read in the same step. */
  readonly position: StreamPosition;
  /** Milliseconds until these publications go, unless another one follows; absent where there are none. */
  readonly remainingMs?: number;
}

/** What the broker tells a node about the channels it subscribed to. */
export interface BrokerEvents {
  /**
   * A publication, in the channel's order. Called once for each publication on each subscribed node, also on the one
   * that published it, and never before `publish` has accepted it.
   * @param position absent in channels without history
   * @param delta the publisher allows patches
   */
  publication(
    channel: string,
    publication: Publication,
    position: StreamPosition | undefined,
    delta: boolean,
  ): void;
  join(channel: string, info: ClientInfo): void;
  leave(channel: string, info: ClientInfo): void;
  /**
   * A connection broke, and these channels are subscribed to again: what is accepted from now on arrives, and something
   * that was accepted since the break began may be missing. Told for some channels at a time.
   */
  uncertain?(channels: readonly string[]): void;
  /** The publications of a subscribed channel were removed, those before this call that is. */
  historyRemoved?(channel: string): void;
}

/**
 * Carries publications from whoever publishes to every subscribed node, and keeps channel history.
 *
 * Guarantees, for every engine:
 * - assigning an offset, keeping the publication and handing it to subscribers are one step: the order of events of a
 *   channel is the order of its offsets, on every node;
 * - an accepted publication is kept before `publish` resolves;
 * - events are delivered without awaiting; a handler that throws does not harm other handlers or the publisher;
 * - calls of `subscribe` and `unsubscribe` for one channel take effect in the order in which they were made;
 * - `subscribe` resolves once publications accepted from then on reach this node.
 *
 * A refusal is a `ClientError`: 107 for an idempotency key used again with other data, 112 for a `since` of another
 * epoch, 100 (temporary) where the engine cannot say what became of a call.
 */
export interface Broker {
  /** Called once, before anything else. */
  start(events: BrokerEvents): Promise<void>;

  publish(channel: string, publication: NewPublication, options: PublishOptions): Promise<PublishResult>;

  /** Tells subscribed nodes that a client came or went. At most once, not kept. */
  announce(channel: string, event: 'join' | 'leave', info: ClientInfo): Promise<void>;

  /** Calls for a channel that is subscribed already are harmless. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): Promise<void>;

  /** Reads the stream, making its epoch where there was none. Counts as a use for `metaTtlMs`. */
  history(
    channel: string,
    filter: HistoryFilter,
    options: Pick<HistoryOptions, 'metaTtlMs'>,
  ): Promise<HistoryPage>;

  /**
   * Where many channels stand, cheaply: reads only, counts as no use and makes no epoch. The epoch is empty where there is
   * no stream. Channels whose store does not answer are left out, so that those of another can be had.
   */
  positions(channels: readonly string[]): Promise<ReadonlyMap<string, StreamPosition>>;

  /** Forgets the publications; offset and epoch stay. */
  removeHistory(channel: string): Promise<void>;

  /** Closing twice is harmless; pending calls reject. */
  close(): Promise<void>;
}
