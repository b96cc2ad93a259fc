import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { metrics } from '../harness/metrics.ts';
import { api, gyre, until, wire, type Gyre } from '../harness/index.ts';

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    config: {
      client: { insecure: true, ping_interval: '1s', pong_timeout: '500ms' },
      prometheus: { enabled: true },
      channel: {
        without_namespace: {
          presence: true,
          join_leave: true,
          force_push_join_leave: true,
          history_size: 10,
          history_ttl: '60s',
          allow_publish_for_client: true,
          allow_history_for_client: true,
        },
      },
    },
  });
});

/** What happened to each metric while something was done. */
async function during(act: () => Promise<void>): Promise<(name: string) => number> {
  const before = await metrics(server);
  await act();
  const after = await metrics(server);
  return (name) => (after.get(`gyre_${name}`) ?? 0) - (before.get(`gyre_${name}`) ?? 0);
}

describe('metrics', () => {
  it('tell of commands of clients, of their time and their errors', async () => {
    const change = await during(async () => {
      const client = await wire(server, 'json');
      await client.call({ subscribe: { channel: 'a' } });
      await client.call({ publish: { channel: 'a', data: 1 } });
      await client.call({ subscribe: { channel: 'nowhere:a' } });
    });
    expect(change('client_commands_total{method="subscribe"}')).toBe(2);
    expect(change('client_command_duration_seconds_histogram_count{method="subscribe"}')).toBe(2);
    expect(change('client_command_duration_seconds_histogram_bucket{method="publish",le="+Inf"}')).toBe(1);
    expect(change('client_command_duration_seconds_sum{method="publish"}')).toBeGreaterThan(0);
    expect(change('client_num_reply_errors{method="subscribe",code="102"}')).toBe(1);
    expect(change('client_connections_accepted{transport="websocket"}')).toBe(1);
    expect(change('client_subscriptions_accepted')).toBe(1);
    expect(change('transport_messages_received{frame_type="publish"}')).toBe(1);
    expect(change('transport_frames_received_total')).toBe(4);
    expect(change('transport_messages_received_size')).toBeGreaterThan(100);
  });

  it('tell of what came and went, and of who ended it', async () => {
    const change = await during(async () => {
      const client = await wire(server, 'json');
      await client.call({ subscribe: { channel: 'b' } });
      await api(server, 'disconnect', { user: '', disconnect: { code: 4321, reason: 'x' } });
      await client.end();
      await until(async () => (await metrics(server)).get('gyre_node_num_connections') === 0);
    });
    expect(change('node_action_count{action="add_client"}')).toBe(1);
    expect(change('node_action_count{action="add_subscription"}')).toBe(1);
    expect(change('node_action_count{action="remove_client"}')).toBeGreaterThan(0);
    expect(change('transport_outgoing_close_count{transport="websocket",code="4321"}')).toBeGreaterThan(0);
    const now = await metrics(server);
    expect(now.get('gyre_client_connections_inflight{transport="websocket"}')).toBe(0);
    expect(now.get('gyre_client_subscriptions_inflight')).toBe(0);
  });

  it('tell of what is published, kept back and asked of the engines', async () => {
    const change = await during(async () => {
      const client = await wire(server, 'json');
      await client.call({ subscribe: { channel: 'c' } });
      for (const key of ['k', 'k']) {
        await api(server, 'publish', { channel: 'c', data: 1, idempotency_key: key });
      }
      await client.pushed('pub', 1);
      await client.call({ history: { channel: 'c', limit: 1 } });
      await api(server, 'presence', { channel: 'c' });
      await api(server, 'info');
    });
    expect(change('node_messages_sent_count{type="publication"}')).toBe(2);
    expect(change('node_messages_received_count{type="publication"}')).toBe(1);
    expect(change('broker_publish_suppressed_count{reason="idempotency"}')).toBe(1);
    expect(change('node_messages_sent_count{type="join"}')).toBe(1);
    expect(change('node_action_count{action="broker_subscribe"}')).toBe(1);
    expect(change('node_action_count{action="add_presence"}')).toBe(1);
    expect(change('node_action_count{action="presence"}')).toBe(1);
    expect(change('node_action_count{action="history"}')).toBe(1);
    expect(change('node_survey_duration_seconds_count{op="info"}')).toBe(1);
    expect(change('api_command_duration_seconds_histogram_count{protocol="http",method="publish"}')).toBe(2);
  });

  it('tell how long it takes to hand on a publication, of some of them', async () => {
    const change = await during(async () => {
      const client = await wire(server, 'json');
      await client.call({ subscribe: { channel: 'd' } });
      for (let i = 0; i < 32; i++) await api(server, 'publish', { channel: 'd', data: i });
      await client.pushed('pub', 32);
    });
    expect(change('node_broadcast_duration_seconds_count{type="publication"}')).toBe(2);
  });

  it('are all in docs/metrics.md', async () => {
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const text = await (await fetch(`${server.internalUrl}/metrics`)).text();
    const served = [...text.matchAll(/^# TYPE gyre_(\S+) (\S+)/gm)].map(
      ([, name, type]) => `| \`${name}\` | ${type} |`,
    );
    const own = served.filter((row) => !/`(process|nodejs)_/.test(row));
    expect(own.length).toBeGreaterThan(50);
    const known = page.replaceAll(/ +/g, ' ');
    expect(own.filter((row) => !known.includes(row))).toEqual([]);
  });

  it('tell how long clients take to answer a ping', async () => {
    const client = await wire(server, 'json');
    await until(() => client.received().some((message) => Object.keys(message).length === 0));
    client.send({});
    const name = 'gyre_client_ping_pong_duration_seconds_count{transport="websocket"}';
    await until(async () => (await metrics(server)).get(name) === 1);
  });
});
