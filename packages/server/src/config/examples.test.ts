import { expect, test } from 'vitest';
import { load } from './testing.ts';

test('a file of Centrifugo v4', () => {
  const file = {
    token_hmac_secret_key: 'bbe7d157-a253-4094-9759-06a8236543f9',
    admin: true,
    admin_password: 'd0683813-0916-4c49-979f-0e08a686b727',
    admin_secret: '4e9eafcf-0120-4ddd-b668-8dc40072c78e',
    api_key: 'd7627bb6-2292-4911-82e1-615c0ed3eebb',
    allowed_origins: ['http://localhost:3000', 'https://*.example.com'],
    port: 9001,
    engine: 'memory',
    health: true,
    prometheus: true,
    presence: true,
    history_size: 10,
    history_ttl: '300s',
    force_recovery: true,
    client_channel_limit: 256,
    user_subscribe_to_personal: true,
    namespaces: [
      {
        name: 'chat',
        presence: true,
        join_leave: true,
        force_push_join_leave: true,
        allow_subscribe_for_client: true,
      },
      { name: 'news', history_size: 100, history_ttl: '1h', allow_history_for_subscriber: true },
    ],
  };
  const { config, warnings } = load({ file });
  expect(config.client.token.hmac_secret_key).toBe(file.token_hmac_secret_key);
  expect(config.http_api.key).toBe(file.api_key);
  expect(config.http_server.port).toBe(9001);
  expect(config.client.allowed_origins).toEqual(file.allowed_origins);
  expect(config.client.channel_limit).toBe(256);
  expect(config.client.subscribe_to_user_personal_channel.enabled).toBe(true);
  expect(config.prometheus.enabled).toBe(true);
  expect(config.channel.without_namespace).toMatchObject({
    presence: true,
    history_ttl: 300_000,
    force_recovery: true,
  });
  expect(config.channel.namespaces).toMatchObject([
    { name: 'chat', presence: true, join_leave: true, allow_subscribe_for_client: true, history_size: 0 },
    { name: 'news', presence: false, history_ttl: 3_600_000, allow_history_for_subscriber: true },
  ]);
  expect(warnings.map((text) => text.split(' ')[0])).toEqual([
    'admin.enabled',
    'admin.password',
    'admin.secret',
  ]);
});

test('a file of Centrifugo v6', () => {
  const text = `
http_server:
  port: 8000
  internal_port: 9000
client:
  token:
    hmac_secret_key: "\${CENTRIFUGO_VAR_SECRET}"
  allowed_origins: ["https://example.com"]
  connection_limit: 10000
channel:
  without_namespace:
    allow_subscribe_for_client: true
  namespaces:
    - name: rooms
      history_size: 100
      history_ttl: 1h
      force_recovery: true
      force_recovery_mode: cache
      allowed_delta_types: [fossil]
http_api:
  key: secret
log:
  level: debug
prometheus:
  enabled: true
health:
  enabled: true
usage_stats:
  disabled: true
`;
  const { config, warnings } = load({
    argv: ['--config', 'config.yaml', '--http_server.port', '8001'],
    files: { 'config.yaml': text, '.env': 'CENTRIFUGO_VAR_SECRET=of-the-env\n' },
    env: { CENTRIFUGO_HTTP_API_KEY: 'of-the-env' },
  });
  expect(warnings).toEqual([]);
  expect(config.http_server).toMatchObject({ port: 8001, internal_port: '9000' });
  expect(config.client.token.hmac_secret_key).toBe('of-the-env');
  expect(config.http_api.key).toBe('of-the-env');
  expect(config.channel.namespaces[0]).toMatchObject({
    name: 'rooms',
    history_ttl: 3_600_000,
    force_recovery_mode: 'cache',
    allowed_delta_types: ['fossil'],
  });
});

test('the environment of the chart and of the seed', () => {
  const { config, warnings } = load({
    argv: [
      '--health.enabled',
      '--prometheus.enabled',
      '--http_server.internal_port=9000',
      '--grpc_api.port=10000',
    ],
    env: {
      CENTRIFUGO_GRPC_API: '1',
      CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY: 's',
      CENTRIFUGO_CHANNEL_NAMESPACES: '[{"name": "chat", "presence": true}]',
      CENTRIFUGO_SERVICE_HOST: '10.0.0.1',
      CENTRIFUGO_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
    },
  });
  expect(config.http_server.internal_port).toBe('9000');
  expect(config.channel.namespaces).toMatchObject([{ name: 'chat', presence: true }]);
  expect(config.grpc_api.enabled).toBe(true);
  // Any machine may call it: no key is set.
  expect(warnings.map((text) => text.split(' ')[0])).toEqual(['grpc_api.key:']);
});
