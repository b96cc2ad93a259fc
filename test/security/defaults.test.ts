import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort, gyre, jwt, rawSocket, teardown, until, within, type Gyre } from '../harness/index.ts';

/** [S20] What nobody has allowed is not allowed, and what stands open is said by name. */

const methods =
  'publish broadcast subscribe unsubscribe disconnect refresh presence presence_stats history history_remove rpc ' +
  'channels info batch';

const commands = [
  { subscribe: { channel: 'news' } },
  { subscribe: { channel: '$private' } },
  { subscribe: { channel: 'dialog#42' } },
  { subscribe: { channel: '#42' } },
  { subscribe: { channel: 'news', recoverable: true, positioned: true, join_leave: true } },
  { publish: { channel: 'news', data: {} } },
  { presence: { channel: 'news' } },
  { presence_stats: { channel: 'news' } },
  { history: { channel: 'news', limit: 1 } },
  { rpc: { method: 'ping', data: {} } },
];

function configFile(config: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-'));
  teardown(async () => rmSync(folder, { recursive: true }));
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Starts with this file and nothing else, the address aside: tests have no business on the network. */
async function startWith(config: object, address = '127.0.0.1'): Promise<Gyre> {
  const port = await freePort();
  const where = ['--http_server.address', address, '--http_server.port', String(port)];
  return gyre.start({ config: false, port, args: ['--config', configFile(config), ...where] });
}

describe('with an empty configuration', () => {
  let server: Gyre;
  beforeAll(async () => {
    server = await startWith({});
  });

  it.each(['', 'guess'])('the API lets nobody in, with the key %j', async (key) => {
    for (const path of [...methods.split(' ').map((name) => `/${name}`), '']) {
      for (const headers of [{ 'X-API-Key': key }, { Authorization: `apikey ${key}` }]) {
        const response = await fetch(`${server.apiUrl}${path}`, { method: 'POST', headers, body: '{}' });
        expect(response.status, path).toBe(401);
      }
    }
    expect((await fetch(`${server.apiUrl}/info?api_key=${key}`, { method: 'POST' })).status).toBe(401);
  });

  it.each([
    ['no token', '', 3501],
    ['a token that is signed with nothing', jwt({ sub: '42' }, ''), 3500],
    ['an unsigned token', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`, 3500],
  ])('a client with %s is not let in', async (_, token, code) => {
    const socket = await rawSocket(server);
    socket.send(JSON.stringify({ id: 1, connect: token === '' ? {} : { token } }));
    expect(await within(socket.closed, 10_000, 'close')).toMatchObject({ code });
  });

  it('nothing can be done before a connect', async () => {
    for (const command of commands) {
      const socket = await rawSocket(server);
      socket.send(JSON.stringify({ id: 1, ...command }));
      expect(await within(socket.closed, 10_000, 'close'), JSON.stringify(command)).toMatchObject({
        code: 3501,
      });
    }
  });

  it('pages of any origin are refused', async () => {
    const headers = { Origin: 'http://127.0.0.1' };
    await expect(rawSocket(server, { headers })).rejects.toMatchObject({ status: 403 });
  });

  it('metrics, admin and the like are not there', async () => {
    for (const path of ['/metrics', '/', '/admin', '/debug/pprof/', '/swagger']) {
      expect((await fetch(`${server.url}${path}`)).status, path).toBe(404);
    }
  });
});

describe('with a token secret and nothing else', () => {
  it.each(['42', ''])('user %j may connect, and do nothing at all', async (sub) => {
    const server = await startWith({ client: { token: { hmac_secret_key: 'secret' } } });
    const socket = await rawSocket(server);
    socket.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub }, 'secret') } }));
    const connected = JSON.parse(String(await socket.next())) as { connect: object };
    expect(Object.keys(connected.connect)).toEqual(['client', 'version', 'ping', 'pong']);
    const codes: unknown[] = [];
    for (const [i, command] of commands.entries()) {
      socket.send(JSON.stringify({ id: i + 2, ...command }));
      const reply = JSON.parse(String(await socket.next())) as { id: number; error?: { code: number } };
      expect(reply.id).toBe(i + 2);
      codes.push([Object.keys(command)[0], reply.error?.code]);
    }
    expect(codes).toEqual([
      ...Array.from({ length: 5 }, () => ['subscribe', 103]),
      ['publish', 103],
      ['presence', 108],
      ['presence_stats', 108],
      ['history', 108],
      ['rpc', 108],
    ]);
  });
});

describe('doors that stand open', () => {
  const doors = { client: { insecure: true }, http_api: { insecure: true } };

  it('end a strict check, one by one and by name', async () => {
    const file = configFile({
      ...doors,
      client: { insecure: true, insecure_skip_token_signature_verify: true },
    });
    const relaxed = await gyre.run(['checkconfig', '--config', file]);
    const strict = await gyre.run(['checkconfig', '--strict', '--config', file]);
    expect([relaxed.code, strict.code]).toEqual([0, 1]);
    for (const name of [
      'client.insecure',
      'client.insecure_skip_token_signature_verify',
      'http_api.insecure',
    ]) {
      expect(relaxed.output).toContain(`warning: ${name} (set by `);
      expect(strict.output).toContain(`gyre: ${name} (set by `);
    }
  });

  it('are no matter on an address that only this machine reaches', async () => {
    const file = configFile({ ...doors, http_server: { address: '127.0.0.1' } });
    expect((await gyre.run(['checkconfig', '--strict', '--config', file])).code).toBe(0);
  });

  it('are warned of at the start', async () => {
    // Another name of 127.0.0.1, and not one that is known to be: nobody else can reach the server of this test.
    const server = await startWith(doors, '127.1');
    await until(() => server.logs().includes('"serving"'));
    const warnings = server
      .logs()
      .split('\n')
      .filter((line) => line.includes('"level":"warn"'));
    expect(warnings).toEqual([
      expect.stringContaining('client.insecure (set by') as string,
      expect.stringContaining('http_api.insecure (set by') as string,
    ]);
  });
});
