import { describe, expect, it } from 'vitest';
import { createMetrics } from './registry.ts';
import { rows, type Sources } from './names.ts';

function sources(): Sources & { node: { stats: { disconnects: Record<string, number> } } } {
  return {
    node: {
      gauges: { clients: 3, users: 2, channels: 5, subscriptions: 7, open: 4 },
      stats: {
        commands: { connect: 3 },
        replyErrors: { 'subscribe:103': 2 },
        disconnects: { 3008: 1 },
        unsubscribes: {},
        received: { publication: 10, join: 0, leave: 0 },
        sent: { publication: 100, join: 0, leave: 0 },
        frames: 50,
        bytes: 5000,
        recoveries: { yes: 1, no: 0 },
        gaps: { found: 0, filled: 0, seconds: 0 },
        resyncs: {},
        duplicates: 0,
        recoverySources: { tail: 0, stream: 0 },
        sweepSeconds: 0,
      },
    },
    api: { stats: { commands: { 'http:publish': 9 }, errors: { 'http:publish:102': 1 } } },
    version: '1.2.3',
    nodes: () => 3,
    refusedConnections: () => 0,
  };
}

describe('metrics', () => {
  it('serves the packages’ own numbers under the field’s names', async () => {
    const text = await createMetrics('gyre', sources()).text();
    expect(text).toContain('\ngyre_node_num_clients 3\n');
    expect(text).toContain('\ngyre_node_build{version="1.2.3"} 1\n');
    expect(text).toContain('\ngyre_client_num_reply_errors{method="subscribe",code="103"} 2\n');
    expect(text).toContain(
      '\ngyre_api_command_errors_total{protocol="http",method="publish",error="102"} 1\n',
    );
    expect(text).toContain('\ngyre_process_resident_memory_bytes');
  });

  it('shows at each scrape what is so then', async () => {
    const changing = sources();
    const metrics = createMetrics('centrifugo', changing);
    await metrics.text();
    changing.node.stats.disconnects['3008'] = 4;
    expect(await metrics.text()).toContain('\ncentrifugo_client_num_server_disconnects{code="3008"} 4\n');
  });

  it('names each metric once', () => {
    const names = rows.map((row) => row.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
