import { describe, expect, test } from 'vitest';
import { isLoopback } from './check-doors.ts';
import { load, loadErrors } from './testing.ts';

/** What is said of a file, without where the value came from. */
const errorsOf = (file: unknown) => loadErrors({ file }).map((text) => text.replace(/ \(set by [^)]*\)/, ''));

const without = (options: Record<string, unknown>) => ({ channel: { without_namespace: options } });
const at = 'channel.without_namespace';
const kept = { history_size: 10, history_ttl: '60s' };

describe('channels', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['size alone', { history_size: 1 }, [`${at}.history_size: needs ${at}.history_ttl`]],
    ['ttl alone', { history_ttl: '1s' }, [`${at}.history_ttl: needs ${at}.history_size`]],
    [
      'parts of a second',
      { history_size: 1, history_ttl: '1500ms' },
      [`${at}.history_ttl: must be whole seconds`],
    ],
    [
      'parts of a second of meta',
      { ...kept, history_meta_ttl: '60.5s' },
      [`${at}.history_meta_ttl: must be whole seconds`],
    ],
    [
      'meta below ttl',
      { ...kept, history_meta_ttl: '59s' },
      [`${at}.history_meta_ttl: must not be less than ${at}.history_ttl`],
    ],
    [
      'global meta below ttl',
      { history_size: 1, history_ttl: '721h' },
      [`channel.history_meta_ttl: must not be less than ${at}.history_ttl`],
    ],
    [
      'recovery of nothing',
      { force_recovery: true },
      [`${at}.force_recovery: needs ${at}.history_size and ${at}.history_ttl`],
    ],
    [
      'cache without recovery',
      { ...kept, auto_cache_recover: true, force_recovery_mode: 'cache' },
      [`${at}.auto_cache_recover: needs ${at}.force_recovery`],
    ],
    [
      'cache in another mode',
      { ...kept, auto_cache_recover: true, force_recovery: true },
      [`${at}.auto_cache_recover: needs ${at}.force_recovery_mode "cache"`],
    ],
    [
      'a regex that is none',
      { channel_regex: '(' },
      [`${at}.channel_regex: not a regular expression (missing closing ): \`(\`)`],
    ],
    ['a type not served', { subscription_type: 'map' }, [`${at}.subscription_type: "map" is not served yet`]],
    [
      'several at once',
      { history_size: 1, force_recovery: true },
      [
        `${at}.history_size: needs ${at}.history_ttl`,
        `${at}.force_recovery: needs ${at}.history_size and ${at}.history_ttl`,
      ],
    ],
  ])('%s', (_, options, errors) => {
    expect(errorsOf(without(options))).toEqual(errors);
    const namespace = errors.map((error) => error.replaceAll(at, 'channel.namespaces[chat]'));
    expect(errorsOf({ channel: { namespaces: [{ name: 'chat', ...options }] } })).toEqual(namespace);
  });

  test.each<[Record<string, unknown>]>([
    [kept],
    [{ ...kept, history_meta_ttl: '60s' }],
    [{ ...kept, force_recovery: true, force_recovery_mode: 'cache', auto_cache_recover: true }],
    [{ subscription_type: 'stream', channel_regex: '^[a-z]+$' }],
    [{ channel_regex: '(?i)^(?P<room>[a-z]+)$' }],
  ])('%j is fine', (options) => {
    expect(load({ file: without(options) }).warnings).toEqual([]);
  });

  test('names of namespaces', () => {
    const expected = 'expected two or more of letters, digits, "-", "_" and "."';
    expect(
      errorsOf({
        namespaces: [
          { name: 'ok-1_.' },
          { name: 'a' },
          {},
          { name: 'a:b' },
          { name: 'twice' },
          { name: 'twice' },
        ],
      }),
    ).toEqual([
      `channel.namespaces[1].name: the name "a"; ${expected}`,
      `channel.namespaces[2].name: no name; ${expected}`,
      `channel.namespaces[3].name: the name "a:b"; ${expected}`,
      'channel.namespaces[5].name: "twice" is there twice',
    ]);
  });

  test('the global meta ttl', () => {
    expect(errorsOf({ channel: { history_meta_ttl: '1.5s' } })).toEqual([
      'channel.history_meta_ttl: must be whole seconds',
    ]);
  });

  test('the personal channel', () => {
    const path = 'client.subscribe_to_user_personal_channel';
    const personal = (options: Record<string, unknown>) => ({
      client: { subscribe_to_user_personal_channel: { enabled: true, ...options } },
      namespaces: [{ name: 'me', presence: true }],
    });
    expect(errorsOf(personal({ personal_channel_namespace: 'you' }))).toEqual([
      `${path}.personal_channel_namespace: there is no namespace "you"`,
    ]);
    expect(errorsOf(personal({ single_connection: true }))).toEqual([
      `${path}.single_connection: needs presence in the channels of users`,
    ]);
    expect(
      load({ file: personal({ single_connection: true, personal_channel_namespace: 'me' }) }).warnings,
    ).toEqual([]);
  });
});

