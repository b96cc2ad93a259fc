import { bool, duration, int, list, str, type Notes } from '../option.ts';
import { tls } from './tls.ts';

/**
 * How to reach Redis.
 * @param flat what the names of older releases began with; absent: they had none
 */
export function redisConnection(flat?: string) {
  const prefixed = (name: string) => (flat === undefined ? {} : { flat: `${flat}_${name}` });
  return {
    address: list(
      ['redis://127.0.0.1:6379'],
      'Addresses; several are shards, by consistent hash of the channel.',
      {
        secret: true,
      },
    ),
    connect_timeout: duration('1s', 'Longest wait for a connection.'),
    io_timeout: duration('4s', 'Longest wait for an answer.'),
    db: int(0, 'Number of the database.'),
    user: str('', 'User of the access control list.'),
    password: str('', 'Password.', { secret: true }),
    client_name: str(
      '',
      'Name that connections give themselves; gyre- and the name of the node where empty.',
    ),
    force_resp2: bool(false, 'Speak RESP2 only.'),
    cluster_address: list([], 'Nodes of a Redis Cluster to begin with, comma separated for each cluster.', {
      secret: true,
    }),
    tls: tls('TLS to Redis.', prefixed('tls')),
    sentinel_address: list([], 'Addresses of Sentinels, comma separated for each shard.', { secret: true }),
    sentinel_user: str('', 'User towards Sentinels.'),
    sentinel_password: str('', 'Password towards Sentinels.', { secret: true }),
    sentinel_master_name: str('', 'Name of the master that Sentinels are asked for.'),
    sentinel_client_name: str('', 'Name that connections to Sentinels give themselves.', {
      served: 'later',
    }),
    sentinel_tls: tls('TLS to Sentinels.', prefixed('sentinel_tls')),
  };
}

/** What a publication log in Redis can be told beside the connection. */
export function redisHistory(notes: Notes = {}) {
  return { history_use_lists: bool(false, 'Keep history in lists instead of streams.', notes) };
}

/** What presence in Redis can be told beside the connection. */
export const redisPresence = {
  presence_ttl: duration('60s', 'Time after which an entry that nobody refreshes is gone.', {
    alias: [],
    served: 'later',
  }),
  presence_hash_field_ttl: bool(false, 'Let Redis expire the fields of presence hashes (7.4 and later).', {
    alias: [],
    served: 'later',
  }),
  presence_user_mapping: bool(false, 'Count users beside clients, so that presence stats need no scan.', {
    alias: [],
    served: 'later',
  }),
};

/** Start of every key and Pub/Sub channel. */
export const redisPrefix = str('centrifugo', 'Start of every key and Pub/Sub channel.');
