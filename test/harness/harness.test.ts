import { expect, test } from 'vitest';
import {
  api,
  connectClient,
  freePort,
  gyre,
  HandshakeRefused,
  inSeconds,
  jwt,
  newClient,
  rawSocket,
  record,
  recordClient,
  until,
  within,
} from './index.ts';

test('a server starts, answers, and frees its port when it is stopped', async () => {
  const server = await gyre.start();
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect(await server.stop()).toEqual({ code: 0, signal: null });

  const again = await gyre.start({ port: server.port });
  expect((await fetch(`${again.url}/health`)).status).toBe(200);
  expect(await again.stop('SIGINT')).toEqual({ code: 0, signal: null });
});

test('a server that ends instead of serving is told at once, with its log', async () => {
  const config = { client: { token: { hmac_secret_keys: 'near miss' } } };
  await expect(gyre.start({ config })).rejects.toThrow(/ended instead of serving:\n.*hmac_secret_key/s);
});

test('a taken port is told by the harness, and by the server', async () => {
  const { port } = await gyre.start();
  await expect(gyre.start({ port })).rejects.toThrow(`port ${port} is taken`);
  const { code, output } = await gyre.run([
    '--http_server.address',
    '127.0.0.1',
    '--http_server.port',
    String(port),
  ]);
  expect(code).toBe(1);
  expect(output).toContain(String(port));
});

test('configuration, environment and arguments reach the server', async () => {
  const key = async (apiKey: string, options: Parameters<typeof gyre.start>[0]): Promise<number> =>
    (await api({ ...(await gyre.start(options)), apiKey }, 'info')).status;
  expect(await key('from-file', { config: { http_api: { key: 'from-file' } } })).toBe(200);
  expect(await key('from-env', { env: { GYRE_HTTP_API_KEY: 'from-env' } })).toBe(200);
  expect(await key('from-args', { args: ['--http_api.key', 'from-args'] })).toBe(200);
  expect(await key('from-nowhere', {})).toBe(401);
});

test('internal listener: the API is where the configuration puts it', async () => {
  const internal = await freePort();
  const server = await gyre.start({ config: { http_server: { internal_port: String(internal) } } });
  expect(server.apiUrl).toBe(`http://127.0.0.1:${internal}/api`);
  expect((await api(server, 'info')).status).toBe(200);
  expect((await fetch(`${server.url}/api/info`, { method: 'POST' })).status).toBe(404);
});

test('an official client connects by token, and what it sees is recorded', async () => {
  const server = await gyre.start({
    config: { channel: { without_namespace: { allow_subscribe_for_client: true } } },
  });
  const client = newClient(server, { user: 'ann', claims: { exp: inSeconds(60) } });
  const seen = recordClient(client);
  client.connect();
  const subscription = client.newSubscription('news');
  const events = record(subscription);
  subscription.subscribe();
  await until(() => events.subscribed.length === 1);

  expect((await api(server, 'publish', { channel: 'news', data: { n: 1 } })).error).toBeUndefined();
  await until(() => events.publication.length === 1);
  expect(events.publication[0]).toMatchObject({ channel: 'news', data: { n: 1 } });

  await api(server, 'disconnect', { user: 'ann' });
  await until(() => seen.disconnected.length === 1);
  expect(seen.disconnected[0]?.code).toBe(3503);
});

test('a client with a token of another secret is refused', async () => {
  const server = await gyre.start();
  await expect(connectClient({ ...server, tokenSecret: 'another' }, { user: 'ann' })).rejects.toMatchObject({
    message: 'disconnected',
  });
});

test('a raw socket sends what no client would, and is told why it was closed', async () => {
  const server = await gyre.start();
  const polite = await rawSocket(server);
  polite.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub: 'ann' }, server.tokenSecret) } }));
  expect(JSON.parse(String(await polite.next()))).toMatchObject({ id: 1, connect: { ping: 25 } });

  const rude = await rawSocket(server);
  rude.send('not a command');
  expect(await within(rude.closed, 10_000, 'close')).toEqual({ code: 3501, reason: 'bad request' });

  const broken = await rawSocket(server);
  broken.sendFrame(7, 'no such opcode');
  expect(await within(broken.closed, 10_000, 'close')).toMatchObject({ code: 1006 });

  await expect(rawSocket(server, { headers: { Origin: 'http://elsewhere' } })).rejects.toThrow(
    HandshakeRefused,
  );
  await expect(rawSocket(server, { path: '/nowhere' })).rejects.toMatchObject({ status: 404 });
});

test('a condition that does not come true is said by name', async () => {
  await expect(until(() => false, { deadline: 20, message: 'pigs fly' })).rejects.toThrow(
    'not within 20 ms: pigs fly',
  );
  await expect(within(new Promise(() => {}), 20, 'the end')).rejects.toThrow('not within 20 ms: the end');
});
