import { stringify as toToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { stringify as toYaml } from 'yaml';
import { load, loadErrors } from './testing.ts';
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
    text: 'a  b',
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

const nested = (path: string, value: unknown): Record<string, unknown> =>
  path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;

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
  expect(load({ defaults, file: { port: 2 } }).config.http_server).toMatchObject({
    address: '127.0.0.1',
    port: 2,
  });
});

describe('variables', () => {
  test('an empty one is not set', () => {
    const { config, configured } = load({ env: { GYRE_HTTP_SERVER_PORT: '' } });
    expect(config.http_server.port).toBe(8000);
    expect(configured).toBe(false);
  });

  test('.env does not touch what is set, not even to nothing', () => {
    const files = {
      '.env':
        'GYRE_HTTP_API_KEY=file\nGYRE_LOG_LEVEL=debug # loud\nexport GYRE_PID_FILE=/x\nGYRE_LOG_FILE=/y\n',
    };
    const { config } = load({ files, env: { GYRE_HTTP_API_KEY: 'real', GYRE_LOG_FILE: '' } });
    expect(config.http_api.key).toBe('real');
    expect(config.log).toEqual({ level: 'debug', file: '' });
    expect(config.pid_file).toBe('/x');
  });

  test.each([
    ['a service named gyre', { GYRE_PORT: 'tcp://10.0.0.1:8000', GYRE_PORT_8000_TCP: 'tcp://10.0.0.1:8000' }],
    [
      'its parts',
      {
        GYRE_PORT_8000_TCP_PORT: '8000',
        GYRE_PORT_8000_TCP_PROTO: 'tcp',
        GYRE_PORT_8000_TCP_ADDR: '10.0.0.1',
      },
    ],
    [
      'its place',
      { GYRE_SERVICE_HOST: '10.0.0.1', GYRE_SERVICE_PORT: '8000', GYRE_SERVICE_PORT_HTTP: '8000' },
    ],
    [
      'a service named like an option',
      { GYRE_HTTP_SERVER_PORT: 'tcp://10.0.0.1:80', GYRE_GRPC_API_SERVICE_HOST: '1' },
    ],
    [
      'a service named centrifugo-x',
      { CENTRIFUGO_X_PORT: 'udp://10.0.0.1:1', CENTRIFUGO_X_SERVICE_PORT: '1' },
    ],
  ])('Kubernetes: %s is no option', (_, env) => {
    const { config, configured, warnings } = load({ env });
    expect(config.http_server.port).toBe(8000);
    expect({ configured, warnings }).toEqual({ configured: false, warnings: [] });
  });

  test('an old GYRE_PORT with a number is one', () => {
    expect(load({ env: { CENTRIFUGO_PORT: '8001' } }).config.http_server.port).toBe(8001);
  });

  test('unknown ones are warnings, near misses end the start', () => {
    const { warnings, configured } = load({ env: { GYRE_WHATEVER: 'x', HOME: 'x', CENTRIFUGO_VAR_X: 'x' } });
    expect(warnings).toEqual(['unknown variable GYRE_WHATEVER']);
    expect(configured).toBe(true);
    expect(loadErrors({ env: { CENTRIFUGO_HTTP_API_KEYS: 'x' } })).toEqual([
      'unknown variable CENTRIFUGO_HTTP_API_KEYS, the nearest is CENTRIFUGO_HTTP_API_KEY (http_api.key)',
    ]);
  });
});

