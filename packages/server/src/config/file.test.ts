import { describe, expect, test } from 'vitest';
import { load, loadErrors } from './testing.ts';

describe('files', () => {
  test('config.json of the directory is taken unasked, another one has to be there', () => {
    expect(load({ file: { port: 1 } }).file).toMatch(/config\.json$/);
    expect(loadErrors({ argv: ['-c', 'none.json'] })).toEqual(['none.json: cannot be read (ENOENT)']);
  });

  test('an asked file stands in for config.json', () => {
    const { config, file } = load({
      file: { port: 1 },
      files: { 'b.json': '{"port": 2}' },
      argv: ['-c', 'b.json'],
    });
    expect(config.http_server.port).toBe(2);
    expect(file).toMatch(/b\.json$/);
  });

  test.each([
    ['x.ini', '', 'x.ini: the name must end in .json, .yaml, .yml or .toml'],
    ['x.json', '{"api_key": "hush"\n "b": 1}', 'x.json: not valid JSON at line 2, column 2'],
    ['x.json', '{"api_key": "hush"', 'x.json: not valid JSON at line 1, column 19'],
    ['x.yaml', 'api_key: hush\nport: [1\n', 'x.yaml: not valid YAML at line 3, column 1 (BAD_INDENT)'],
    [
      'x.yaml',
      'api_key: hush\napi_key: other\n',
      'x.yaml: not valid YAML at line 2, column 1 (DUPLICATE_KEY)',
    ],
    ['x.toml', 'api_key = "hush"\nport = = 1\n', 'x.toml: not valid TOML at line 2, column 8'],
    ['x.json', '[]', 'x.json: expected an object of options at the top'],
    ['x.yaml', 'hush', 'x.yaml: expected an object of options at the top'],
  ])('%s of %j', (name, text, message) => {
    const errors = loadErrors({ argv: ['-c', name], files: { [name]: text } });
    expect(errors).toEqual([message]);
  });

  test('an empty YAML file, keys without a value, a byte order mark', () => {
    expect(load({ argv: ['-c', 'x.yaml'], files: { 'x.yaml': '' } }).configured).toBe(true);
    const { config } = load({
      argv: ['-c', 'x.yaml'],
      files: { 'x.yaml': '\uFEFFhttp_api:\nport:\nlog:\n  level: warn\n' },
    });
    expect(config.log.level).toBe('warn');
    expect(load({ files: { 'config.json': '\uFEFF{"port": 1}' } }).config.http_server.port).toBe(1);
    expect(config.http_server.port).toBe(8000);
  });

  test('anchors and merges of YAML', () => {
    const text = `
x_base: &base {history_size: 1, history_ttl: 1s}
channel:
  namespaces:
    - {<<: *base, name: one}
    - {<<: *base, name: two, history_size: 2}
`;
    const { config, warnings } = load({ argv: ['-c', 'x.yaml'], files: { 'x.yaml': text } });
    expect(config.channel.namespaces.map(({ name, history_size }) => [name, history_size])).toEqual([
      ['one', 1],
      ['two', 2],
    ]);
    expect(warnings).toEqual(['x.yaml: unknown key "x_base"']);
  });

  test('variables in texts, wherever they stand', () => {
    const { config } = load({
      file: {
        http_api: { key: 'a-${GYRE_VAR_A}-${CENTRIFUGO_VAR_B}' },
        port: '${GYRE_VAR_PORT}',
        allowed_origins: ['${GYRE_VAR_A}'],
        namespaces: [{ name: '${GYRE_VAR_NAME}' }],
        log: { file: '${HOME} $GYRE_VAR_A' },
      },
      env: { GYRE_VAR_A: '"} \\n', CENTRIFUGO_VAR_B: 'b', GYRE_VAR_PORT: '8001', HOME: 'x' },
      files: { '.env': 'GYRE_VAR_A=xx\nGYRE_VAR_NAME=chat\n' },
    });
    expect(config.http_api.key).toBe('a-"} \\n-b');
    expect(config.http_server.port).toBe(8001);
    expect(config.client.allowed_origins).toEqual(['"} \\n']);
    expect(config.channel.namespaces[0]?.name).toBe('chat');
    expect(config.log.file).toBe('${HOME} $GYRE_VAR_A');
  });

  test('a variable that is missing or empty ends the start', () => {
    expect(
      loadErrors({ file: { api_key: '${GYRE_VAR_A}${CENTRIFUGO_VAR_B}' }, env: { GYRE_VAR_A: '' } }),
    ).toEqual([
      'config.json: the variable GYRE_VAR_A that the file refers to is not set',
      'config.json: the variable CENTRIFUGO_VAR_B that the file refers to is not set',
    ]);
  });

  test('letter case of keys does not matter, as in files of Centrifugo', () => {
    expect(load({ file: { HTTP_Server: { Port: 1 } } }).config.http_server.port).toBe(1);
  });

  test('maps: an object loses the case of its keys, a list keeps it', () => {
    const map = 'broker.nats.raw_mode.channel_replacements';
    expect(loadErrors({ file: { [map]: 'text' } })).toEqual([
      `${map} (set by config.json): expected an object of texts, or a list of {key, value}, not a string`,
    ]);
    expect(load({ file: { [map]: { A: 'b' } } }).config.broker.nats.raw_mode.channel_replacements).toEqual({
      a: 'b',
    });
    expect(
      load({ file: { [map]: [{ key: 'A', value: 'b' }] } }).config.broker.nats.raw_mode.channel_replacements,
    ).toEqual({ A: 'b' });
    expect(
      load({ env: { GYRE_BROKER_NATS_RAW_MODE_CHANNEL_REPLACEMENTS: '{"A":"b"}' } }).config.broker.nats
        .raw_mode.channel_replacements,
    ).toEqual({ A: 'b' });
  });

  test('an empty value for an option with a default: the default is put back, with a warning', () => {
    const file = { client: { channel_limit: 0, ping_interval: '0s' }, channel: { namespace_boundary: '' } };
    const { config, warnings } = load({ file });
    expect(config.client).toMatchObject({ channel_limit: 128, ping_interval: 25_000 });
    expect(config.channel.namespace_boundary).toBe(':');
    expect(warnings).toEqual([
      'client.channel_limit (set by config.json): an empty value in a file stands for the default',
      'client.ping_interval (set by config.json): an empty value in a file stands for the default',
      'channel.namespace_boundary (set by config.json): an empty value in a file stands for the default',
    ]);
    expect(load({ file: { health: { enabled: false } } }).config.health.enabled).toBe(false);
    expect(load({ argv: ['--client.channel_limit=0'] }).config.client.channel_limit).toBe(0);
    expect(load({ env: { GYRE_CLIENT_PING_INTERVAL: '0s' } }).config.client.ping_interval).toBe(0);
  });

  test('a bare number that is hardly meant as nanoseconds is told of', () => {
    expect(
      load({ file: { shutdown: { timeout: 30, ready_wait: '0s', drain_time: '0s' } } }).warnings,
    ).toEqual(['shutdown.timeout (set by config.json): 30 without a unit is nanoseconds']);
    expect(load({ file: { shutdown: { timeout: 30e9 } } }).warnings).toEqual([]);
  });
});

