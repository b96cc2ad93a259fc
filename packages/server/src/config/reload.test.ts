import { beforeEach, expect, test } from 'vitest';
import { reloadConfig } from './reload.ts';
import { scopeOf } from './table.ts';
import { schema, type Config } from './schema.ts';
import { load } from './testing.ts';

let started: Config;
beforeEach(() => {
  started = load({ file: { client: { ping_interval: '20s' }, http_server: { port: 1 } } }).config;
});

test('what may change is taken over, all else stays and is named', () => {
  const next = load({
    file: {
      client: { ping_interval: '30s', insecure: true, token: { hmac_secret_key: 'new' }, channel_limit: 1 },
      http_server: { port: 2, address: '127.0.0.1' },
      http_api: { key: 'new', handler_prefix: '/new' },
      channel: { namespaces: [{ name: 'chat', presence: true }] },
      log: { level: 'debug', file: 'x' },
    },
  }).config;
  const { config, kept } = reloadConfig(started, next);
  expect(kept).toEqual([
    'http_server.address',
    'http_server.port',
    'log.file',
    'client.ping_interval',
    'http_api.handler_prefix',
  ]);
  expect(config).toEqual({
    ...started,
    client: { ...next.client, ping_interval: 20_000 },
    http_api: { ...started.http_api, key: 'new' },
    channel: next.channel,
    log: { level: 'debug', file: '' },
  });
  expect(Object.isFrozen(config.channel.namespaces[0])).toBe(true);
});

test('the same again changes nothing', () => {
  expect(reloadConfig(started, started)).toEqual({ config: started, kept: [] });
});

test('what listens, where, and on which engine is never taken over', () => {
  const fixed = /^(http_server|engine|broker|presence_manager|controller|websocket)\./;
  const paths = [...scopeOf(schema).rows.keys()].filter((path) => fixed.test(path));
  expect(paths.flatMap((path) => reloadConfig(started, flip(path)).kept)).toEqual(paths);
});

/** A copy in which one option is another. */
function flip(path: string): Config {
  const copy = structuredClone(started) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const inner = keys.reduce((tree, key) => tree[key] as Record<string, unknown>, copy);
  inner[last] = [inner[last]];
  return copy as Config;
}
