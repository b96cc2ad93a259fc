import type { Distribution } from '@gyre/protocol';
import type { Distributions, Row, Values } from './row.ts';

/** What one Redis of the configuration tells. */
export interface ShardSource {
  /** Seconds since when pub/sub is known to deliver, Infinity where it does not. */
  readonly beaconAge: number;
  /** Seconds of the last round trip, undefined while Redis does not answer. */
  readonly roundTrip: number | undefined;
  readonly commands: Values;
  readonly errors: Values;
  readonly breaks: Values;
  readonly deaf: number;
  /** By lane. */
  readonly answers: Distributions;
  readonly beacons: Distribution;
  readonly leaseFailures: number;
  /** Nodes that are dead and whose members were not all swept yet. */
  readonly deadNodes: number;
}

/** What the Redis engines tell. */
export interface RedisSource {
  /** In the order of the configuration. */
  readonly shards: readonly ShardSource[];
  readonly broker: {
    readonly publishRetriesFound: number;
    readonly publishRetriesAppended: number;
    readonly uncertainChannels: number;
    readonly unreplicatedPublications: number;
  };
  readonly presence: {
    readonly members: number;
    readonly owed: number;
    /** Members that were `swept` for dead nodes, that `rejoined` after others had swept them, and that were `mended`. */
    readonly counters: { readonly swept: number; readonly rejoined: number; readonly mended: number };
  };
  readonly control: { readonly unacknowledged: number };
}

/** Absent with the memory engine: the rows then have no values. */
interface Sources {
  readonly engines: { redis(): RedisSource | undefined };
}

type Read<T> = (redis: RedisSource) => T;

function row(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  labels: readonly string[],
  read: Read<Values>,
): Row<Sources> {
  return { type, name, help, labels, read: ({ engines }) => of(engines.redis(), read) };
}

function histogram(name: string, help: string, labels: readonly string[], read: Read<Distributions>) {
  const type = 'histogram' as const;
  return { type, name, help, labels, read: ({ engines }: Sources) => of(engines.redis(), read) };
}

const of = <T extends object>(redis: RedisSource | undefined, read: Read<T>): T | Record<string, never> =>
  redis === undefined ? {} : read(redis);

/** One value for each shard; one that is undefined is left out. */
const eachShard =
  (read: (shard: ShardSource) => number | undefined): Read<Values> =>
  ({ shards }) =>
    Object.fromEntries(
      shards.flatMap((shard, i) => {
        const value = read(shard);
        return value === undefined ? [] : [[`${i}`, value]];
      }),
    );

/** Values of each shard that have a label more. */
const inEachShard =
  <T>(read: (shard: ShardSource) => Readonly<Record<string, T>>): Read<Readonly<Record<string, T>>> =>
  ({ shards }) =>
    Object.fromEntries(
      shards.flatMap((shard, i) =>
        Object.entries(read(shard)).map(([key, value]): [string, T] => [`${i}:${key}`, value]),
      ),
    );

const sum = ({ shards }: RedisSource, read: (shard: ShardSource) => number): number =>
  shards.reduce((total, shard) => total + read(shard), 0);

/** What Redis, and what lies in it, is to this node. Shards are numbered in the order of the configuration. */
export const redisRows: readonly Row<Sources>[] = [
  row(
    'counter',
    'redis_commands_total',
    'Commands for Redis.',
    ['shard', 'lane'],
    inEachShard((shard) => shard.commands),
  ),
  row(
    'counter',
    'redis_errors_total',
    'Commands that failed: what Redis answered, none where they were not sent, unknown where no answer came.',
    ['shard', 'error'],
    inEachShard((shard) => shard.errors),
  ),
  row(
    'counter',
    'redis_connection_breaks_total',
    'Connections to Redis that broke.',
    ['shard', 'connection'],
    inEachShard((shard) => shard.breaks),
  ),
  histogram(
    'redis_answer_seconds',
    'Seconds until Redis answered, of one command in each batch.',
    ['shard', 'lane'],
    inEachShard((shard) => shard.answers),
  ),
  row(
    'gauge',
    'redis_round_trip_seconds',
    'Seconds of the last round trip to Redis; absent while it does not answer.',
    ['shard'],
    eachShard((shard) => shard.roundTrip),
  ),
  row(
    'gauge',
    'redis_beacon_age_seconds',
    'Seconds since when publications of other nodes are known to arrive.',
    ['shard'],
    eachShard((shard) => shard.beaconAge),
  ),
  histogram(
    'node_pub_sub_lag_seconds',
    'Seconds that a message of this node needed to come back through Redis.',
    ['shard'],
    ({ shards }) => Object.fromEntries(shards.map(({ beacons }, i) => [`${i}`, beacons])),
  ),
  row(
    'counter',
    'broker_redis_pub_sub_errors',
    'Pub/sub connections that broke, and those of them that had delivered nothing.',
    ['error'],
    (redis) => ({
      connection: sum(redis, ({ breaks }) => breaks['pubsub'] ?? 0),
      deaf: sum(redis, ({ deaf }) => deaf),
    }),
  ),
  row(
    'counter',
    'broker_publish_retry_total',
    'Publications tried again because no answer came: found in the stream, or appended then.',
    ['outcome'],
    ({ broker }) => ({ found: broker.publishRetriesFound, appended: broker.publishRetriesAppended }),
  ),
  row(
    'counter',
    'broker_uncertain_channels_total',
    'Channels compared with their streams because a connection broke.',
    [],
    ({ broker }) => ({ '': broker.uncertainChannels }),
  ),
  row(
    'counter',
    'broker_unreplicated_publications_total',
    'Publications that no replica had in time, where engine.redis.durability waits for one.',
    [],
    ({ broker }) => ({ '': broker.unreplicatedPublications }),
  ),
  row(
    'counter',
    'redis_lease_failures_total',
    'Renewals of the lease of this node that failed.',
    ['shard'],
    eachShard((shard) => shard.leaseFailures),
  ),
  row(
    'gauge',
    'presence_dead_nodes',
    'Nodes whose lease is over and whose members are not all swept.',
    ['shard'],
    eachShard((shard) => shard.deadNodes),
  ),
  row('gauge', 'presence_members', 'Members of this node.', [], ({ presence }) => ({ '': presence.members })),
  row(
    'gauge',
    'presence_owed_members',
    'Members, of now or before, that Redis has still to be told about.',
    [],
    ({ presence }) => ({ '': presence.owed }),
  ),
  row(
    'counter',
    'presence_reaped_total',
    'Members of dead nodes that this node swept.',
    [],
    ({ presence }) => ({ '': presence.counters.swept }),
  ),
  row(
    'counter',
    'presence_mended_total',
    'Members of this node that were put right in Redis: swept by others, or not as they should be.',
    ['reason'],
    ({ presence: { counters } }) => ({ swept: counters.rejoined, audit: counters.mended }),
  ),
  row(
    'counter',
    'control_unacked_total',
    'Nodes that did not confirm a control command of this node in time.',
    [],
    ({ control }) => ({ '': control.unacknowledged }),
  ),
];
