import { bool, duration, port, section, str } from '../option.ts';

const page = (flat: string, path: string, enabled: boolean) => ({
  enabled: bool(enabled, 'Serve it.', { alias: [flat] }),
  handler_prefix: str(path, 'Path that it is served under.'),
});

/** `prometheus` */
export const prometheus = section(
  'Metrics for Prometheus, on the internal listener.',
  {
    ...page('prometheus', '/metrics', false),
    prefix: str('gyre', 'Start of every metric name; `centrifugo` fits dashboards made for it.', {
      alias: [],
    }),
    instrument_http_handlers: bool(false, 'Measure HTTP requests.', { served: 'later', alias: [] }),
    recovered_publications_histogram: bool(false, 'Measure how much recoveries bring.', {
      served: 'later',
      alias: [],
    }),
    native_histograms: bool(false, 'Use native histograms.', { served: 'later', alias: [] }),
  },
  { flat: 'prometheus' },
);

/** `health` */
export const health = section(
  'Answers for load balancers and orchestrators, on the internal listener: live, and ready to accept.',
  {
    ...page('health', '/health', true),
    ready_without_redis: bool(false, 'Take connections and stay ready while no Redis answers.', {
      alias: [],
    }),
  },
  { flat: 'health' },
);

/** `swagger` */
export const swagger = section(
  'A page that describes the server API, on the internal listener, and its OpenAPI document.',
  page('swagger', '/swagger', false),
  { flat: 'swagger' },
);

/** `debug` */
export const debug = section('Profiles of the running program.', page('debug', '/debug/pprof', false), {
  served: 'later',
  flat: 'debug',
});

/** `init` */
export const init = section(
  'A cheap request that load balancers can stick a client to a node with.',
  {
    enabled: bool(false, 'Serve it.'),
    handler_prefix: str('/connection/init', 'Path that it is served under.'),
  },
  { served: 'later' },
);

/** `opentelemetry` */
export const opentelemetry = section(
  'Traces; where they go is said by the usual OTEL_ variables.',
  {
    enabled: bool(false, 'Send traces.', { alias: ['opentelemetry'] }),
    api: bool(false, 'Trace calls of the server API.'),
    consuming: bool(false, 'Trace what consumers take.'),
    google_cloud_adc_auth: bool(false, 'Use the default credentials of Google Cloud.', { alias: [] }),
  },
  { served: 'later', flat: 'opentelemetry' },
);

/** `graphite` */
export const graphite = section(
  'Metrics sent to Graphite.',
  {
    enabled: bool(false, 'Send them.', { alias: ['graphite'] }),
    host: str('localhost', 'Host that they are sent to.'),
    port: port(2003, 'Port that they are sent to.'),
    prefix: str('centrifugo', 'Start of every metric name.'),
    interval: duration('10s', 'Time between two sendings.'),
    tags: bool(false, 'Send labels as tags.'),
  },
  { served: 'later', flat: 'graphite' },
);

/** `usage_stats` */
export const usageStats = section('Statistics about use; there are none, nothing is ever sent.', {
  disabled: bool(false, 'Accepted so that existing files work.', { alias: ['usage_stats_disable'] }),
});
