import { duration, section, str } from '../option.ts';

/** `node` */
export const node = section('This node.', {
  name: str('', 'Name shown to operators; empty is host name and port.', { alias: ['name'] }),
  info_metrics_aggregate_interval: duration('60s', 'Time that the metrics in `info` are summed over.', {
    alias: ['node_info_metrics_aggregate_interval'],
  }),
});

/** `shutdown` */
export const shutdown = section('The end of the process.', {
  timeout: duration('30s', 'Longest time that a graceful end may take.', { alias: ['shutdown_timeout'] }),
  ready_wait: duration(
    '3s',
    'Time that all goes on while only /ready says that the end is near, so that load balancers look elsewhere.',
    { zeroCounts: true },
  ),
  drain_time: duration('10s', 'Time that the closing of connections is spread over; 0 closes all at once.', {
    zeroCounts: true,
  }),
});
