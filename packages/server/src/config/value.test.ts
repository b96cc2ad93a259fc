import { describe, expect, test } from 'vitest';
import { load, loadErrors, nested } from './testing.ts';

describe('wrong values', () => {
  const number = 'a whole number from 0';
  const time = 'a duration with its unit, such as "300s" or "1h30m"';
  test.each([
    ['http_server.port', 'abc', 'a whole number from 0 to 65535', '"abc"'],
    ['http_server.port', 70_000, 'a whole number from 0 to 65535', '70000'],
    ['http_server.port', 1.5, 'a whole number from 0 to 65535', '1.5'],
    ['http_server.port', true, 'a whole number from 0 to 65535', 'true'],
    ['client.channel_limit', -1, number, '-1'],
    ['client.channel_limit', '010', number, '"010"'],
    ['client.channel_limit', [], number, 'a list'],
    ['client.insecure', 'yes', 'true or false', '"yes"'],
    ['client.insecure', 2, 'true or false', '2'],
    ['client.insecure', {}, 'true or false', 'an object'],
    ['client.ping_interval', '25', time, '"25"'],
    ['client.stale_close_delay', '-25s', time, '"-25s"'],
    ['client.ping_interval', false, time, 'false'],
    ['log.file', true, 'a text', 'true'],
    ['log.file', 1.5, 'a text', '1.5'],
    ['http_api.key', ['hush'], 'a text', 'a list'],
    ['http_api.key', { hush: 1 }, 'a text', 'an object'],
    ['http_api.key', 1.5, 'a text', 'a number'],
    ['client.allowed_origins', { a: 1 }, 'a list of texts', 'an object'],
    ['client.allowed_origins', [['a']], 'a list of texts', 'a list'],
    ['channel.without_namespace.allowed_delta_types', ['xor'], 'a list out of fossil', 'a list'],
    [
      'channel.without_namespace.force_recovery_mode',
      'snapshot',
      'one of "", "stream", "cache"',
      '"snapshot"',
    ],
    ['channel.publication_data_format', 'xml', 'one of "", "json", "json_object", "binary"', '"xml"'],
    ['http_api.error_mode', 'http', 'one of "", "transport"', '"http"'],
    ['log.level', 'loud', 'one of "none", "trace", "debug", "info", "warn", "error", "fatal"', '"loud"'],
    ['channel.namespaces', { chat: {} }, 'a list of objects', 'an object'],
    ['channel.namespaces', 'chat', 'a list of objects', 'a string'],
    ['channel.namespaces', ['chat'], 'a list of objects', 'a list'],
  ])('%s = %j', (path, value, expected, came) => {
    expect(loadErrors({ file: nested(path, value) })).toEqual([
      `${path} (set by config.json): expected ${expected}, not ${came}`,
    ]);
  });

  test('a section that is none', () => {
    expect(loadErrors({ file: { http_server: 8000, client: { token: 'hush' } } })).toEqual([
      'http_server (set by config.json): expected an object, not a number',
      'client.token (set by config.json): expected an object, not a string',
    ]);
  });

  test('the name that was written is told', () => {
    expect(loadErrors({ file: { port: 'x' }, env: { GYRE_GRPC_API: 'x' }, argv: ['--health=x'] })).toEqual([
      'http_server.port (set by "port" in config.json): expected a whole number from 0 to 65535, not "x"',
      'grpc_api.enabled (set by GYRE_GRPC_API): expected true or false, not "x"',
      'health.enabled (set by --health): expected true or false, not "x"',
    ]);
  });

  test('within an item, by its name or place', () => {
    expect(
      loadErrors({ file: { namespaces: [{ name: 'chat', presence: 'x' }, { history_size: 'y' }] } }),
    ).toEqual([
      'channel.namespaces[chat].presence (set by "namespaces" in config.json): expected true or false, not "x"',
      'channel.namespaces[1].history_size (set by "namespaces" in config.json): expected a whole number from 0, not "y"',
    ]);
  });

  test('JSON in a variable that is none is not shown: it may hold secrets', () => {
    expect(loadErrors({ env: { GYRE_PROXIES: '[{"endpoint": "hush"' } })).toEqual([
      'proxies (set by GYRE_PROXIES): expected a list of objects as JSON, or names separated by blanks, not a string',
    ]);
  });

  test.each(['0x10', '0b10000', '0o20', '+16', '16'])('%s is sixteen', (text) => {
    expect(load({ env: { GYRE_CLIENT_CHANNEL_LIMIT: text } }).config.client.channel_limit).toBe(16);
  });

  test.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('%s is true', (text) => {
    expect(load({ env: { GYRE_CLIENT_INSECURE: text } }).config.client.insecure).toBe(true);
  });

  test.each(['0', 'f', 'F', 'FALSE', 'false', 'False'])('%s is false', (text) => {
    expect(load({ env: { GYRE_HEALTH_ENABLED: text } }).config.health.enabled).toBe(false);
  });
});

test.each(['-1', -1, '-25s'])('a ping interval of %j is none', (value) => {
  expect(load({ file: nested('client.ping_interval', value) }).config.client.ping_interval).toBe(-1);
});

test('a zero drain time is none', () => {
  const { config, warnings } = load({ file: nested('shutdown.drain_time', '0s') });
  expect([config.shutdown.drain_time, warnings]).toEqual([0, []]);
});
