import { Histogram } from '@gyre/protocol';
import { expect, it } from 'vitest';
import { redisRows, type RedisSource } from './redis-rows.ts';
import { exposition } from './row.ts';

const seconds = (...values: number[]): Histogram => {
  const histogram = new Histogram([0.01, 1]);
  for (const value of values) histogram.observe(value);
  return histogram;
};

const redis: RedisSource = {
  shards: [0, 1].map((shard) => ({
    beaconAge: shard === 0 ? 0.5 : Infinity,
    roundTrip: shard === 0 ? 0.001 : undefined,
    commands: { write: 3, read: 2, control: 1 },
    errors: shard === 0 ? {} : { unknown: 4 },
    breaks: { write: 0, read: 0, control: 0, pubsub: shard },
    deaf: shard,
    answers: { write: seconds(0.5) },
    beacons: seconds(),
    leaseFailures: 0,
    deadNodes: 0,
  })),
  broker: {
    publishRetriesFound: 1,
    publishRetriesAppended: 2,
    uncertainChannels: 0,
    unreplicatedPublications: 4,
  },
  presence: { members: 5, owed: 0, counters: { swept: 6, rejoined: 1, mended: 2 } },
  control: { unacknowledged: 7 },
};

/** The values of one metric, without its name. */
function values(name: string): string[] {
  const row = redisRows.find((one) => one.name === name)!;
  const lines = exposition(row, name, { engines: { redis: () => redis } }).split('\n');
  return lines.slice(2).map((line) => line.slice(name.length));
}

it('is told by shard, as far as it answers', () => {
  expect(values('redis_beacon_age_seconds')).toEqual(['{shard="0"} 0.5', '{shard="1"} +Inf']);
  expect(values('redis_round_trip_seconds')).toEqual(['{shard="0"} 0.001']);
  expect(values('redis_errors_total')).toEqual(['{shard="1",error="unknown"} 4']);
  expect(values('redis_answer_seconds').filter((line) => line.startsWith('_count'))).toEqual([
    '_count{shard="0",lane="write"} 1',
    '_count{shard="1",lane="write"} 1',
  ]);
});

it('is told of the node where it is about no shard', () => {
  expect(values('broker_redis_pub_sub_errors')).toEqual(['{error="connection"} 1', '{error="deaf"} 1']);
  expect(values('broker_publish_retry_total')).toEqual(['{outcome="found"} 1', '{outcome="appended"} 2']);
  expect(values('presence_reaped_total')).toEqual([' 6']);
  expect(values('presence_mended_total')).toEqual(['{reason="swept"} 1', '{reason="audit"} 2']);
  expect(values('control_unacked_total')).toEqual([' 7']);
});

it('has no values where there is no Redis', () => {
  for (const row of redisRows) {
    expect(exposition(row, row.name, { engines: { redis: () => undefined } }).split('\n')).toHaveLength(2);
  }
});
