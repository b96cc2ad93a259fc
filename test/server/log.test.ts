import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  api,
  freePort,
  gyre,
  inSeconds,
  jwt,
  opcodes,
  rawSocket,
  until,
  wire,
  type Gyre,
} from '../harness/index.ts';

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

const linesOf = (of: Gyre, message: string): Line[] =>
  of
    .logs()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line['message'] === message);

describe('the log of a start says', () => {
  it('what the node is called, where it listens and on which engine', async () => {
    await until(() => linesOf(server, 'serving').length > 0);
    expect(linesOf(server, 'serving')).toMatchObject([
      {
        node: expect.stringMatching(`_${server.port}$`) as string,
        address: '127.0.0.1',
        port: server.port,
        engine: 'memory',
      },
    ]);
    expect(server.logs()).not.toContain('nobody is let in');
  });

  it('what ended development mode, and that nobody is let in without a key', async () => {
    const port = await freePort();
    const args = ['-p', String(port), '-a', '127.0.0.1', '--shutdown.ready_wait', '0s'];
    const bare = await gyre.start({ config: false, port, args });
    const by = ['-p', '-a', '--shutdown.ready_wait'];
    await until(() => linesOf(bare, 'serving').length > 0);
    expect(linesOf(bare, 'configured, so not in development mode')).toMatchObject([{ by }]);
    expect(linesOf(bare, 'nobody is let in: neither http_api.key nor a key for tokens is set')).toMatchObject(
      [{ level: 'warn', by }],
    );
  });
});

it('says of a client without a token why it was refused', async () => {
  const socket = await rawSocket(server);
  socket.send('{"id":1,"connect":{}}');
  await socket.closed;
  await until(() => ends('').some((line) => line['code'] === 3501));
  expect(ends('')).toMatchObject([{ code: 3501, reason: 'bad request', detail: 'no token' }]);
});

it('says of a call without the right key that it was refused, to who wants to know', async () => {
  const answer = await api({ apiUrl: server.apiUrl, apiKey: 'a wrong key' }, 'info').catch(() => undefined);
  expect(answer?.result).toBeUndefined();
  await until(() => linesOf(server, 'server API call refused').length > 0);
  expect(linesOf(server, 'server API call refused')).toMatchObject([{ level: 'debug', status: 401 }]);
  expect(server.logs()).not.toContain('a wrong key');
});

it('a log that nobody reads holds nobody up, and nothing of it is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-log-'));
  const file = join(folder, 'pipe');
  execFileSync('mkfifo', [file]);
  const reader = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
  const slow = await gyre.start({ config: { client: { insecure: true }, log: { level: 'debug', file } } });
  // Far more than a pipe holds.
  for (let i = 0; i < 10; i++) {
    const clients = await Promise.all(Array.from({ length: 60 }, () => wire(slow, 'json')));
    for (const client of clients) client.socket.destroy();
  }
  await until(
    async () =>
      (await api<{ nodes: { num_clients: number }[] }>(slow, 'info')).result?.nodes[0]?.num_clients === 0,
  );
  const pipe = new Socket({ fd: reader, readable: true, writable: false });
  let read = '';
  pipe.setEncoding('utf8').on('data', (text: string) => (read += text));
  onTestFinished(async () => {
    await slow.stop();
    pipe.destroy();
    rmSync(folder, { recursive: true });
  });
  await until(() => read.split('"client left"').length - 1 === 600);
});

/** Has much more written to the log than a pipe holds. */
async function fillLog(talkative: Gyre): Promise<void> {
  const user = 'u'.repeat(20_000);
  const token = jwt({ sub: user, exp: inSeconds(600) }, talkative.tokenSecret);
  const clients = await Promise.all(Array.from({ length: 60 }, () => wire(talkative, 'json', { token })));
  await api(talkative, 'disconnect', { user });
  await Promise.all(clients.map((client) => client.end()));
}

describe('a server whose log nobody reads ends', () => {
  it('on a signal, where the log is a pipe', async () => {
    const unread = await gyre.start({ unread: true });
    await fillLog(unread);
    expect(await unread.stop()).toEqual({ code: 0, signal: null });
  });

  it.each([
    ['on a signal', false, {}],
    ['on a second one, while the first one is not through', true, { ready_wait: '60s', timeout: '90s' }],
  ])('%s, where a write to a file hangs', async (_, again, shutdown) => {
    const folder = mkdtempSync(join(tmpdir(), 'gyre-log-'));
    const file = join(folder, 'pipe');
    execFileSync('mkfifo', [file]);
    const reader = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => {
      closeSync(reader);
      rmSync(folder, { recursive: true });
    });
    const unread = await gyre.start({ config: { log: { file }, shutdown } });
    await fillLog(unread);
    let ended = false;
    const exit = unread.stop().finally(() => (ended = true));
    // One that comes within a second is the first one again.
    await until(() => ended || !again || !process.kill(unread.pid, 'SIGTERM'), { deadline: 15_000 });
    expect(await exit).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
