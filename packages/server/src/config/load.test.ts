import { stringify as toToml } from 'smol-toml';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { stringify as toYaml } from 'yaml';
import type { ChannelConfig, Config } from './load.ts';
import { load, loadErrors, nested } from './testing.ts';
import { valueAt } from './table.ts';

/** The same option by every source: what is written, and what it is in the end. */
const values: readonly { path: string; flat?: string; file: unknown; text: string; value: unknown }[] = [
  { path: 'http_server.port', flat: 'port', file: 8001, text: '8001', value: 8001 },
  { path: 'http_server.internal_port', flat: 'internal_port', file: 9000, text: '9000', value: '9000' },
  { path: 'client.insecure', flat: 'client_insecure', file: true, text: '1', value: true },
  { path: 'health.enabled', flat: 'health', file: false, text: 'F', value: false },
  { path: 'http_api.key', flat: 'api_key', file: 'k-1', text: 'k-1', value: 'k-1' },
  { path: 'client.token.hmac_secret_key', flat: 'token_hmac_secret_key', file: 's', text: 's', value: 's' },
  { path: 'client.ping_interval', flat: 'ping_interval', file: '1m30s', text: '1m30s', value: 90_000 },
  { path: 'shutdown.timeout', flat: 'shutdown_timeout', file: 5_000_000_000, text: '5s', value: 5000 },
  {
    path: 'client.allowed_origins',
    flat: 'allowed_origins',
    file: ['a', 'b'],
    text: 'a \t b',
    value: ['a', 'b'],
  },
  { path: 'client.allowed_origins', flat: 'allowed_origins', file: '*', text: '*', value: ['*'] },
  { path: 'log.level', flat: 'log_level', file: 'DEBUG', text: 'Debug', value: 'debug' },
  { path: 'channel.without_namespace.presence', flat: 'presence', file: true, text: 'true', value: true },
  {
    path: 'channel.without_namespace.allowed_delta_types',
    flat: 'allowed_delta_types',
    file: ['fossil'],
    text: 'fossil',
    value: ['fossil'],
  },
  { path: 'pid_file', file: '/run/x', text: '/run/x', value: '/run/x' },
];

const variable = (path: string) => path.replaceAll('.', '_').toUpperCase();

describe.each(values)('$path = $value', ({ path, flat, file, text, value }) => {
  const tree = nested(path, file);
  const sources: Record<string, Parameters<typeof load>[0]> = {
    json: { file: tree },
    yaml: { argv: ['-c', 'x.yaml'], files: { 'x.yaml': toYaml(tree) } },
    yml: { argv: ['-c', 'x.yml'], files: { 'x.yml': toYaml(tree) } },
    toml: { argv: ['-c', 'x.toml'], files: { 'x.toml': toToml(tree) } },
    'a dotted key': { file: { [path]: file } },
    GYRE_: { env: { [`GYRE_${variable(path)}`]: text } },
    CENTRIFUGO_: { env: { [`CENTRIFUGO_${variable(path)}`]: text } },
    '.env': { files: { '.env': `GYRE_${variable(path)}="${text}"\n` } },
    flag: { argv: [`--${path}=${text}`] },
    ...(flat === undefined
      ? {}
      : {
          'flat name in a file': { file: { [flat]: file } },
          'flat name in GYRE_': { env: { [`GYRE_${variable(flat)}`]: text } },
          'flat name in CENTRIFUGO_': { env: { [`CENTRIFUGO_${variable(flat)}`]: text } },
          'flat name as a flag': { argv: [`--${flat}=${text}`] },
        }),
  };
  test.each(Object.entries(sources))('by %s', (_, given) => {
    const { config, configured, sources: from } = load(given);
    expect(valueAt(config, path)).toEqual(value);
    expect(configured).toBe(true);
    expect(from.has(path)).toBe(true);
  });
});

test('nothing configured: defaults, frozen to the last leaf', () => {
  const { config, configured, file, warnings } = load();
  expect({ configured, file, warnings }).toEqual({ configured: false, file: undefined, warnings: [] });
  expect(config.http_server.port).toBe(8000);
  expect(config.health.enabled).toBe(true);
  expect(config.channel.history_meta_ttl).toBe(2_592_000_000);
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    Object.values(value).forEach(walk);
  };
  walk(load({ file: { namespaces: [{ name: 'ab' }], allowed_origins: ['a'] } }).config);
  walk(config);
});

