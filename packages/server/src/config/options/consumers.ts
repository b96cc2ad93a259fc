import { bool, duration, int, list, objects, section, str } from '../option.ts';
import { redisConnection } from './redis.ts';
import { tls } from './tls.ts';

const off = { enabled: bool(false, 'Take the body as the data of a publication.') };
const meaning = {
  channels: 'Where the channels stand, comma separated.',
  idempotency_key: 'Where the idempotency key stands.',
  delta: 'Where it stands whether to publish as a patch.',
  version: 'Where the version stands.',
  version_epoch: 'Where the epoch of the version stands.',
  tags: 'How the places of tags begin.',
};

const headers = section('Bodies that are data, with the rest in headers.', {
  ...off,
  channels_header: str('centrifugo-channels', meaning.channels),
  idempotency_key_header: str('centrifugo-idempotency-key', meaning.idempotency_key),
  delta_header: str('centrifugo-delta', meaning.delta),
  version_header: str('centrifugo-version', meaning.version),
  version_epoch_header: str('centrifugo-version-epoch', meaning.version_epoch),
  tags_header_prefix: str('centrifugo-tag-', meaning.tags),
});

const values = section('Bodies that are data, with the rest in values of the entry.', {
  ...off,
  channels_value: str('centrifugo-channels', meaning.channels),
  idempotency_key_value: str('centrifugo-idempotency-key', meaning.idempotency_key),
  delta_value: str('centrifugo-delta', meaning.delta),
  version_value: str('centrifugo-version', meaning.version),
  version_epoch_value: str('centrifugo-version-epoch', meaning.version_epoch),
  tags_value_prefix: str('centrifugo-tag-', meaning.tags),
});

const attributes = section('Bodies that are data, with the rest in attributes.', {
  ...off,
  channels_attribute: str('centrifugo-channels', meaning.channels),
  idempotency_key_attribute: str('centrifugo-idempotency-key', meaning.idempotency_key),
  delta_attribute: str('centrifugo-delta', meaning.delta),
  version_attribute: str('centrifugo-version', meaning.version),
  version_epoch_attribute: str('centrifugo-version-epoch', meaning.version_epoch),
  tags_attribute_prefix: str('centrifugo-tag-', meaning.tags),
});

const properties = section('Bodies that are data, with the rest in properties.', {
  ...off,
  channels_property: str('centrifugo-channels', meaning.channels),
  idempotency_key_property: str('centrifugo-idempotency-key', meaning.idempotency_key),
  delta_property: str('centrifugo-delta', meaning.delta),
  version_property: str('centrifugo-version', meaning.version),
  version_epoch_property: str('centrifugo-version-epoch', meaning.version_epoch),
  tags_property_prefix: str('centrifugo-tag-', meaning.tags),
});

const postgresql = section('An outbox table in PostgreSQL.', {
  dsn: str('', 'Data source name of the database.', { secret: true }),
  outbox_table_name: str('', 'Name of the table.'),
  num_partitions: int(1, 'Partitions that rows are spread over.'),
  partition_select_limit: int(100, 'Rows taken at a time.'),
  partition_poll_interval: duration('300ms', 'Time between two looks at the table.'),
  partition_notification_channel: str('', 'Channel of NOTIFY that tells of new rows.'),
  partition_notification_dsn: str('', 'Data source name for LISTEN; empty is `dsn`.', { secret: true }),
  tls: tls('TLS to PostgreSQL.'),
  use_try_lock: bool(false, 'Skip a partition that another node works on, in place of waiting.'),
});

const kafka = section('Topics of Kafka.', {
  brokers: list([], 'Brokers to begin with.'),
  topics: list([], 'Topics.'),
  consumer_group: str('', 'Consumer group.'),
  max_poll_records: int(100, 'Records taken at a time.'),
  fetch_max_bytes: int(0, 'Bytes taken at a time; 0 leaves it to the client.'),
  fetch_max_wait: duration('500ms', 'Longest wait of a broker for records.'),
  fetch_read_uncommitted: bool(false, 'Take records of transactions that are not committed.'),
  partition_queue_max_size: int(1000, 'Records of a partition that may wait.'),
  dial_timeout: duration('3s', 'Longest wait for a connection.'),
  tls: tls('TLS to Kafka.'),
  sasl_mechanism: str('', 'Login: plain, scram-sha-256, scram-sha-512 or aws-msk-iam.'),
  sasl_user: str('', 'User.'),
  sasl_password: str('', 'Password.', { secret: true }),
  assume_role_arn: str('', 'Role to take for aws-msk-iam.'),
  instance_id: str('', 'Static member of the group.'),
  method_header: str('centrifugo-method', 'Header that names the method.'),
  publication_data_mode: headers,
});

