import { bool, choice, duration, int, map, section, str } from '../option.ts';
import { postgresBroker, postgresConnection } from './postgres.ts';
import { redisConnection, redisHistory, redisPrefix, redisPresence } from './redis.ts';
import { tls } from './tls.ts';

/** `engine` */
export const engine = section('Where publications and presence are kept.', {
  type: choice(['memory', 'redis'], 'memory', 'Kind of engine.', { alias: ['engine'] }),
  redis: section(
    'The Redis engine.',
    {
      prefix: redisPrefix,
      ...redisConnection('redis'),
      ...redisHistory({ alias: ['redis_use_lists'], served: 'later' }),
      ...redisPresence,
      durability: choice(
        ['master', 'replica', 'replica_required'],
        'master',
        'What a publication with history is kept by when it is answered; without a replica in time it is counted or refused.',
      ),
      replica_client: section(
        'Reading from replicas.',
        { enabled: bool(false, 'Read history and presence from replicas.') },
        { served: 'later' },
      ),
    },
    { flat: 'redis' },
  ),
});

const natsFields = {
  prefix: str('centrifugo', 'Start of every subject.'),
  url: str('nats://localhost:4222', 'Address of the server.', { secret: true }),
  dial_timeout: duration('1s', 'Longest wait for a connection.'),
  write_timeout: duration('1s', 'Longest wait for a write.'),
  tls: tls('TLS to NATS.'),
  allow_wildcards: bool(false, 'Let subscriptions use the wildcards of subjects.'),
};

const natsRawMode = section(
  'Plain NATS messages as publications.',
  {
    enabled: bool(false, 'Pass messages of subjects on as they are.'),
    channel_replacements: map('What is replaced in a channel name to make a subject.'),
    prefix: str('', 'Start of every subject in this mode.'),
  },
  { alias: ['nats_raw_mode'] },
);

/** `broker` */
export const broker = section(
  'A broker of its own, in place of the engine’s.',
  {
    enabled: bool(false, 'Use this broker, not that of the engine.'),
    type: str('memory', 'Kind of broker: memory, redis, nats or postgres.'),
    redis: section('The Redis broker.', { prefix: redisPrefix, ...redisConnection(), ...redisHistory() }),
    nats: section('The NATS broker.', { ...natsFields, raw_mode: natsRawMode }, { flat: 'nats' }),
    redisnats: section('Redis for history with NATS for delivery.', {
      redis: section('The Redis part.', { prefix: redisPrefix, ...redisConnection(), ...redisHistory() }),
      nats: section('The NATS part.', natsFields),
    }),
    postgres: section('The PostgreSQL broker.', {
      ...postgresConnection({ size: 16, shards: 8 }),
      ...postgresBroker,
    }),
  },
  { served: 'later' },
);

/** `presence_manager` */
export const presenceManager = section(
  'A presence manager of its own, in place of the engine’s.',
  {
    enabled: bool(false, 'Use this presence manager, not that of the engine.'),
    type: str('memory', 'Kind of presence manager: memory or redis.'),
    redis: section('The Redis presence manager.', {
      prefix: redisPrefix,
      ...redisConnection(),
      ...redisPresence,
    }),
  },
  { served: 'later' },
);

/** `map_broker` */
export const mapBroker = section(
  'Where map channels are kept.',
  {
    type: str('memory', 'Kind of map broker: memory, redis or postgres.'),
    redis: section('The Redis map broker.', {
      prefix: redisPrefix,
      ...redisConnection(),
      cleanup_interval: duration('1s', 'Time between two removals of expired keys.'),
      cleanup_batch_size: int(100, 'Expired keys removed at a time.'),
      idempotent_result_ttl: duration('5m', 'How long the result of a publication with a key is remembered.'),
      skip_pub_sub: bool(false, 'Do not publish changes to other nodes.'),
    }),
    postgres: section('The PostgreSQL map broker.', {
      ...postgresConnection({ size: 16, shards: 8 }),
      ...postgresBroker,
      ttl_check_interval: duration('1s', 'Time between two looks for expired keys.'),
    }),
  },
  { served: 'later' },
);

/** `controller` */
export const controller = section(
  'How nodes talk to one another, in place of the broker’s way.',
  {
    enabled: bool(false, 'Use this controller, not that of the broker.'),
    type: str('', 'Kind of controller: postgres.'),
    postgres: section('The PostgreSQL controller.', {
      ...postgresConnection({ size: 8, shards: 1 }),
      poll_interval: duration('50ms', 'Time between two looks for messages.'),
      partition_retention_days: int(1, 'Days that partitions are kept for.'),
      partition_cleanup_interval: duration('1m', 'Time between two removals of old partitions.'),
      batch_size: int(1000, 'Messages taken at a time.'),
    }),
  },
  { served: 'later' },
);
