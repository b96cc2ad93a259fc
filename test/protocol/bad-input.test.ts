import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, beforeAll } from 'vitest';
import {
  HandshakeRefused,
  api,
  connectClient,
  gyre,
  opcodes,
  rawSocket,
  record,
  until,
  type Gyre,
  type RawSocket,
} from '../harness/index.ts';

/** Whatever comes from outside: the documented answer, no crash, and nobody else is harmed. */

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    config: {
      client: { insecure: true, allowed_origins: ['https://app.example'] },
      http_api: { max_request_size: 100_000 },
    },
  });
});

async function connected(): Promise<RawSocket> {
  const socket = await rawSocket(server);
  socket.send('{"id":1,"connect":{}}');
  expect(await socket.next()).toContain('"connect"');
  return socket;
}

/** A bystander that has to get every publication, whatever happens beside it. */
async function unharmed(attack: () => Promise<void>): Promise<void> {
  const client = await connectClient(server);
  const subscription = client.newSubscription('bystander');
  const events = record(subscription);
  subscription.subscribe();
  await subscription.ready();
  await attack();
  await api(server, 'publish', { channel: 'bystander', data: 1 });
  await until(() => events.publication.length === 1);
  expect(events.unsubscribed).toEqual([]);
  expect(events.subscribing).toHaveLength(1);
}

