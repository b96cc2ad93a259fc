import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { freePort, gyre, rawSocket, teardown, within, type Gyre } from '../harness/index.ts';

/** [S04] Keys by JWKS as clients see them: the reply to a connect, or the code of the close. */

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'mine', use: 'sig' }];

function token(kid: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'EdDSA', kid })}.${part({ sub: '42' })}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
}

function startWith(port: number): Promise<Gyre> {
  return gyre.start({
    config: { client: { token: { jwks_public_endpoint: `http://127.0.0.1:${port}/keys` } } },
  });
}

async function connect(server: Gyre, kid: string): Promise<unknown> {
  const socket = await rawSocket(server);
  socket.send(JSON.stringify({ id: 1, connect: { token: token(kid) } }));
  const end = Promise.race([
    socket.next().then((frame) => JSON.parse(String(frame)) as object),
    socket.closed.then(({ code }) => code),
  ]);
  return within(end, 10_000, 'an answer');
}

it('a key of the set lets in, another one does not', async () => {
  const port = await freePort();
  const endpoint = createServer((_, response) => response.end(JSON.stringify({ keys })));
  await new Promise<void>((resolve) => endpoint.listen(port, '127.0.0.1', resolve));
  teardown(async () => void endpoint.close());
  const server = await startWith(port);
  expect(await connect(server, 'mine')).toMatchObject({ id: 1, connect: { ping: 25 } });
  expect(await connect(server, 'other')).toBe(3500);
});

it('an endpoint that is down is no fault of the token: the client may come back', async () => {
  const server = await startWith(await freePort());
  expect(await connect(server, 'mine')).toMatchObject({ id: 1, error: { code: 100, temporary: true } });
  expect(server.logs()).toContain('token keys cannot be fetched');
});