test('loading twice gives two configurations', () => {
  expect(load().config.engine.redis.address).not.toBe(load().config.engine.redis.address);
});

test('a flag wins over a variable, a variable over the file, the file over the default', () => {
  const file = { client: { channel_limit: 1, queue_max_size: 1, connection_limit: 1 } };
  const env = { GYRE_CLIENT_QUEUE_MAX_SIZE: '2', GYRE_CLIENT_CONNECTION_LIMIT: '2' };
  const { config, sources } = load({ file, env, argv: ['--client.connection_limit=3'] });
  expect(config.client).toMatchObject({
    user_connection_limit: 0,
    channel_limit: 1,
    queue_max_size: 2,
    connection_limit: 3,
  });
  expect(sources.get('client.channel_limit')).toBe('config.json');
  expect(sources.get('client.queue_max_size')).toBe('GYRE_CLIENT_QUEUE_MAX_SIZE');
  expect(sources.get('client.connection_limit')).toBe('--client.connection_limit');
});

test.each([
  ['GYRE_HTTP_API_KEY', 'CENTRIFUGO_HTTP_API_KEY'],
  ['GYRE_API_KEY', 'CENTRIFUGO_HTTP_API_KEY'],
  ['GYRE_HTTP_API_KEY', 'GYRE_API_KEY'],
  ['CENTRIFUGO_HTTP_API_KEY', 'CENTRIFUGO_API_KEY'],
])('%s wins over %s', (winner, loser) => {
  expect(load({ env: { [winner]: 'winner', [loser]: 'loser' } }).config.http_api.key).toBe('winner');
});

test('the present name wins over the flat one, with a warning', () => {
  for (const file of [
    { http_api: { key: 'new' }, api_key: 'old' },
    { api_key: 'old', http_api: { key: 'new' } },
  ]) {
    const { config, warnings } = load({ file });
    expect(config.http_api.key).toBe('new');
    expect(warnings).toEqual(['http_api.key (set by config.json): set twice, by different names']);
  }
});

test('other defaults give way to everything', () => {
  const defaults = { http_server: { address: '127.0.0.1', port: 1 }, client: { allowed_origins: ['a'] } };
  const { config, configured } = load({ defaults, argv: [] });
  expect(config.http_server).toMatchObject({ address: '127.0.0.1', port: 1 });
  expect(config.client.allowed_origins).toEqual(['a']);
  expect(configured).toBe(false);
  expect(Object.isFrozen(defaults.client.allowed_origins)).toBe(false);
  expect(load({ defaults, file: { port: 2 } }).config.http_server).toMatchObject({
    address: '127.0.0.1',
    port: 2,
  });
});

test('an argument that is no flag ends the start', () => {
  expect(loadErrors({ argv: ['config.json'] })).toEqual(['unexpected argument "config.json"']);
});

test('everything wrong is told at once, and strict makes errors of warnings', () => {
  const file = {
    http_server: { prot: 1 },
    whatever: 1,
    client: { proxy: { connect: { endpoint: 'x' } } },
    log: { level: 'x' },
  };
  expect(loadErrors({ file, argv: ['--nothing.like.it', 'x'] })).toHaveLength(3);
  expect(loadErrors({ file, argv: ['--nothing.like.it', 'x'], strict: true })).toHaveLength(5);
  expect(load({ argv: ['--nothing.like.it'] })).toMatchObject({
    configured: true,
    warnings: ['unknown flag --nothing.like.it'],
  });
  expect(load({ file: { whatever: 1 } }).warnings).toEqual(['config.json: unknown key "whatever"']);
  expect(loadErrors({ file: { whatever: 1 }, strict: true })).toEqual([
    'config.json: unknown key "whatever"',
  ]);
});

test('the types are those of the table', () => {
  expectTypeOf<Config['http_server']['port']>().toEqualTypeOf<number>();
  expectTypeOf<Config['client']['ping_interval']>().toEqualTypeOf<number>();
  expectTypeOf<Config['client']['allowed_origins']>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<ChannelConfig['force_recovery_mode']>().toEqualTypeOf<'' | 'stream' | 'cache'>();
  expectTypeOf<ChannelConfig['allowed_delta_types']>().toEqualTypeOf<readonly 'fossil'[]>();
  expectTypeOf<Config['channel']['namespaces'][number]>().toExtend<
    ChannelConfig & { readonly name: string }
  >();
  expectTypeOf<Config>().not.toBeAny();
});