describe('a WebSocket client', () => {
  it.each([
    ['an empty message', ''],
    ['text that is not JSON', 'hello'],
    ['a broken command', '{"id":2,"publish":{"channel":"c","data":{]}}'],
    ['a blank line', '{"id":2,"unsubscribe":{"channel":"c"}}\n\n{"id":3,"unsubscribe":{"channel":"c"}}'],
    ['a command without an id', '{"publish":{"channel":"c","data":1}}'],
    ['a command that there is not', '{"id":2,"dance":{}}'],
    ['a ping of its own', '{"id":2,"ping":{}}'],
    ['a pong that nobody asked for', '{}'],
    ['a wrong type', '{"id":2,"subscribe":{"channel":7}}'],
    ['an id that is none', '{"id":-1,"subscribe":{"channel":"c"}}'],
    ['brackets without end', '['.repeat(60_000)],
    ['a second connect', '{"id":2,"connect":{}}'],
    ['an empty channel', '{"id":2,"subscribe":{"channel":""}}'],
    ['an unknown delta', '{"id":2,"subscribe":{"channel":"c","delta":"x"}}'],
  ])('is closed with 3501 for %s', async (_name, message) => {
    const socket = await connected();
    socket.send(message);
    expect(await socket.closed).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('is closed with 3501 for a command before connect, and for silence with nothing', async () => {
    const socket = await rawSocket(server);
    socket.send('{"id":1,"subscribe":{"channel":"c"}}');
    expect(await socket.closed).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('is closed with 3500 for a token that is none, whatever else is allowed', async () => {
    const socket = await rawSocket(server);
    socket.send('{"id":1,"connect":{"token":"x.y.z"}}');
    expect(await socket.closed).toEqual({ code: 3500, reason: 'invalid token' });
  });

  it('is closed with 3508 for an asynchronous message', async () => {
    const socket = await connected();
    socket.send('{"send":{"data":1}}');
    expect(await socket.closed).toEqual({ code: 3508, reason: 'not available' });
  });

  it('is closed with 1009 for a message over the limit, and not for one at it', async () => {
    const socket = await connected();
    const fitting = (size: number) => {
      const frame = '{"id":2,"publish":{"channel":"c","data":""}}';
      return frame.replace('""', `"${'x'.repeat(size - frame.length)}"`);
    };
    socket.send(fitting(65_536));
    expect(await socket.next()).toBe('{"id":2,"publish":{}}');
    socket.send(fitting(65_537));
    expect((await socket.closed).code).toBe(1009);
  });

  it('is cut off for a message that is far over the limit', async () => {
    const socket = await connected();
    socket.send('x'.repeat(1_000_000));
    expect([1006, 1009]).toContain((await socket.closed).code);
  });

  it('is cut off for frames that are none', async () => {
    await unharmed(async () => {
      for (const bad of [
        (socket: RawSocket) => socket.sendFrame(3, 'reserved'),
        (socket: RawSocket) => socket.sendFrame(opcodes.text, Buffer.from([0xff, 0xfe])),
        (socket: RawSocket) => socket.sendFrame(opcodes.continuation, 'no beginning'),
        (socket: RawSocket) => socket.sendFrame(opcodes.ping, 'x'.repeat(200)),
      ]) {
        const socket = await connected();
        bad(socket);
        expect((await socket.closed).code).toBeLessThan(3000);
      }
    });
  });

  it('is answered, not closed, for what it may correct', async () => {
    const socket = await connected();
    socket.send('{"id":2,"subscribe":{"channel":"nowhere:c"}}');
    expect(await socket.next()).toBe('{"id":2,"error":{"code":102,"message":"unknown channel"}}');
    socket.send('{"id":3,"publish":{"channel":"c"}}');
    expect(await socket.next()).toBe('{"id":3,"error":{"code":107,"message":"bad request"}}');
    socket.send(`{"id":4,"subscribe":{"channel":"${'x'.repeat(256)}"}}`);
    expect(await socket.next()).toBe('{"id":4,"error":{"code":107,"message":"bad request"}}');
    socket.send('{"id":5,"rpc":{"method":"m"}}');
    expect(await socket.next()).toBe('{"id":5,"error":{"code":108,"message":"not available"}}');
  });

  it('may send thousands of commands in a frame, or vanish in the middle', async () => {
    await unharmed(async () => {
      const socket = await connected();
      const commands = Array.from(
        { length: 1000 },
        (_, i) => `{"id":${i + 2},"unsubscribe":{"channel":"c"}}`,
      );
      socket.send(commands.join('\n'));
      const answers: string[] = [];
      while (answers.length < 1000) answers.push(...String(await socket.next()).split('\n'));
      expect(JSON.parse(answers[999]!)).toEqual({ id: 1001, unsubscribe: {} });
      for (let i = 0; i < 50; i++) {
        const gone = await rawSocket(server);
        gone.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"bystander"}}');
        gone.destroy();
      }
    });
  });

  it('is refused before the handshake for a foreign origin', async () => {
    await expect(rawSocket(server, { headers: { Origin: 'https://evil.example' } })).rejects.toMatchObject({
      name: HandshakeRefused.name,
      status: 403,
    });
    const welcome = await rawSocket(server, { headers: { Origin: 'https://app.example' } });
    welcome.destroy();
  });

  it('is told apart from a plain request', async () => {
    const address = server.wsUrl.replace('ws', 'http');
    expect((await fetch(address)).status).toBe(400);
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
  });
});

describe('a caller of the server API', () => {
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'X-API-Key': server.apiKey, ...headers },
    });

  it('needs the key, in one of three places', async () => {
    const answers = await Promise.all([
      post('/api/info', '{}', { 'X-API-Key': 'wrong' }),
      fetch(`${server.url}/api/info`, { method: 'POST', body: '{}' }),
      fetch(`${server.url}/api/info?api_key=${server.apiKey}`, { method: 'POST', body: '{}' }),
      fetch(`${server.url}/api/info`, {
        method: 'POST',
        body: '{}',
        headers: { Authorization: `apikey ${server.apiKey}` },
      }),
      post('/api/info', '{}'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 200, 200, 200]);
    expect(await answers[0]?.text()).toBe('');
  });

  it.each([
    ['no body', '', 400],
    ['text that is not JSON', 'hello', 400],
    ['two values', '{}{}', 400],
    ['a list', '[]', 400],
    ['a wrong type', '{"channel":5,"data":{}}', 400],
    ['brackets without end', '['.repeat(90_000), 400],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400],
    ['more than may be', `{"channel":"c","data":"${'x'.repeat(100_000)}"}`, 413],
  ])('gets a status for %s', async (_name, body, status) => {
    await unharmed(async () => {
      expect((await post('/api/publish', body)).status).toBe(status);
    });
  });

  it('gets an error in a 200 for what was understood and refused', async () => {
    expect(await (await post('/api/publish', '{"channel":"","data":1}')).json()).toEqual({
      error: { code: 107, message: 'bad request' },
    });
    expect(await (await post('/api/publish', '{"channel":"nowhere:c","data":1}')).json()).toEqual({
      error: { code: 102, message: 'unknown channel' },
    });
    expect(
      await (await post('/api', '{"method":"publish","params":{"channel":"nowhere:c","data":1}}')).json(),
    ).toEqual({ error: { code: 102, message: 'namespace not found' } });
    expect((await post('/api/dance', '{}')).status).toBe(404);
    expect((await fetch(`${server.url}/api/info`)).status).toBe(405);
  });

  it('is answered 413 for a body that never ends, whatever it declares', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(`${server.url}/api/publish`, {
        method: 'POST',
        headers: { 'X-API-Key': server.apiKey },
      });
      call.on('response', (response) => {
        resolve(response.statusCode);
        call.destroy();
      });
      call.on('error', reject);
      const more = () => !call.destroyed && call.write('x'.repeat(60_000), () => more());
      more();
    });
    expect(status).toBe(413);
  });

  it('may go away at any moment', async () => {
    await unharmed(async () => {
      const head = `POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: ${server.apiKey}\r\nContent-Length: 40\r\n\r\n`;
      const body = '{"channel":"gone","data":"0123456789ab"}';
      for (let length = 0; length <= head.length + body.length; length += 7) {
        const socket = connect(server.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write((head + body).slice(0, length), () => socket.destroy());
        await new Promise((resolve) => socket.once('close', resolve));
      }
    });
  });

  it('gets pipelined answers in order, none where one command cannot be read', async () => {
    const command = (n: number) => `{"id":${n},"method":"publish","params":{"channel":"p","data":${n}}}`;
    const answer = await (await post('/api', [1, 2, 3].map(command).join('\n'))).text();
    expect(answer).toBe('{"id":1,"result":{}}\n{"id":2,"result":{}}\n{"id":3,"result":{}}');
    await unharmed(async () => {
      const client = await connectClient(server);
      const subscription = client.newSubscription('p');
      const events = record(subscription);
      subscription.subscribe();
      await subscription.ready();
      expect((await post('/api', `${command(1)}\n{"method":`)).status).toBe(400);
      await api(server, 'publish', { channel: 'p', data: 'end' });
      await until(() => events.publication.length > 0);
      expect(events.publication.map(({ data }) => data as unknown)).toEqual(['end']);
    });
  });
});
