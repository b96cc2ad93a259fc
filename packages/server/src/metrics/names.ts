/**
 * Every metric Gyre serves, by the name the field's dashboards know (without prefix). A row says how the value is read
 * at the moment of a scrape: packages keep plain counters and know nothing of this.
 */

/** Values by label values joined with {@link LABEL_SEPARATOR}; a metric without labels has the one key "". */
export type Values = Readonly<Record<string, number>>;

/** Stands between the label values of one key. */
export const LABEL_SEPARATOR = ':';

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
      readonly replyErrors: Values;
      readonly disconnects: Values;
      readonly unsubscribes: Values;
      readonly received: { publication: number; join: number; leave: number };
      readonly sent: { publication: number; join: number; leave: number };
      readonly frames: number;
      readonly bytes: number;
      readonly recoveries: { yes: number; no: number };
      readonly gaps: { readonly found: number; readonly filled: number; readonly seconds: number };
      readonly resyncs: Values;
      readonly duplicates: number;
      readonly recoverySources: Values;
      readonly sweepSeconds: number;
    };
  };
  readonly api: {
    readonly stats: { readonly commands: Values; readonly errors: Values };
  };
  readonly version: string;
  /** Of the cluster, this one included. */
  readonly nodes: () => number;
  /** Handshakes refused because of `client.connection_limit`. */
  readonly refusedConnections: () => number;
}

export interface Row {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (sources: Sources) => Values;
}

const one = (value: number): Values => ({ '': value });

const gauge = (name: string, help: string, read: (sources: Sources) => number): Row => ({
  name,
  type: 'gauge',
  help,
  labels: [],
  read: (sources) => one(read(sources)),
});

const counter = (name: string, help: string, labels: readonly string[], read: Row['read']): Row => ({
  name,
  type: 'counter',
  help,
  labels,
  read,
});

export const rows: readonly Row[] = [
  gauge('node_num_clients', 'Connected clients.', ({ node }) => node.gauges.clients),
  gauge('node_num_users', 'Distinct users connected.', ({ node }) => node.gauges.users),
  gauge('node_num_channels', 'Channels with subscribers.', ({ node }) => node.gauges.channels),
  gauge('node_num_subscriptions', 'Subscriptions of all clients.', ({ node }) => node.gauges.subscriptions),
  gauge('node_num_nodes', 'Nodes known to be alive.', ({ nodes }) => nodes()),
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
    'node_messages_received_count',
    'Messages that came from the broker.',
    ['type'],
    ({ node }) => node.stats.received,
  ),
  counter(
    'node_deliveries_total',
    'The same, times the subscribers they went to.',
    ['type'],
    ({ node }) => node.stats.sent,
  ),
  counter(
    'node_client_connection_limit',
    'Handshakes refused by the connection limit.',
    [],
    ({ refusedConnections }) => one(refusedConnections()),
  ),
  counter('client_commands_total', 'Commands of clients.', ['method'], ({ node }) => node.stats.commands),
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
  counter('node_gap_seconds_total', 'Time that channels were held until gaps were filled.', [], ({ node }) =>
    one(node.stats.gaps.seconds),
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
    'api_commands_total',
    'Commands of the server API.',
    ['protocol', 'method'],
    ({ api }) => api.stats.commands,
  ),
  counter(
    'api_command_errors_total',
    'Errors the server API answered with.',
    ['protocol', 'method', 'error'],
    ({ api }) => api.stats.errors,
  ),
];
