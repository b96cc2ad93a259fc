import { beforeAll, describe, expect, it } from 'vitest';
import { api, gyre, inSeconds, jwt, opcodes, until, wire, type Gyre } from '../harness/index.ts';

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({ config: { log: { level: 'debug' } } });
});

type Line = Readonly<Record<string, unknown>>;

/** The lines about connections that have ended, of one user. */
function ends(user: string): Line[] {
  return server
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line['user'] === user && /^client (left|disconnected)$/.test(String(line['message'])));
}

const tokens: string[] = [];

async function connect(user: string) {
  const token = jwt({ sub: user, exp: inSeconds(600) }, server.tokenSecret);
  tokens.push(token);
  return wire(server, 'json', { token });
}

describe('the log has one line for each connection that ends', () => {
  it('with code and reason, where the server ends it', async () => {
    const client = await connect('ann');
    await api(server, 'disconnect', { user: 'ann', disconnect: { code: 4321, reason: 'enough' } });
    await client.end();
    await until(() => ends('ann').length > 0);
    expect(ends('ann')).toEqual([
      {
        level: 'info',
        time: expect.any(String) as string,
        message: 'client disconnected',
        client: client.connected.client,
        user: 'ann',
        code: 4321,
        reason: 'enough',
        transport: 'websocket',
        seconds: expect.any(Number) as number,
        buffered: expect.any(Number) as number,
      },
    ]);
  });

  it('with what the client said, where it goes', async () => {
    const client = await connect('bob');
    const code = Buffer.from([4001 >> 8, 4001 & 255]);
    client.socket.sendFrame(opcodes.close, Buffer.concat([code, Buffer.from('lunch "time"\n')]));
    await until(() => ends('bob').length > 0);
    expect(ends('bob')).toEqual([
      {
        level: 'debug',
        time: expect.any(String) as string,
        message: 'client left',
        client: client.connected.client,
        user: 'bob',
        code: 4001,
        reason: 'lunch "time"\n',
        transport: 'websocket',
        seconds: expect.any(Number) as number,
      },
    ]);
  });

  it('with 1006 where it vanishes', async () => {
    const client = await connect('cat');
    client.socket.destroy();
    await until(() => ends('cat').length > 0);
    expect(ends('cat')).toMatchObject([{ message: 'client left', code: 1006 }]);
  });

  it('also where very many end at once', async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => connect('many')));
    await api(server, 'disconnect', { user: 'many' });
    await Promise.all(clients.map((client) => client.end()));
    await until(() => ends('many').length >= clients.length);
    const told = ends('many').map((line) => line['client']);
    expect(told).toHaveLength(clients.length);
    expect(new Set(told)).toEqual(new Set(clients.map(({ connected }) => connected.client)));
  });

  it('and never a token', () => {
    expect(tokens.length).toBeGreaterThan(300);
    const secrets = [server.tokenSecret, server.apiKey, ...tokens.map((token) => token.split('.')[2] ?? '')];
    expect(secrets.filter((secret) => server.logs().includes(secret))).toEqual([]);
  });
});
