import type { ClientInfo } from '@gyre/protocol';
import type { Log, RedisShards } from '@gyre/redis';
import type { Broker } from '../broker.ts';
import { warn } from '../memory/warn.ts';
import type { Durability, Engine, RedisBrokerStats } from './engine.ts';
import { history, removeHistory } from './history.ts';
import { positions } from './positions.ts';
import { publish } from './publish.ts';
import { announce, announcement, endSubscriptions, subscribe, unsubscribe, watchGaps } from './subscribe.ts';
import type { Announcement } from './subscribe.ts';

export type { Announcement } from './subscribe.ts';
export type { RedisBrokerStats } from './engine.ts';

export interface RedisBrokerOptions {
  readonly log?: Log;
  /** Told what a handler of events threw; default a warning of the process. */
  readonly onError?: (error: unknown) => void;
  /**
   * What a publication with history waits for beside the server that it is written to. `master`, the default: nothing.
   * `replica`: that a replica has it; where none says so within 0.1 s, it is counted. `replica_required`: there it is
   * refused with 100, though it is published: whoever publishes with an idempotency key may try again.
   */
  readonly durability?: Durability;
}

export interface RedisBroker extends Broker {
  readonly stats: Readonly<RedisBrokerStats>;
  /** Milliseconds since when messages of the channel are known to arrive here; Infinity where they are not. */
  verifiedAge(channel: string): number;
  /** What `announce` would publish, for whoever has to do it in one step with something else. */
  announcement(channel: string, event: 'join' | 'leave', info: ClientInfo): Announcement;
}

/**
 * The broker of a node of a cluster: what is published lies in Redis and reaches every node by its pub/sub.
 *
 * A call of which nothing was heard, and which could not be found out about, is refused with 100: it may have been
 * done. Whoever publishes with an idempotency key may then publish again.
 * @param redis started before this broker and closed after it, by whoever made it
 */
export function redisBroker(redis: RedisShards, options: RedisBrokerOptions = {}): RedisBroker {
  const engine: Engine = {
    redis,
    log: options.log ?? {},
    onError: options.onError ?? warn,
    durability: options.durability ?? 'master',
    stats: {
      publishRetriesFound: 0,
      publishRetriesAppended: 0,
      uncertainChannels: 0,
      suppressed: { idempotency: 0, version: 0 },
      unreplicatedPublications: 0,
    },
    events: undefined,
    subscribed: new Set(),
  };
  let stopWatching = (): void => {};
  return {
    start: async (events) => {
      engine.events = events;
      stopWatching = watchGaps(engine);
    },
    publish: (channel, publication, publishOptions) => publish(engine, channel, publication, publishOptions),
    announce: (channel, event, info) => announce(engine, channel, event, info),
    subscribe: (channel) => subscribe(engine, channel),
    unsubscribe: (channel) => unsubscribe(engine, channel),
    history: (channel, filter, historyOptions) => history(engine, channel, filter, historyOptions),
    positions: (channels) => positions(engine, channels),
    removeHistory: (channel) => removeHistory(engine, channel),
    close: async () => {
      engine.events = undefined;
      stopWatching();
      await endSubscriptions(engine);
    },
    stats: engine.stats,
    announcement: (channel, event, info) => announcement(engine, channel, event, info),
    verifiedAge: (channel) => {
      const { shard, tag } = redis.place(channel);
      return shard.verifiedAge(tag);
    },
  };
}
