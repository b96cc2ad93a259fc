import { bool, duration, int, section, str } from '../option.ts';
import { tls } from './tls.ts';

/** How to reach PostgreSQL and where tables lie there. */
export function postgresConnection(pool: { size: number; shards: number }) {
  return {
    dsn: str('', 'Data source name of the database.', { secret: true }),
    tls: tls('TLS to PostgreSQL.'),
    pool_size: int(pool.size, 'Connections kept open.'),
    num_shards: int(pool.shards, 'Shards that work is spread over.'),
    use_notify: bool(false, 'Learn of new rows by NOTIFY, not only by polling.'),
    notify_dsn: str('', 'Data source name for LISTEN; empty is `dsn`.', { secret: true }),
    table_prefix: str('cf', 'Start of every table name.'),
    skip_schema_init: bool(false, 'Do not create tables and functions at start.'),
    partition_lookahead_days: int(2, 'Days that partitions are made ahead for.'),
  };
}

/** What a broker in PostgreSQL can be told beside the connection. */
export const postgresBroker = {
  cleanup_interval: duration('1m', 'Time between two removals of what has expired.'),
  idempotent_result_ttl: duration('5m', 'How long the result of a publication with a key is remembered.'),
  binary_data: bool(false, 'Store data as bytes, not as JSON.'),
  stream_retention: duration('24h', 'Age at which rows of streams are removed.'),
  partition_retention_days: int(7, 'Days that partitions are kept for.'),
  outbox: section('How new rows are found.', {
    poll_interval: duration('100ms', 'Time between two looks at the table.'),
    batch_size: int(1000, 'Rows taken at a time.'),
  }),
};
