import { describe, expect, it } from 'vitest';
import { api, gyre, opcodes, rawSocket, record, connectClient, until, type Gyre } from '../harness/index.ts';

/** What the WebSocket transport does beside carrying messages. */

const start = (config: object): Promise<Gyre> =>
  gyre.start({ config: { client: { insecure: true }, ...config } });

describe('pings', () => {
  const client = { insecure: true, ping_interval: '300ms', pong_timeout: '200ms' };

  it('[PNG1][PNG4] are messages that the official client answers', async () => {
    const server = await start({ client });
    const quiet = await connectClient(server);
    const mute = await rawSocket(server);
    mute.send('{"id":1,"connect":{}}');
    expect(JSON.parse(String(await mute.next()))).toMatchObject({ connect: { ping: 1, pong: true } });
    expect(await mute.next()).toBe('{}');
    expect((await mute.closed).code).toBe(3012);
    expect(quiet.state).toBe('connected');
  });

  it('[PNG6] are frames where the client asked for that', async () => {
    const server = await start({ client });
    const path = '/connection/websocket?cf_ws_frame_ping_pong=true';
    const answering = await rawSocket(server, { path });
    answering.send('{"id":1,"connect":{}}');
    const reply = JSON.parse(String(await answering.next())) as { connect: object };
    expect(Object.keys(reply.connect)).toEqual(['client', 'version']);
    for (let pings = 1; pings <= 3; pings++) {
      await until(() => answering.pings.length >= pings);
      answering.sendFrame(opcodes.pong, answering.pings[pings - 1]!);
    }
    expect((await answering.closed).code).toBe(3012);
    expect(answering.waiting).toEqual([]);
  });
});

describe('compression', () => {
  const text = JSON.stringify({ text: 'to be or not to be '.repeat(500) });

  async function received(server: Gyre): Promise<{ extensions: string; messages: string[] }> {
    const socket = new WebSocket(server.wsUrl);
    const messages: string[] = [];
    socket.addEventListener('message', ({ data }) => void messages.push(String(data)));
    await until(() => socket.readyState === WebSocket.OPEN);
    socket.send(`{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"c"}}`);
    await until(() => messages.join().includes('"subscribe"'));
    await api(server, 'publish', `{"channel":"c","data":${text}}`);
    await api(server, 'publish', '{"channel":"c","data":"short"}');
    await until(() => messages.join().includes('"short"'));
    const { extensions } = socket;
    socket.close();
    return { extensions, messages };
  }

  it('[FRM19] is off unless it is configured', async () => {
    expect((await received(await start({}))).extensions).toBe('');
  });

  it('[FRM19] changes nothing of what arrives', async () => {
    const { extensions, messages } = await received(await start({ websocket: { compression: true } }));
    expect(extensions).toContain('permessage-deflate');
    expect(messages.join('\n')).toContain(`"data":${text}`);
    expect(messages.join('\n')).toContain('"data":"short"');
  });
});

describe('limits on what one client may ask', () => {
  it('[LIM5] answer 111, and nobody else notices', async () => {
    const server = await start({ client: { insecure: true, command_rate_limit: { publish: 5 } } });
    const other = await connectClient(server);
    const subscription = other.newSubscription('c');
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();
    const greedy = await rawSocket(server);
    const publish = (id: number) => `{"id":${id},"publish":{"channel":"c","data":${id}}}`;
    const commands = Array.from({ length: 20 }, (_, i) => publish(i + 2));
    greedy.send(`{"id":1,"connect":{}}\n${commands.join('\n')}`);
    const replies: { error?: { code: number; temporary?: boolean } }[] = [];
    while (replies.length < 21) {
      const lines = String(await greedy.next()).split('\n');
      replies.push(...lines.map((line) => JSON.parse(line) as (typeof replies)[number]));
    }
    const refused = replies.filter(({ error }) => error !== undefined);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ error }) => error?.code === 111 && error.temporary === true)).toBe(true);
    await until(() => events.publication.length === 20 - refused.length);
    await other.publish('c', 'mine');
    expect(other.state).toBe('connected');
  });
});

describe('a client that is stuck', () => {
  it('[LIM6] is closed when it takes nothing for longer than it may', async () => {
    const server = await start({
      client: { insecure: true, queue_max_size: 100_000_000 },
      websocket: { write_timeout: '300ms' },
      log: { level: 'info' },
    });
    const stuck = await rawSocket(server);
    stuck.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"c"}}');
    await until(() => stuck.waiting.join('').includes('"subscribe"'));
    stuck.pause();
    const payload = 'x'.repeat(1_000_000);
    // More than the system's own buffers take.
    for (let i = 0; i < 30; i++) await api(server, 'publish', { channel: 'c', data: payload });
    await until(() => server.logs().includes('"code":3008'));
  });
});
