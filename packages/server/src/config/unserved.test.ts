import { expect, test } from 'vitest';
import { load, loadErrors } from './testing.ts';

const later = 'not served yet, it has no effect';
const guards = 'not served yet, and starting without it would open something';

test.each([
  ['grpc_api.tls.server_name', 'api.example.com'],
  ['client.concurrency', 8],
  ['client.channel_position_check_delay', '10s'],
  ['websocket.read_buffer_size', 512],
  ['sse.enabled', true],
  ['uni_grpc.tls.enabled', true],
  ['admin.insecure', true],
  ['debug.enabled', true],
  ['consumers', [{ name: 'x', enabled: true, type: 'kafka' }]],
  ['channel.without_namespace.map.mode', 'ephemeral'],
  ['http_server.http3.enabled', true],
])('%s takes a comfort away: a warning', (path, value) => {
  const { warnings } = load({ file: { [path]: value } });
  expect(warnings).toEqual([`${path} (set by config.json): ${later}`]);
  expect(loadErrors({ file: { [path]: value }, strict: true })).toEqual(warnings);
});

test.each([
  ['client.proxy.connect.enabled', true],
  ['client.proxy.refresh.endpoint', 'http://backend'],
  ['channel.proxy.subscribe.endpoint', 'http://backend'],
  ['channel.without_namespace.subscribe_proxy_enabled', true],
  ['channel.without_namespace.publish_proxy_name', 'other'],
  ['rpc.proxy.endpoint', 'http://backend'],
  ['rpc.without_namespace.proxy_enabled', true],
  ['rpc.namespaces', [{ name: 'ab', proxy_enabled: true }]],
  ['proxies', [{ name: 'x', endpoint: 'http://backend' }]],
  ['http_server.tls.client_ca_pem', 'ca.pem'],
  ['http_server.tls_autocert.enabled', true],
])('%s guards something: the end', (path, value) => {
  expect(loadErrors({ file: { [path]: value } })).toEqual([`${path} (set by config.json): ${guards}`]);
});

test('within namespaces, by file and by variable', () => {
  const file = { namespaces: [{ name: 'chat', map: { key_ttl: '1s' } }] };
  expect(load({ file }).warnings).toEqual([
    `channel.namespaces[chat].map.key_ttl (set by "namespaces" in config.json): ${later}`,
  ]);
  expect(loadErrors({ file, env: { GYRE_CHANNEL_NAMESPACES_CHAT_SUBSCRIBE_PROXY_ENABLED: '1' } })).toEqual([
    `channel.namespaces[chat].subscribe_proxy_enabled (set by GYRE_CHANNEL_NAMESPACES_CHAT_SUBSCRIBE_PROXY_ENABLED): ${guards}`,
  ]);
});

test('by flags and variables the same', () => {
  expect(load({ argv: ['--uni_grpc.port', '1'] }).warnings).toEqual([
    `uni_grpc.port (set by --uni_grpc.port): ${later}`,
  ]);
  expect(loadErrors({ env: { CENTRIFUGO_RPC_PROXY_ENDPOINT: 'http://backend' } })).toEqual([
    `rpc.proxy.endpoint (set by CENTRIFUGO_RPC_PROXY_ENDPOINT): ${guards}`,
  ]);
});

test('set to what it is anyway: nothing to say', () => {
  const file = {
    uni_grpc: { enabled: false, port: 11_000 },
    client: { proxy: { connect: { timeout: '1s' } } },
    proxies: [],
  };
  expect(load({ file }).warnings).toEqual([]);
});
