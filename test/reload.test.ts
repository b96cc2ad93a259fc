import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Centrifuge } from 'centrifuge';
import { expect, test } from 'vitest';
import {
  api,
  connectClient,
  gyre,
  HandshakeRefused,
  rawSocket,
  recordClient,
  until,
  type Gyre,
} from './harness/index.ts';

/** SIGHUP: what a server takes over of a changed configuration while it runs, and what it does not. */

const config = {
  client: { allowed_origins: ['http://old.example'] },
  channel: {
    without_namespace: { allow_subscribe_for_client: true },
    namespaces: [{ name: 'old', allow_subscribe_for_client: true }],
  },
};

/** Where the harness has put the configuration, as the server says when it starts. */
function fileOf(server: Gyre): string {
  const [, file = ''] = /"config":"([^"]+)"/.exec(server.logs()) ?? [];
  return file;
}

/** The text of the file with options changed, by path. */
function changed(server: Gyre, options: Readonly<Record<string, unknown>>): string {
  const file = JSON.parse(readFileSync(fileOf(server), 'utf8')) as Record<string, unknown>;
  for (const [path, value] of Object.entries(options)) {
    const keys = path.split('.');
    const last = keys.pop()!;
    const section = keys.reduce((tree, key) => (tree[key] ??= {}) as Record<string, unknown>, file);
    section[last] = value;
  }
  return JSON.stringify(file);
}

async function reload(server: Gyre, text: string): Promise<string> {
  writeFileSync(fileOf(server), text);
  return hangUp(server);
}

/** Sends the signal, and gives what the log says of it. */
async function hangUp(server: Gyre): Promise<string> {
  const before = server.logs().length;
  const news = () => server.logs().slice(before);
  process.kill(server.pid, 'SIGHUP');
  await until(() => /configuration (not )?reloaded.*\n/.test(news()), { message: () => server.logs() });
  return news();
}

/** The code that a subscribe comes to, 0 where it is let in. */
function subscribe(client: Centrifuge, channel: string): Promise<number> {
  const subscription = client.newSubscription(channel);
  return new Promise((resolve) => {
    subscription.on('subscribed', () => resolve(0));
    subscription.on('unsubscribed', ({ code }) => resolve(code));
    subscription.subscribe();
  });
}

/** The status that a handshake with an Origin header is answered with. */
async function handshake(server: Gyre, origin: string): Promise<number> {
  try {
    await rawSocket(server, { headers: { Origin: origin } });
    return 101;
  } catch (error) {
    if (error instanceof HandshakeRefused) return error.status;
    throw error;
  }
}

test('keys, secrets, namespaces, origins and limits change; who is connected stays', async () => {
  const server = await gyre.start({ config });
  const client = await connectClient(server, { user: 'ann' });
  const seen = recordClient(client);
  const news = client.newSubscription('news');
  const publications: unknown[] = [];
  news.on('publication', ({ data }) => publications.push(data));
  news.subscribe();
  await news.ready();
  expect(await subscribe(client, 'old:x')).toBe(0);
  expect(await subscribe(client, 'new:x')).toBe(102);
  expect(await handshake(server, 'http://new.example')).toBe(403);
  expect((await api(server, 'publish', { channel: 'new:x', data: {} })).error?.code).toBe(102);

  const log = await reload(
    server,
    changed(server, {
      'http_api.key': 'new-key',
      'client.token.hmac_secret_key': 'new-secret',
      'client.allowed_origins': ['http://new.example'],
      'client.channel_limit': 4,
      'channel.namespaces': [{ name: 'new', allow_subscribe_for_client: true }],
    }),
  );
  expect(log).toContain('"configuration reloaded"');
  expect(log).not.toContain('restart');

  expect((await api(server, 'info')).status).toBe(401);
  const now = { ...server, apiKey: 'new-key', tokenSecret: 'new-secret' };
  expect((await api(now, 'info')).status).toBe(200);
  await expect(connectClient(server, { user: 'eve' })).rejects.toThrow('disconnected');
  await connectClient(now, { user: 'bob' });
  expect(await handshake(server, 'http://old.example')).toBe(403);
  expect(await handshake(server, 'http://new.example')).toBe(101);

  // The connection from before goes on, by the new rules.
  expect(await subscribe(client, 'old:y')).toBe(102);
  expect(await subscribe(client, 'new:y')).toBe(0);
  expect(await subscribe(client, 'fourth')).toBe(0);
  expect(await subscribe(client, 'fifth')).toBe(106);
  expect((await api(now, 'publish', { channel: 'new:y', data: {} })).error).toBeUndefined();
  expect((await api(now, 'publish', { channel: 'old:x', data: {} })).error?.code).toBe(102);
  await api(now, 'publish', { channel: 'news', data: 'still here' });
  await until(() => publications.length === 1);
  expect(publications).toEqual(['still here']);
  expect([...seen.connecting, ...seen.disconnected]).toEqual([]);
});

test('a configuration that cannot be used changes nothing', async () => {
  const server = await gyre.start({ config });
  const good = readFileSync(fileOf(server), 'utf8');
  const broken = [
    '{',
    changed(server, { 'http_api.keys': 'near miss' }),
    changed(server, { 'http_api.key': 'new', 'http_api.error_mode': 'other' }),
    // What only shows when it is put to use.
    changed(server, { 'http_api.key': 'new', 'client.token.rsa_public_key': 'no key' }),
  ];
  for (const text of broken) {
    expect(await reload(server, text)).toContain('"configuration not reloaded, the former one stays"');
    expect((await api(server, 'info')).status).toBe(200);
  }
  rmSync(fileOf(server));
  expect(await hangUp(server)).toMatch(/cannot be read.*not reloaded/);
  await connectClient(server, { user: 'ann' });
  expect(await reload(server, good)).toContain('"configuration reloaded"');
});

test('what cannot change is named, and the rest changes', async () => {
  const server = await gyre.start({ config });
  const log = await reload(
    server,
    changed(server, {
      'http_server.port': 1,
      'client.ping_interval': '10s',
      'http_api.handler_prefix': '/other',
      'http_api.key': 'new',
    }),
  );
  for (const path of ['http_server.port', 'client.ping_interval', 'http_api.handler_prefix']) {
    expect(log).toContain(`"${path} has changed: that takes a restart"`);
  }
  expect((await api({ ...server, apiKey: 'new' }, 'info')).status).toBe(200);
});

test('the level of the log changes', async () => {
  const server = await gyre.start({ config });
  const refusals = () => server.logs().split('connection token refused').length - 1;
  await expect(connectClient({ ...server, tokenSecret: 'x' }, { user: 'eve' })).rejects.toThrow(
    'disconnected',
  );
  await until(() => refusals() === 1);
  await reload(server, changed(server, { 'log.level': 'error' }));
  await expect(connectClient({ ...server, tokenSecret: 'x' }, { user: 'eve' })).rejects.toThrow(
    'disconnected',
  );
  // The log is in order: when this is there, what came before it is.
  await reload(server, '{');
  expect(refusals()).toBe(1);
});