describe('the rest', () => {
  test.each<[Record<string, unknown>, string[]]>([
    [{ client: { pong_timeout: '25s' } }, ['client.pong_timeout: must be less than client.ping_interval']],
    [{ client: { ping_interval: '8s' } }, ['client.pong_timeout: must be less than client.ping_interval']],
    [
      { token_audience: 'a', token_audience_regex: 'a' },
      ['client.token.audience_regex: not together with client.token.audience'],
    ],
    [
      { subscription_token_issuer: 'a', subscription_token_issuer_regex: 'a' },
      ['client.subscription_token.issuer_regex: not together with client.subscription_token.issuer'],
    ],
    [
      { token_issuer_regex: '[' },
      ['client.token.issuer_regex: not a regular expression (missing closing ]: `[`)'],
    ],
    [{ token_user_id_claim: 'user-id' }, ['client.token.user_id_claim: may only have letters and "_"']],
    [{ internal_port: 'http' }, ['http_server.internal_port: expected a port from 0 to 65535']],
    [{ internal_port: 65_536 }, ['http_server.internal_port: expected a port from 0 to 65535']],
    [
      { tls: true },
      [
        'http_server.tls.cert_pem: needed where TLS is enabled',
        'http_server.tls.key_pem: needed where TLS is enabled',
      ],
    ],
    [
      { http_server: { internal_tls: { enabled: true, cert_pem: 'x' } } },
      ['http_server.internal_tls.key_pem: needed where TLS is enabled'],
    ],
    [{ broker: { enabled: true, type: 'nats' } }, ['broker.type: "nats" is not served yet']],
    [
      { presence_manager: { enabled: true, type: 'redis' } },
      ['presence_manager.type: "redis" is not served yet'],
    ],
    [{ controller: { enabled: true, type: 'postgres' } }, ['controller.type: "postgres" is not served yet']],
    [{ api_handler_prefix: 'api' }, ['http_api.handler_prefix: must begin with "/"']],
    [{ websocket: { handler_prefix: 'ws' } }, ['websocket.handler_prefix: must begin with "/"']],
    [
      { prometheus: { prefix: '1st' } },
      ['prometheus.prefix: may only have letters, digits and "_", and no digit first'],
    ],
  ])('%j', (file, errors) => {
    expect(errorsOf(file)).toEqual(errors);
  });

  test('pings that are off have no pong to wait for', () => {
    expect(load({ argv: ['--client.ping_interval=0s'] }).config.client.ping_interval).toBe(0);
  });

  test('where the value came from is told', () => {
    expect(loadErrors({ env: { GYRE_CLIENT_PONG_TIMEOUT: '1m' } })).toEqual([
      'client.pong_timeout (set by GYRE_CLIENT_PONG_TIMEOUT): must be less than client.ping_interval',
    ]);
    expect(loadErrors({ file: { namespaces: [{ name: 'chat', history_size: 1 }] } })).toEqual([
      'channel.namespaces[chat].history_size (set by "namespaces" in config.json): needs channel.namespaces[chat].history_ttl',
    ]);
  });

  test('a value that could not be read is all that is told', () => {
    expect(errorsOf(without({ history_size: 1, history_ttl: 'x' }))).toHaveLength(1);
    expect(errorsOf(without({ history_size: 1, history_tll: '1s' }))).toHaveLength(1);
  });
});

describe('open doors', () => {
  const doors = (file: Record<string, unknown>) => load({ file }).warnings.map((text) => text.split(' ')[0]);
  const all = {
    client: { insecure: true, insecure_skip_token_signature_verify: true },
    http_api: { insecure: true },
  };
  const names = ['client.insecure', 'client.insecure_skip_token_signature_verify', 'http_api.insecure'];

  test.each(['', '0.0.0.0', '::', '10.0.0.1', 'example.com'])('on "%s" each is named', (address) => {
    expect(doors({ ...all, http_server: { address } })).toEqual(names);
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost'])('on %s none is', (address) => {
    expect(doors({ ...all, http_server: { address } })).toEqual([]);
    expect(isLoopback(address)).toBe(true);
  });

  test('the server API is where the internal listener is, unless external', () => {
    const http_server = { address: '0.0.0.0', internal_address: '127.0.0.1', internal_port: '9000' };
    expect(doors({ http_api: { insecure: true }, http_server })).toEqual([]);
    expect(doors({ http_api: { insecure: true, external: true }, http_server })).toEqual([
      'http_api.insecure',
    ]);
    expect(doors({ http_api: { insecure: true, disabled: true } })).toEqual([]);
    expect(
      doors({ http_api: { insecure: true }, http_server: { address: '127.0.0.1', internal_port: '9000' } }),
    ).toEqual([]);
  });

  test('gRPC without a key, where no certificate is asked for', () => {
    expect(doors({ grpc_api: { enabled: true } })).toEqual(['grpc_api.key:']);
    const tls = { enabled: true, cert_pem: 'cert.pem', key_pem: 'key.pem' };
    expect(doors({ grpc_api: { enabled: true, tls } })).toEqual(['grpc_api.key:']);
    for (const closed of [
      { enabled: false },
      { enabled: true, key: 'hush' },
      { enabled: true, address: '127.0.0.1' },
      { enabled: true, tls: { ...tls, client_ca_pem: 'ca.pem' } },
    ]) {
      expect(doors({ grpc_api: closed })).toEqual([]);
    }
  });

  test('strict does not let them be', () => {
    expect(loadErrors({ file: { api_insecure: true }, strict: true })).toEqual([
      'http_api.insecure (set by "api_insecure" in config.json): the server API needs no key, and every interface is not only this machine',
    ]);
  });
});
