import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { freePort, grpcStub, gyre } from '../harness/index.ts';

const path = (name: string): string =>
  fileURLToPath(new URL(`../../packages/server/src/testdata/tls/${name}.pem`, import.meta.url));
const pem = (name: string): Buffer => readFileSync(path(name));
const base64 = (name: string): string => pem(name).toString('base64');

describe('TLS', () => {
  it('of HTTP and gRPC, from files and from base64', async () => {
    const grpcPort = await freePort();
    const server = await gyre.start({
      config: {
        http_server: { tls: { enabled: true, cert_pem: path('server'), key_pem: base64('server-key') } },
        grpc_api: {
          enabled: true,
          address: '127.0.0.1',
          port: grpcPort,
          tls: {
            enabled: true,
            cert_pem: base64('server'),
            key_pem: path('server-key'),
            client_ca_pem: path('ca'),
          },
        },
      },
    });
    const status = await new Promise((resolve, reject) => {
      get(`${server.url}/health`, { ca: pem('ca') }, (response) => resolve(response.statusCode)).on(
        'error',
        reject,
      );
    });
    expect(status).toBe(200);

    const certificate = { ca: pem('ca'), cert: pem('client'), key: pem('client-key') };
    const known = grpcStub(grpcPort, {}, certificate);
    expect(await known.call('Channels', {})).toEqual({ result: {} });
    await expect(grpcStub(grpcPort, {}, { ca: pem('ca') }).call('Info', {})).rejects.toMatchObject({
      code: 14,
    });
    await expect(grpcStub(grpcPort).call('Info', {})).rejects.toMatchObject({ code: 14 });
  });

  it.each([
    [
      'http_server.tls',
      (tls: object) => ({ http_server: { tls }, grpc_api: { enabled: true, address: '127.0.0.1', port: 0 } }),
    ],
    [
      'http_server.internal_tls',
      (tls: object) => ({ http_server: { internal_port: '1', internal_tls: tls } }),
    ],
    ['grpc_api.tls', (tls: object) => ({ grpc_api: { enabled: true, tls } })],
  ])('the start ends with the name of what cannot be used: %s', async (option, config) => {
    const tls = { enabled: true, cert_pem: path('server'), key_pem: '/nowhere/key.pem' };
    await expect(gyre.start({ config: config(tls) })).rejects.toThrow(
      `gyre: ${option}.key_pem: neither PEM, nor base64 of it, nor a file that can be read`,
    );
  });
});
