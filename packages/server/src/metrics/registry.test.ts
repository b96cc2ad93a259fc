import { Histogram } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { createMetrics } from './registry.ts';
import { rows, type Sources } from './names.ts';

function sources(): Sources & { node: { stats: { disconnects: Record<string, number> } } } {
  return {
    node: {
      gauges: { clients: 3, users: 2, channels: 5, subscriptions: 7, open: 4 },
      stats: {
        commands: { connect: 3 },
        durations: {},
        replyErrors: { 'subscribe:103': 2 },
        disconnects: { 3008: 1 },
        unsubscribes: {},
        closes: { 'websocket:3008': 1 },
        connections: { begun: { websocket: 9, sse: 2 }, ended: { websocket: 5 } },
        subscriptions: { begun: 8, ended: 1 },
        received: { publication: 10, join: 0, leave: 0 },
        sent: { publication: 100, join: 0, leave: 0 },
        frames: 50,
        bytes: 5000,
        receivedFrames: 5,
        receivedBytes: 500,
        pongs: {},
        broadcasts: new Histogram([1]),
        filtered: 0,
        recoveries: { yes: 1, no: 0 },
        gaps: { found: 0, filled: 0 },
        gapFills: new Histogram([1]),
        resyncs: {},
        duplicates: 0,
        recoverySources: { tail: 0, stream: 0 },
        sweepSeconds: 0,
      },
    },
    api: { stats: { commands: { 'http:publish': 9 }, durations: {}, errors: { 'http:publish:102': 1 } } },
    version: '1.2.3',
    engines: {
      missingNodes: () => 1,
      suppressed: { idempotency: 2, version: 0 },
      asked: {
        actions: { add_presence: 4 },
        sent: { publication: 1, join: 0, leave: 0, control: 0 },
        received: 2,
        surveys: {},
      },
      redis: () => undefined,
    },
    nodes: () => 3,
    refusals: { connection_limit: 2, loop_lag: 1 },
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
    expect(text).toContain('\ngyre_node_messages_received_count{type="control"} 2\n');
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

  it('tells how many are there from how many came and went', async () => {
    const text = await createMetrics('gyre', sources()).text();
    expect(text).toContain('\ngyre_client_connections_inflight{transport="websocket"} 4\n');
    expect(text).toContain('\ngyre_client_connections_inflight{transport="sse"} 2\n');
    expect(text).toContain('\ngyre_node_action_count{action="add_client"} 11\n');
    expect(text).toContain('\ngyre_node_action_count{action="remove_subscription"} 1\n');
    expect(text).toContain('\ngyre_node_action_count{action="add_presence"} 4\n');
  });

  it('names what Redis would tell where there is none', async () => {
    const text = await createMetrics('gyre', sources()).text();
    expect(text).toMatch(/\n# TYPE gyre_presence_reaped_total counter\n\n/);
  });
});
