import type { RedisBroker } from '@gyre/broker/redis';
import type { RedisControlBus } from '@gyre/broker/redis-control';
import type { RedisPresenceManager } from '@gyre/presence-manager/redis';
import { Histogram, secondsOfCommands } from '@gyre/protocol';
import type { Lane, Lease, RedisShards, Watch } from '@gyre/redis';
import type { RedisSource, ShardSource } from '../metrics/redis-rows.ts';

/** The Redis engines of a node. */
export interface RedisEngines {
  readonly redis: RedisShards;
  /** By shard. */
  readonly leases: readonly Lease[];
  readonly broker: RedisBroker;
  readonly presence: RedisPresenceManager;
  readonly control: RedisControlBus;
}

/** How long one Redis takes. */
interface Times {
  readonly answers: Readonly<Record<Lane, Histogram>>;
  readonly beacons: Histogram;
}

/** Keeps how long each Redis takes, and tells metrics of it all. */
export class RedisTimes {
  readonly #shards: Times[] = [];

  /** To be told of the shard with this index. */
  watch(shard: number): Watch {
    const seconds = (): Histogram => new Histogram(secondsOfCommands);
    const answers = { write: seconds(), read: seconds(), control: seconds() };
    const beacons = seconds();
    this.#shards[shard] = { answers, beacons };
    return {
      answered: (lane, ms) => answers[lane].observe(ms / 1000),
      beaconSeen: (ms) => beacons.observe(ms / 1000),
    };
  }

  /** What is so now. */
  source({ redis, leases, broker, presence, control }: RedisEngines): RedisSource {
    return {
      shards: this.#shards.flatMap((times, i) => shardSource(redis, leases, times, i)),
      broker: broker.stats,
      presence: { ...presence.gauges(), counters: presence.counters },
      control: control.stats,
    };
  }
}

function shardSource(
  { shards }: RedisShards,
  leases: readonly Lease[],
  times: Times,
  index: number,
): ShardSource[] {
  const shard = shards[index];
  const lease = leases[index];
  if (shard === undefined || lease === undefined) return [];
  const { stats, roundTripMs } = shard;
  return [
    {
      ...stats,
      ...times,
      beaconAge: shard.verifiedAge() / 1000,
      roundTrip: roundTripMs === undefined ? undefined : roundTripMs / 1000,
      leaseFailures: lease.failures,
      deadNodes: lease.dead().length,
    },
  ];
}