describe('poisonous keys', () => {
  const json =
    '{"__proto__": {"polluted": 1}, "http_api": {"__proto__": {"key": "x"}, "constructor": {"prototype": {"polluted": 1}}}}';
  const toml =
    '[__proto__]\npolluted = 1\n[http_api.constructor.prototype]\npolluted = 1\n[http_api.__proto__]\nkey = 1\n';
  test.each([
    ['x.json', json],
    ['x.yaml', json],
    ['x.toml', toml],
  ])('in %s', (name, text) => {
    const errors = loadErrors({ argv: ['-c', name], files: { [name]: text } });
    expect([...errors].sort()).toEqual([
      `${name}: the key "__proto__" is not allowed`,
      `${name}: the key "http_api.__proto__" is not allowed`,
      `${name}: the key "http_api.constructor" is not allowed`,
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('in items, in maps, in variables', () => {
    expect(
      loadErrors({
        argv: ['-c', 'x.json'],
        files: { 'x.json': '{"namespaces": [{"name": "ab", "__proto__": {}}]}' },
      }),
    ).toEqual(['x.json: the key "namespaces[0].__proto__" is not allowed']);
    expect(
      loadErrors({ env: { GYRE_CHANNEL_NAMESPACES: '[{"name": "ab", "__proto__": {"presence": true}}]' } }),
    ).toEqual(['GYRE_CHANNEL_NAMESPACES: the key "channel.namespaces[0].__proto__" is not allowed']);
    const map = 'broker.nats.raw_mode.channel_replacements';
    expect(loadErrors({ file: { [map]: [{ key: '__proto__', value: 'x' }] } })).toHaveLength(1);
    expect(
      loadErrors({ env: { GYRE_BROKER_NATS_RAW_MODE_CHANNEL_REPLACEMENTS: '{"__proto__": "x"}' } }),
    ).toHaveLength(1);
    expect(load({ file: { namespaces: [{ name: 'constructor' }] } }).config.channel.namespaces[0]?.name).toBe(
      'constructor',
    );
  });

  test('dotted', () => {
    expect(
      load({ file: { 'http_api.__proto__': { key: 'x' }, '__proto__.key': 1 } }).config.http_api.key,
    ).toBe('');
    expect(load({ argv: ['--__proto__.polluted', '1'] }).warnings).toEqual([
      'unknown flag --__proto__.polluted',
    ]);
  });
});
