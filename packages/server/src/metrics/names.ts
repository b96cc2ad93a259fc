import type { Distribution } from '@gyre/protocol';
import type { Asked } from './counted.ts';
import { redisRows, type RedisSource } from './redis-rows.ts';
import type { Distributions, Row as AnyRow, Values } from './row.ts';

/**
 * Every metric Gyre serves, by the name the field's dashboards know (without prefix). A row says how the value is read
 * at the moment of a scrape: packages keep plain counters and know nothing of this.
 */

/** What metrics are read from. */
export interface Sources {
  readonly node: {
    readonly gauges: {
      clients: number;
      users: number;
      channels: number;
      subscriptions: number;
      open: number;
    };
    readonly stats: {
      readonly commands: Values;
      readonly durations: Distributions;
      readonly replyErrors: Values;
      readonly disconnects: Values;
      readonly unsubscribes: Values;
      readonly closes: Values;
      readonly connections: { readonly begun: Values; readonly ended: Values };
      readonly subscriptions: { readonly begun: number; readonly ended: number };
      readonly received: { publication: number; join: number; leave: number };
      readonly sent: { publication: number; join: number; leave: number };
      readonly frames: number;
      readonly bytes: number;
      readonly receivedFrames: number;
      readonly receivedBytes: number;
      readonly pongs: Distributions;
      readonly broadcasts: Distribution;
      readonly filtered: number;
      readonly recoveries: { yes: number; no: number };
      readonly gaps: { readonly found: number; readonly filled: number };
      readonly gapFills: Distribution;
      readonly resyncs: Values;
      readonly duplicates: number;
      readonly recoverySources: Values;
      readonly sweepSeconds: number;
    };
  };
  readonly api: {
    readonly stats: { readonly commands: Values; readonly durations: Distributions; readonly errors: Values };
  };
  readonly version: string;
  readonly engines: {
    /** Of the cluster, that are alive and did not answer when they were last asked. */
    missingNodes(): number;
    /** Publications that were answered and not published, by why. */
    readonly suppressed: Values;
    readonly asked: Asked;
    /** Absent with the memory engine. */
    redis(): RedisSource | undefined;
  };
  /** Of the cluster, this one included. */
  readonly nodes: () => number;
  /** Handshakes refused, by why. */
  readonly refusals: Values;
}

type Row = AnyRow<Sources>;

const one = (value: number): Values => ({ '': value });

const total = (values: Values): number => Object.values(values).reduce((sum, value) => sum + value, 0);

const difference = (more: Values, less: Values): Values =>
  Object.fromEntries(Object.entries(more).map(([key, value]) => [key, value - (less[key] ?? 0)]));

const gauge = (name: string, help: string, read: (sources: Sources) => number): Row => ({
  name,
  type: 'gauge',
  help,
  labels: [],
  read: (sources) => one(read(sources)),
});

const counter = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (sources: Sources) => Values,
): Row => ({
  name,
  type: 'counter',
  help,
  labels,
  read,
});

/** A distribution, and the number and sum of it alone under the name that older dashboards ask for. */
const durations = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (sources: Sources) => Distributions,
): Row[] => [
  { type: 'histogram', name: `${name}_histogram`, help, labels, read },
  { type: 'summary', name, help, labels, read },
];

const histogram = (
  name: string,
  help: string,
  labels: readonly string[],
  read: (sources: Sources) => Distributions,
): Row => ({ type: 'histogram', name, help, labels, read });

