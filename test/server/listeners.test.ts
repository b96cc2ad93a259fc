import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { api, connectClient, freePort, gyre, rawSocket, teardown, until } from '../harness/index.ts';

describe('one listener', () => {
  it('serves everything', async () => {
    const server = await gyre.start({
      config: { client: { insecure: true }, prometheus: { enabled: true } },
    });
    await connectClient(server);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('\ngyre_node_num_clients 1\n');
    for (const path of ['/health', '/ready']) {
      const response = await fetch(server.url + path);
      expect([response.status, await response.text()]).toEqual([200, '{}']);
    }
    expect((await api(server, 'info')).result).toMatchObject({ nodes: [{ num_clients: 1 }] });
  });

  it('is the only one on its port: a second server says so and ends', async () => {
    const server = await gyre.start();
    const { code, output } = await gyre.run([
      '--http_server.address',
      '127.0.0.1',
      '--http_server.port',
      String(server.port),
    ]);
    expect(code).toBe(1);
    expect(output).toContain(`cannot listen on 127.0.0.1:${server.port}`);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });
});

describe('an internal listener', () => {
  it('keeps API, metrics and health from the outside', async () => {
    const port = await freePort();
    const server = await gyre.start({
      config: {
        client: { insecure: true },
        http_server: { internal_port: String(port) },
        prometheus: { enabled: true },
      },
    });
    for (const path of ['/api/info', '/metrics', '/health', '/ready']) {
      const [outside, inside] = await Promise.all(
        [server.url, `http://127.0.0.1:${port}`].map((url) =>
          fetch(url + path, {
            method: path.startsWith('/api') ? 'POST' : 'GET',
            headers: { 'X-API-Key': server.apiKey },
            ...(path.startsWith('/api') ? { body: '{}' } : {}),
          }),
        ),
      );
      expect([path, outside?.status, inside?.status]).toEqual([path, 404, 200]);
    }
    await connectClient(server);
    await expect(rawSocket({ wsUrl: `ws://127.0.0.1:${port}/connection/websocket` })).rejects.toThrow('404');
  });
});

describe('TLS', () => {
  const pem = { cert: '', key: '' };
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'gyre-cert-'));
    teardown(async () => rmSync(folder, { recursive: true }));
    const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name)) as [string, string];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    pem.cert = readFileSync(cert, 'utf8');
    pem.key = readFileSync(key, 'utf8');
  });

  it('carries clients and API', async () => {
    const server = await gyre.start({
      config: {
        client: { insecure: true },
        http_server: { tls: { enabled: true, cert_pem: pem.cert, key_pem: pem.key } },
      },
    });
    const socket = await rawSocket(server);
    socket.send('{"id":1,"connect":{}}');
    expect(await socket.next()).toContain('"connect"');
    const status = await new Promise((resolve, reject) => {
      get(`${server.url}/health`, { rejectUnauthorized: false }, (response) =>
        resolve(response.statusCode),
      ).on('error', reject);
    });
    expect(status).toBe(200);
    await expect(fetch(server.url.replace('https', 'http'))).rejects.toThrow('fetch failed');
  });
});

describe('the end', () => {
  it('tells every client, leaves nobody in presence, and exits cleanly', async () => {
    const server = await gyre.start({
      config: { client: { insecure: true }, shutdown: { drain_time: '500ms' } },
    });
    const sockets = await Promise.all(Array.from({ length: 10 }, () => rawSocket(server)));
    for (const socket of sockets) {
      socket.send('{"id":1,"connect":{}}');
      await socket.next();
    }
    const exit = server.stop();
    expect(new Set((await Promise.all(sockets.map(({ closed }) => closed))).map(({ code }) => code))).toEqual(
      new Set([3001]),
    );
    expect((await exit).code).toBe(0);
    // The port is free again.
    const again = await gyre.start({ port: server.port });
    await until(async () => (await fetch(`${again.url}/health`)).ok);
  });
});