describe('namespaces', () => {
  test('by a variable as JSON', () => {
    const { config } = load({
      env: { GYRE_CHANNEL_NAMESPACES: '[{"name":"chat","history_ttl":"1m","history_size":2}]' },
    });
    expect(config.channel.namespaces).toMatchObject([
      { name: 'chat', history_ttl: 60_000, history_size: 2, presence: false },
    ]);
  });

  test('by names, and options by variables with the name in them', () => {
    const { config, sources } = load({
      env: {
        CENTRIFUGO_CHANNEL_NAMESPACES: 'chat a-b.c',
        CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_PRESENCE: 'true',
        CENTRIFUGO_CHANNEL_NAMESPACES_A_B_C_ALLOWED_DELTA_TYPES: 'fossil',
      },
    });
    expect(config.channel.namespaces).toMatchObject([
      { name: 'chat', presence: true, allowed_delta_types: [] },
      { name: 'a-b.c', presence: false, allowed_delta_types: ['fossil'] },
    ]);
    expect(sources.get('channel.namespaces[chat].presence')).toBe(
      'CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_PRESENCE',
    );
  });

  test('such variables reach namespaces of the file, GYRE_ over CENTRIFUGO_', () => {
    const { config } = load({
      file: { channel: { namespaces: [{ name: 'chat', join_leave: true }] } },
      env: {
        GYRE_CHANNEL_NAMESPACES_CHAT_HISTORY_SIZE: '2',
        CENTRIFUGO_CHANNEL_NAMESPACES_CHAT_HISTORY_SIZE: '1',
        GYRE_CHANNEL_NAMESPACES_CHAT_HISTORY_TTL: '1s',
      },
    });
    expect(config.channel.namespaces).toMatchObject([
      { name: 'chat', join_leave: true, history_size: 2, history_ttl: 1000 },
    ]);
  });

  test('names that begin with each other', () => {
    const { config } = load({
      file: { namespaces: [{ name: 'chat' }, { name: 'chat_force' }] },
      env: { GYRE_CHANNEL_NAMESPACES_CHAT_FORCE_PRESENCE: '1', GYRE_CHANNEL_NAMESPACES_CHAT_PRESENCE: '0' },
    });
    expect(config.channel.namespaces.map(({ presence }) => presence)).toEqual([false, true]);
  });

  test('of a namespace that is not there: a warning; with a slip in the option: an error', () => {
    const file = { namespaces: [{ name: 'chat' }] };
    expect(load({ file, env: { GYRE_CHANNEL_NAMESPACES_NEWS_PRESENCE: '1' } }).warnings).toEqual([
      'unknown variable GYRE_CHANNEL_NAMESPACES_NEWS_PRESENCE',
    ]);
    expect(loadErrors({ file, env: { GYRE_CHANNEL_NAMESPACES_CHAT_PRESENSE: '1' } })).toEqual([
      'unknown variable GYRE_CHANNEL_NAMESPACES_CHAT_PRESENSE, the nearest is ' +
        'GYRE_CHANNEL_NAMESPACES_CHAT_PRESENCE (channel.namespaces[chat].presence)',
    ]);
  });

  test('the flat names within one', () => {
    const errors = loadErrors({ file: { namespaces: [{ name: 'chat', proxy_subscribe: true }] } });
    expect(errors).toEqual([
      'channel.namespaces[chat].subscribe_proxy_enabled (set by "namespaces" in config.json): ' +
        'not served yet, and starting without it would open something',
    ]);
  });
});

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
    const path = 'client.proxy.connect.http.static_headers';
    const errors = (value: unknown) => loadErrors({ file: { [path]: value } });
    // Not served yet: what is read is seen in a list of objects that is.
    expect(errors({ 'X-Key': 'a' })).toHaveLength(1);
    expect(errors([{ key: 'X-Key', value: 'a' }])).toHaveLength(1);
    expect(errors('text')).toEqual([
      `${path} (set by config.json): expected an object of texts, or a list of {key, value}, not a string`,
    ]);
    const map = 'broker.nats.raw_mode.channel_replacements';
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
    expect(load({ file: { shutdown: { timeout: 30 } } }).warnings).toEqual([
      'shutdown.timeout (set by config.json): 30 without a unit is nanoseconds',
    ]);
    expect(load({ file: { shutdown: { timeout: 30e9 } } }).warnings).toEqual([]);
  });
});

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
    ['client.ping_interval', '-25s', time, '"-25s"'],
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

test('an argument that is no flag ends the start', () => {
  expect(loadErrors({ argv: ['config.json'] })).toEqual(['unexpected argument "config.json"']);
});

test('everything wrong is told at once, and strict makes errors of warnings', () => {
  const file = {
    http_server: { prot: 1 },
    whatever: 1,
    client: { token: { jwks_public_endpoint: 'x' } },
    log: { level: 'x' },
  };
  expect(loadErrors({ file, argv: ['--nothing.like.it', 'x'] })).toHaveLength(3);
  expect(loadErrors({ file, argv: ['--nothing.like.it', 'x'], strict: true })).toHaveLength(5);
  expect(load({ file: { whatever: 1 } }).warnings).toEqual(['config.json: unknown key "whatever"']);
  expect(loadErrors({ file: { whatever: 1 }, strict: true })).toEqual([
    'config.json: unknown key "whatever"',
  ]);
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
