import { describe, expect, test } from 'vitest';
import { load, loadErrors } from './testing.ts';

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

  test('names that are one in variables are set together', () => {
    const { config } = load({
      file: { namespaces: [{ name: 'a-b' }, { name: 'a.b' }, { name: 'ab' }] },
      env: { GYRE_CHANNEL_NAMESPACES_A_B_PRESENCE: '1' },
    });
    expect(config.channel.namespaces.map(({ presence }) => presence)).toEqual([true, true, false]);
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