const natsJetstream = section('A stream of NATS JetStream.', {
  url: str('nats://127.0.0.1:4222', 'Address of the server.', { secret: true }),
  credentials_file: str('', 'File with credentials.'),
  username: str('', 'User.'),
  password: str('', 'Password.', { secret: true }),
  token: str('', 'Token.', { secret: true }),
  stream_name: str('', 'Stream.'),
  use_existing_consumer: bool(false, 'Use the durable consumer as it is, do not make one.'),
  subjects: list([], 'Subjects.'),
  durable_consumer_name: str('', 'Durable consumer.'),
  deliver_policy: str('new', 'Where a new consumer begins: new or all.'),
  max_ack_pending: int(100, 'Messages that may be under way.'),
  method_header: str('centrifugo-method', 'Header that names the method.'),
  tls: tls('TLS to NATS.'),
  publication_data_mode: headers,
});

const redisStream = section('Streams of Redis.', {
  ...redisConnection(),
  streams: list([], 'Streams.'),
  consumer_group: str('', 'Consumer group.'),
  visibility_timeout: duration('30s', 'Time after which an entry that nobody finished is taken again.'),
  num_workers: int(1, 'Entries handled at the same time.'),
  payload_value: str('payload', 'Value of an entry that is the body.'),
  method_value: str('method', 'Value of an entry that names the method.'),
  publication_data_mode: values,
});

const googlePubSub = section('Subscriptions of Google Pub/Sub.', {
  project_id: str('', 'Project.'),
  subscriptions: list([], 'Subscriptions.'),
  max_outstanding_messages: int(100, 'Messages that may be under way.'),
  max_outstanding_bytes: int(1_000_000, 'Bytes that may be under way.'),
  auth_mechanism: str('', 'Login: default or service_account.'),
  credentials_file: str('', 'File with credentials.'),
  method_attribute: str('centrifugo-method', 'Attribute that names the method.'),
  publication_data_mode: attributes,
});

const awsSqs = section('Queues of AWS SQS.', {
  queues: list([], 'Addresses of the queues.'),
  sns_envelope: bool(false, 'Unpack messages that came through SNS.'),
  region: str('', 'Region.'),
  max_number_of_messages: int(10, 'Messages taken at a time.'),
  wait_time_time: duration('20s', 'Longest wait for messages.'),
  visibility_timeout: duration('30s', 'Time after which a message that nobody finished comes again.'),
  max_concurrency: int(1, 'Batches handled at the same time.'),
  credentials_profile: str('', 'Profile of the credentials file.'),
  assume_role_arn: str('', 'Role to take.'),
  method_attribute: str('centrifugo-method', 'Attribute that names the method.'),
  localstack_endpoint: str('', 'Address of a LocalStack in place of AWS.'),
  publication_data_mode: attributes,
});

const azureServiceBus = section('Queues of Azure Service Bus.', {
  connection_string: str('', 'Connection string.', { secret: true }),
  use_azure_identity: bool(false, 'Log in by identity, not by connection string.'),
  fully_qualified_namespace: str('', 'Host of the namespace.'),
  tenant_id: str('', 'Tenant.'),
  client_id: str('', 'Client.'),
  client_secret: str('', 'Secret of the client.', { secret: true }),
  queues: list([], 'Queues.'),
  use_sessions: bool(false, 'Take messages by session.'),
  max_concurrent_calls: int(1, 'Messages handled at the same time.'),
  max_receive_messages: int(1, 'Messages taken at a time.'),
  method_property: str('centrifugo-method', 'Property that names the method.'),
  publication_data_mode: properties,
});

/** `consumers` */
export const consumers = objects(
  {
    name: str('', 'Name in logs and metrics.'),
    enabled: bool(false, 'Run it.'),
    type: str('', 'Which of the sections below says what is taken.'),
    postgresql,
    kafka,
    nats_jetstream: natsJetstream,
    redis_stream: redisStream,
    google_pub_sub: googlePubSub,
    aws_sqs: awsSqs,
    azure_service_bus: azureServiceBus,
  },
  'Queues that commands of the server API are taken from.',
  { served: 'later' },
);
