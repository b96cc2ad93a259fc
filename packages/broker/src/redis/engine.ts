import { clientError } from '@gyre/protocol';
import { RedisError } from '@gyre/redis';
import type { Log, RedisShards } from '@gyre/redis';
import { customAlphabet } from 'nanoid';
import type { BrokerEvents } from '../broker.ts';

/** Counters that only rise. Whoever serves metrics reads them. */
export interface RedisBrokerStats {
  /** Publications tried again: found to have been published before, or published then. */
  publishRetriesFound: number;
  publishRetriesAppended: number;
  /** Channels that may have missed something because a connection broke. */
  uncertainChannels: number;
  /** Publications that were answered and not published, by why. */
  readonly suppressed: { idempotency: number; version: number };
  /** Publications of which no replica said in time that it has them, where that was asked for. */
  unreplicatedPublications: number;
}

/** What a publication with history waits for: see `RedisBrokerOptions.durability`. */
export type Durability = 'master' | 'replica' | 'replica_required';

/** All that the Redis broker of a node knows. */
export interface Engine {
  readonly redis: RedisShards;
  readonly log: Log;
  readonly onError: (error: unknown) => void;
  readonly durability: Durability;
  readonly stats: RedisBrokerStats;
  /** Present from `start` to `close`. */
  events: BrokerEvents | undefined;
  readonly subscribed: Set<string>;
}

/** @throws ClientError 100 before `start` and after `close` */
export function assertRunning(engine: Engine): void {
  if (engine.events === undefined) throw clientError('internal', 'the broker is not running');
}

/** Eight letters for a stream that begins. */
export const makeEpoch = customAlphabet('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 8);

/** What a caller is told of a failure of Redis: it may try again. What else failed is a fault of ours and passes. */
export function refusal(engine: Engine, error: unknown): unknown {
  if (!(error instanceof RedisError)) return error;
  engine.log.debug?.('Redis did not do it', { error: error.message, outcome: error.outcome });
  return clientError('internal', error.told);
}
