import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { useStage } from './stage.testing.ts';
import { startProxy, until } from './testing.ts';
import type { Proxy } from './testing.ts';

/** Answers each line with itself, and remembers all of them. */
const echo = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  socket.on('data', (data) => {
    got += data.toString();
    socket.write(data);
  });
});
const sockets = new Set<Socket>();
let got = '';
let port: number;
let proxy: Proxy;

beforeAll(async () => {
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  port = (echo.address() as AddressInfo).port;
});
afterAll(() => echo.close());
const stage = useStage();
beforeEach(async () => {
  got = '';
  proxy = stage.keep(await startProxy(port));
});

/** A connection, and what was heard on it. */
class Line {
  heard = '';
  ended = false;
  readonly socket: Socket;

  constructor(to = proxy.port) {
    this.socket = stage.keep(Object.assign(connect(to, '127.0.0.1'), { close: () => this.socket.destroy() }));
    this.socket.on('data', (data) => (this.heard += data.toString()));
    this.socket.on('error', () => {}).on('close', () => (this.ended = true));
  }

  async says(text: string): Promise<void> {
    const expected = this.heard + text;
    this.socket.write(text);
    const signal = AbortSignal.timeout(20_000);
    while (this.heard !== expected) await once(this.socket, 'data', { signal });
  }
}

/** Long enough for whatever passes at all: twenty times to the server and back. */
async function meanwhile(): Promise<void> {
  const direct = new Line(port);
  for (let i = 0; i < 20; i++) await direct.says('.');
  direct.socket.destroy();
}

it('passes on what is said, and the end', async () => {
  const line = new Line();
  await line.says('a');
  await line.says('b');
  for (const socket of sockets) socket.end('end');
  await until(() => line.ended);
  expect(line.heard).toBe('abend');
});

it('swallows answers of what was carried out, and the connection breaks', async () => {
  const line = new Line();
  await line.says('a');
  const chances = [0.9, 0.29, 0.5];
  proxy.swallow(0.3, () => chances.shift() ?? 1);
  await line.says('b');
  line.socket.write('12345678');
  await until(() => line.ended);
  expect(got).toBe('ab12345678');
  expect(line.heard).toBe('ab1234');
  await new Line().says('c');
  proxy.swallow(1, Math.random);
  const subscriber = new Line();
  await subscriber.says('*2\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n');
  proxy.swallow(0, Math.random);
  await new Line().says('d');
});

it('delays both directions and keeps the order', async () => {
  const line = new Line();
  await line.says('a');
  proxy.delay(30);
  const started = performance.now();
  await line.says('b');
  // A timer may be a millisecond early.
  expect(performance.now() - started).toBeGreaterThan(57);
  const delays = [20, 0, 10, 5, 0];
  proxy.delay(() => delays.shift() ?? 0);
  let said = '';
  for (let i = 0; i < 10; i++) {
    line.socket.write(`${i}`);
    said += i;
    await meanwhile();
  }
  await until(() => line.heard === `ab${said}`);
});

it('holds everything back, and lets it go', async () => {
  const line = new Line();
  const other = new Line();
  await Promise.all([line.says('a'), other.says('b')]);
  got = '';
  proxy.hold();
  line.socket.write('c');
  const late = new Line();
  late.socket.write('d');
  other.socket.destroy();
  for (const socket of sockets) socket.write('x');
  await meanwhile();
  await until(() => sockets.size === 3);
  expect(got).toBe('.'.repeat(20));
  expect(line.heard + late.heard).toBe('a');
  proxy.release();
  await until(() => line.heard === 'axc' && late.heard.endsWith('d'));
  await until(() => sockets.size === 2);
});

it('mutes the connections that are there, and cuts and shuts them', async () => {
  const line = new Line();
  await line.says('a');
  proxy.mute('subscriptions');
  await line.says('b');
  proxy.mute('commands');
  line.socket.write('c');
  await until(() => got === 'abc');
  await new Line().says('d');
  expect(line.heard).toBe('ab');
  proxy.cut();
  await until(() => line.ended && sockets.size === 0);
  proxy.shut();
  const refused = new Line();
  await until(() => refused.ended);
  proxy.open();
  await new Line().says('e');
});
