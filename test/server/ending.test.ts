import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  api,
  connectClient,
  gyre,
  HandshakeRefused,
  rawSocket,
  recordClient,
  teardown,
  until,
  type Gyre,
} from '../harness/index.ts';

/** The end of a node, step by step: what is told to whom, and what is still answered. */

const insecure = { client: { insecure: true }, prometheus: { enabled: true } };

const status = async (url: string): Promise<number> => (await fetch(url)).status;

/** 101, or the status that refused a handshake and the seconds after which to come again. */
async function handshake(server: Gyre): Promise<[status: number, retryAfter?: string]> {
  try {
    (await rawSocket(server)).destroy();
    return [101];
  } catch (error) {
    if (!(error instanceof HandshakeRefused)) throw error;
    return [error.status, /^retry-after: (.*?)\r$/im.exec(error.message)?.[1] ?? ''];
  }
}

async function connected(server: Gyre) {
  const socket = await rawSocket(server);
  socket.send('{"id":1,"connect":{}}');
  await socket.next();
  return socket;
}

describe('while load balancers look elsewhere', () => {
  it('only /ready says so, and everything else goes on', async () => {
    const server = await gyre.start({ config: { ...insecure, shutdown: { ready_wait: '4s' } } });
    const client = recordClient(await connectClient(server));
    const exit = server.stop();
    await until(async () => (await status(`${server.url}/ready`)) === 503);
    expect(await (await fetch(`${server.url}/ready`)).json()).toEqual({
      ready: false,
      reason: 'this node is ending',
    });
    expect(server.logs()).toContain('"next":"waits 4s for load balancers, closes 1 client"');
    expect(await handshake(server)).toEqual([101]);
    expect(await status(`${server.url}/health`)).toBe(200);
    expect((await api(server, 'info')).result).toMatchObject({ nodes: [{ num_clients: 1 }] });
    expect(client.connecting).toEqual([]);
    await until(() => client.connecting.length > 0);
    expect(client.connecting[0]).toMatchObject({ code: 3001, reason: 'shutdown' });
    expect((await exit).code).toBe(0);
  });
});

describe('while clients are closed', () => {
  it('handshakes are refused, all else is answered, and the order has nothing to do with age', async () => {
    const server = await gyre.start({
      config: { ...insecure, shutdown: { ready_wait: '0s', drain_time: '5s' } },
    });
    const sockets = await Promise.all(Array.from({ length: 30 }, () => connected(server)));
    const order: number[] = [];
    const codes = sockets.map(async ({ closed }, i) => {
      const { code } = await closed;
      order.push(i);
      return code;
    });
    const begun = performance.now();
    const exit = server.stop();
    await until(() => order.length > 0);

    expect(await handshake(server)).toEqual([503, '1']);
    expect([await status(`${server.url}/health`), await status(`${server.url}/ready`)]).toEqual([200, 503]);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('gyre_node_num_clients ');
    const call = await fetch(`${server.apiUrl}/publish`, {
      method: 'POST',
      headers: { 'X-API-Key': server.apiKey },
      body: '{"channel":"c","data":1}',
    });
    expect([call.status, call.headers.get('connection')]).toEqual([200, 'close']);
    expect(order.length).toBeLessThan(sockets.length);

    expect(new Set(await Promise.all(codes))).toEqual(new Set([3001]));
    // Never sooner: that is what spares the others.
    expect(performance.now() - begun).toBeGreaterThan(4700);
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    expect((await exit).code).toBe(0);
  });
});

describe('[F06] within its time', () => {
  it('a client that never reads is left, a call of 10 MB under way is answered', async () => {
    const server = await gyre.start({
      config: {
        ...insecure,
        client: { insecure: true, queue_max_size: 64 * 1024 * 1024 },
        shutdown: { timeout: '10s' },
      },
    });
    const deaf = await connected(server);
    deaf.send('{"id":2,"subscribe":{"channel":"c"}}');
    await deaf.next();
    deaf.pause();
    // More than the kernel keeps for who does not read.
    const large = JSON.stringify({ channel: 'c', data: 'x'.repeat(10_000_000) });
    expect((await api(server, 'publish', large)).status).toBe(200);

    const call = await post(server, large.length);
    await call.write(large.slice(0, 5_000_000));
    const exit = server.stop();
    await until(() => server.logs().includes('stopping'));
    call.send(large.slice(5_000_000));
    await until(() => call.answer().includes('\r\n\r\n'), { message: 'the answer' });
    expect(call.answer()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect((await exit).code).toBe(0);
    expect(server.logs()).not.toContain('left undone');
  });

  it('a client that is behind gets what waits for it, and then the code', async () => {
    const server = await gyre.start({
      config: { client: { insecure: true, queue_max_size: 64 * 1024 * 1024 }, shutdown: { timeout: '20s' } },
    });
    const slow = await connected(server);
    slow.send('{"id":2,"subscribe":{"channel":"c"}}');
    await slow.next();
    slow.pause();
    const data = 'x'.repeat(10_000_000);
    await api(server, 'publish', { channel: 'c', data });
    const exit = server.stop();
    await until(() => server.logs().includes('client disconnected'));
    slow.resume();
    expect((await slow.next()).length).toBeGreaterThan(data.length);
    expect(await slow.closed).toMatchObject({ code: 3001 });
    expect((await exit).code).toBe(0);
  });

  it('a large answer arrives completely, however slowly it is read', async () => {
    const server = await gyre.start({
      config: {
        ...insecure,
        channel: { without_namespace: { history_size: 10, history_ttl: '60s' } },
        shutdown: { timeout: '20s' },
      },
    });
    const data = 'x'.repeat(5_000_000);
    for (let i = 0; i < 4; i++) await api(server, 'publish', { channel: 'c', data });
    const body = JSON.stringify({ channel: 'c', limit: -1 });
    const call = await post(server, body.length, 'history');
    call.pause();
    await call.write(body);
    const exit = server.stop();
    await until(() => server.logs().includes('stopping'));
    call.resume();
    await until(() => call.ended());
    expect(call.answer().length).toBeGreaterThan(4 * data.length);
    expect((await exit).code).toBe(0);
  });

  it('a call that never becomes complete is given up, and the log says so', async () => {
    const server = await gyre.start({ config: { ...insecure, shutdown: { timeout: '6s' } } });
    const call = await post(server, 1000);
    await call.write('{"channel":');
    expect((await server.stop()).code).toBe(0);
    expect(call.answer()).toBe('');
    expect(server.logs()).toMatch(/API calls.*left undone/);
  });
});

/** A call of the server API whose body is sent by hand, on a connection that the server has taken. */
async function post(server: Gyre, length: number, method = 'publish') {
  const socket = connect(server.port, '127.0.0.1');
  teardown(async () => void socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  const head = (name: string, size: number): string =>
    `POST /api/${name} HTTP/1.1\r\nHost: gyre\r\nX-API-Key: ${server.apiKey}\r\nContent-Length: ${size}\r\n\r\n`;
  socket.write(`${head('info', 2)}{}`);
  await until(() => chunks.length > 0);
  chunks.length = 0;
  socket.write(head(method, length));
  return {
    /** Resolves when the server has read the head at least: its loop has answered somebody who came later. */
    async write(text: string): Promise<void> {
      socket.write(text);
      await until(async () => (await status(`${server.url}/health`)) === 200);
    },
    send: (text: string) => void socket.write(text),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    answer: () => Buffer.concat(chunks).toString('latin1'),
    ended: () => socket.readableEnded || socket.destroyed,
  };
}