export const rows: readonly Row[] = [
  gauge('node_num_clients', 'Connected clients.', ({ node }) => node.gauges.clients),
  gauge('node_num_users', 'Distinct users connected.', ({ node }) => node.gauges.users),
  gauge('node_num_channels', 'Channels with subscribers.', ({ node }) => node.gauges.channels),
  gauge('node_num_subscriptions', 'Subscriptions of all clients.', ({ node }) => node.gauges.subscriptions),
  gauge('node_num_nodes', 'Nodes known to be alive.', ({ nodes }) => nodes()),
  gauge('node_num_missing_nodes', 'Nodes that are alive and did not answer.', ({ engines }) =>
    engines.missingNodes(),
  ),
  gauge(
    'node_num_connections',
    'Open connections, those not connected yet included.',
    ({ node }) => node.gauges.open,
  ),
  {
    name: 'node_build',
    type: 'gauge',
    help: 'Always 1; the label tells the version.',
    labels: ['version'],
    read: ({ version }) => ({ [version]: 1 }),
  },
  counter(
    'node_messages_sent_count',
    'Messages that this node published.',
    ['type'],
    ({ engines }) => engines.asked.sent,
  ),
  counter(
    'node_messages_received_count',
    'Messages that came from the broker and the control bus.',
    ['type'],
    ({ node, engines }) => ({ ...node.stats.received, control: engines.asked.received }),
  ),
  counter(
    'node_deliveries_total',
    'Publications, joins and leaves, times the subscribers they went to.',
    ['type'],
    ({ node }) => node.stats.sent,
  ),
  histogram(
    'node_broadcast_duration_seconds',
    'Seconds that it took to queue a publication for all subscribers of this node, of one in 16.',
    ['type'],
    ({ node }) => ({ publication: node.stats.broadcasts }),
  ),
  counter(
    'node_tags_filter_dropped_publications',
    'Publications times the subscribers whose filter held them back.',
    [],
    ({ node }) => one(node.stats.filtered),
  ),
  counter(
    'node_action_count',
    'What this node did, and asked of its engines.',
    ['action'],
    ({ node: { stats }, engines }) => ({
      add_client: total(stats.connections.begun),
      remove_client: total(stats.connections.ended),
      add_subscription: stats.subscriptions.begun,
      remove_subscription: stats.subscriptions.ended,
      ...engines.asked.actions,
    }),
  ),
  ...durations(
    'node_survey_duration_seconds',
    'Seconds until all nodes had answered a question.',
    ['op'],
    ({ engines }) => engines.asked.surveys,
  ),
  counter(
    'broker_publish_suppressed_count',
    'Publications that were answered and not published.',
    ['reason'],
    ({ engines }) => engines.suppressed,
  ),
  counter('node_client_connection_limit', 'Handshakes refused by the connection limit.', [], ({ refusals }) =>
    one(refusals['connection_limit'] ?? 0),
  ),
  counter(
    'node_refused_handshakes_total',
    'Handshakes refused with 503, by why.',
    ['reason'],
    ({ refusals }) => refusals,
  ),
  counter(
    'client_connections_accepted',
    'Connections that were let in.',
    ['transport'],
    ({ node }) => node.stats.connections.begun,
  ),
  {
    name: 'client_connections_inflight',
    type: 'gauge',
    help: 'Connections that were let in and are open.',
    labels: ['transport'],
    read: ({ node: { stats } }) => difference(stats.connections.begun, stats.connections.ended),
  },
  counter('client_subscriptions_accepted', 'Subscriptions that began.', [], ({ node }) =>
    one(node.stats.subscriptions.begun),
  ),
  gauge(
    'client_subscriptions_inflight',
    'Subscriptions that go on.',
    ({ node }) => node.gauges.subscriptions,
  ),
  histogram(
    'client_ping_pong_duration_seconds',
    'Seconds until clients answered a ping.',
    ['transport'],
    ({ node }) => node.stats.pongs,
  ),
  counter('client_commands_total', 'Commands of clients.', ['method'], ({ node }) => node.stats.commands),
  ...durations(
    'client_command_duration_seconds',
    'Seconds that commands of clients took.',
    ['method'],
    ({ node }) => node.stats.durations,
  ),
  counter(
    'client_num_reply_errors',
    'Errors in replies to clients.',
    ['method', 'code'],
    ({ node }) => node.stats.replyErrors,
  ),
  counter(
    'client_num_server_disconnects',
    'Connections the server ended.',
    ['code'],
    ({ node }) => node.stats.disconnects,
  ),
  counter(
    'client_num_server_unsubscribes',
    'Subscriptions the server ended.',
    ['code'],
    ({ node }) => node.stats.unsubscribes,
  ),
  counter('client_recover', 'Recoveries asked for.', ['recovered'], ({ node }) => node.stats.recoveries),
  counter('node_gaps_total', 'Channels in which a publication did not follow.', [], ({ node }) =>
    one(node.stats.gaps.found),
  ),
  counter('node_gap_publications_total', 'Publications read from the stream to fill gaps.', [], ({ node }) =>
    one(node.stats.gaps.filled),
  ),
  histogram(
    'node_gap_fill_seconds',
    'Time that a channel was held until a gap was filled.',
    [],
    ({ node }) => ({
      '': node.stats.gapFills,
    }),
  ),
  counter(
    'client_resyncs_total',
    'Subscriptions told to begin anew, because their place in a stream was lost.',
    ['reason'],
    ({ node }) => node.stats.resyncs,
  ),
  counter('node_duplicates_dropped_total', 'Publications that arrived a second time.', [], ({ node }) =>
    one(node.stats.duplicates),
  ),
  counter(
    'node_recovery_sources_total',
    'Recoveries by where they were answered from: what the node has at hand, or the stream.',
    ['source'],
    ({ node }) => node.stats.recoverySources,
  ),
  gauge(
    'node_sweep_round_seconds',
    'Time of the last round of comparing quiet channels with their streams; 10 where all is well.',
    ({ node }) => node.stats.sweepSeconds,
  ),
  counter('transport_frames_sent_total', 'Frames written to clients.', [], ({ node }) =>
    one(node.stats.frames),
  ),
  counter('transport_sent_bytes_total', 'Bytes of frames written to clients.', [], ({ node }) =>
    one(node.stats.bytes),
  ),
  counter(
    'transport_outgoing_close_count',
    'Connections the server ended.',
    ['transport', 'code'],
    ({ node }) => node.stats.closes,
  ),
  counter('transport_messages_sent', 'Publications, joins and leaves sent.', ['frame_type'], ({ node }) => ({
    push_publication: node.stats.sent.publication,
    push_join: node.stats.sent.join,
    push_leave: node.stats.sent.leave,
  })),
  counter('transport_messages_sent_size', 'Bytes of frames written to clients.', [], ({ node }) =>
    one(node.stats.bytes),
  ),
  counter(
    'transport_messages_received',
    'Commands of clients.',
    ['frame_type'],
    ({ node }) => node.stats.commands,
  ),
  counter('transport_messages_received_size', 'Bytes of frames that came from clients.', [], ({ node }) =>
    one(node.stats.receivedBytes),
  ),
  counter('transport_frames_received_total', 'Frames that came from clients.', [], ({ node }) =>
    one(node.stats.receivedFrames),
  ),
  counter('transport_received_bytes_total', 'Bytes of frames that came from clients.', [], ({ node }) =>
    one(node.stats.receivedBytes),
  ),
  counter(
    'api_commands_total',
    'Commands of the server API.',
    ['protocol', 'method'],
    ({ api }) => api.stats.commands,
  ),
  ...durations(
    'api_command_duration_seconds',
    'Seconds that commands of the server API took.',
    ['protocol', 'method'],
    ({ api }) => api.stats.durations,
  ),
  counter(
    'api_command_errors_total',
    'Errors the server API answered with.',
    ['protocol', 'method', 'error'],
    ({ api }) => api.stats.errors,
  ),
  ...redisRows,
];
