import { beforeAll, describe, expect, it } from 'vitest';
import { api, encodings, gyre, rawSocket, until, wire, type Gyre } from '../harness/index.ts';
import { fresh, freshUser, kept, token } from './stage.ts';

let server: Gyre;
let narrow: Gyre;
beforeAll(async () => {
  const channel = { without_namespace: { ...kept, history_size: 1000 }, namespaces: [{ name: 'off' }] };
  [server, narrow] = await Promise.all([
    gyre.start({
      config: {
        client: { insecure: true, queue_max_size: 100_000, history_max_publication_limit: 1000 },
        log: { level: 'info' },
        channel,
      },
    }),
    gyre.start({ config: { client: { insecure: true, connection_limit: 3 } } }),
  ]);
});

describe.each(encodings)('in %s', (encoding) => {
  const as = (user: string) => wire(server, encoding, token(server, { sub: user }));

  it('[ERR1][ERR2] an error says what is wrong, and nothing ends', async () => {
    const client = await as('ann');
    expect(await client.call({ subscribe: { channel: 'nowhere:c' } })).toEqual({
      id: expect.any(Number),
      error: { code: 102, message: 'unknown channel' },
    });
    const channel = fresh();
    expect(await client.call({ subscribe: { channel } })).toHaveProperty('subscribe');
    await api(server, 'publish', { channel, data: 1 });
    await client.pushed('pub', 1);
  });

  it('[ERR3][ERR4] the server API ends connections, some or all', async () => {
    const user = freshUser();
    const [first, second, other] = [await as(user), await as(user), await as(freshUser())];
    await api(server, 'disconnect', { user, whitelist: [second.connected.client] });
    expect(await first.end()).toEqual({ code: 3503, reason: 'force disconnect' });
    expect(first.pushes()).toEqual([]);
    await second.fence();
    await api(server, 'disconnect', { user, disconnect: { code: 4321, reason: 'because' } });
    expect(await second.end()).toEqual({ code: 4321, reason: 'because' });
    await other.fence();
  });

  it('[ERR5] 3000 is no word at all', async () => {
    const user = freshUser();
    const client = await as(user);
    await api(server, 'disconnect', { user, disconnect: { code: 3000, reason: 'connection closed' } });
    expect(await client.end()).toEqual({ code: 1006, reason: '' });
  });

  it('[ERR6] what was said before an end arrives', async () => {
    const channel = fresh();
    const [client, publisher] = [await as('ann'), await as('bob')];
    await client.call({ subscribe: { channel } });
    client.send(
      { id: 2, publish: { channel, data: 1 } },
      { id: 3, rpc: { method: 'm' } },
      { id: 4, ping: {} },
    );
    // All of that frame is nothing, because its end is no command.
    expect(await client.end()).toMatchObject({ code: 3501 });
    expect(client.received().filter(({ id }) => id === 2 || id === 3)).toEqual([]);
    publisher.send(
      { id: 2, publish: { channel, data: 1 } },
      { id: 3, rpc: { method: 'm' } },
      { send: { data: 1 } },
    );
    expect(await publisher.end()).toMatchObject({ code: 3508 });
    expect(
      publisher
        .received()
        .map(({ id }) => id)
        .slice(1),
    ).toEqual([2, 3]);
  });

  it('[ERR7] a server that goes says so', async () => {
    const going = await gyre.start({ config: { client: { insecure: true } } });
    const client = await wire(going, encoding);
    await Promise.all([
      client.end().then((end) => expect(end).toEqual({ code: 3001, reason: 'shutdown' })),
      going.stop(),
    ]);
  });

  it('[ERR8] insecure opens, and checks no less', async () => {
    const client = await wire(server, encoding);
    const channel = fresh('off');
    expect(await client.call({ subscribe: { channel } })).toHaveProperty('subscribe');
    expect(await client.call({ publish: { channel, data: 1 } })).toHaveProperty('publish');
    expect((await client.call({ presence: { channel } })).error?.code).toBe(108);
    expect((await client.call({ history: { channel } })).error?.code).toBe(108);
    expect((await client.call({ publish: { channel: 'nowhere:c', data: 1 } })).error?.code).toBe(102);
    expect((await client.call({ publish: { channel: 'größe', data: 1 } })).error?.code).toBe(107);
  });

  it('[RPC1] there is nothing to call', async () => {
    const client = await as('ann');
    for (const method of ['', 'ping', 'ns:method']) {
      expect((await client.call({ rpc: { method } })).error).toEqual({ code: 108, message: 'not available' });
    }
  });

  it('[LIM1] a message has a size', async () => {
    const client = await as('ann');
    const channel = fresh();
    const envelope = (length: number) => ({ id: 2, publish: { channel, data: 'x'.repeat(length) } });
    let length = 65_000;
    while (sizeOf(envelope(length)) < 65_536) length++;
    client.send(envelope(length));
    await client.fence();
    client.send(envelope(length + 1));
    expect(await client.end()).toEqual({ code: 1009, reason: '' });

    function sizeOf(command: object): number {
      return encoding === 'json'
        ? JSON.stringify(command).length
        : channel.length + length + 2 + 3 * 1 + 4 + 4 + 2 + 2;
    }
  });

  it('[LIM2] connections are counted', async () => {
    const query = encoding === 'json' ? '' : '?cf_protocol=protobuf';
    const open = () => rawSocket(narrow, { path: `/connection/websocket${query}` });
    const sockets = [await open(), await open(), await open()];
    await expect(open()).rejects.toMatchObject({ status: 503 });
    for (const socket of sockets) socket.destroy();
    await until(() =>
      open().then(
        () => true,
        () => false,
      ),
    );
  });

  it('[LIM3] who does not read is left behind, unless it asked for all that', async () => {
    const [pushed, asked] = [fresh(), fresh()];
    const data = 'x'.repeat(20_000);
    const slow = await as('slow');
    await slow.call({ subscribe: { channel: pushed } });
    slow.socket.pause();
    const { client: id = '' } = slow.connected;
    await until(
      async () => {
        for (let i = 0; i < 20; i++) await api(server, 'publish', { channel: pushed, data });
        return server
          .logs()
          .split('\n')
          .some((line) => line.includes(id) && line.includes('"code":3008'));
      },
      { deadline: 30_000, message: 'the slow client to be closed' },
    );
    slow.socket.resume();
    expect(await slow.end()).toEqual({ code: 3008, reason: 'slow' });

    for (let i = 0; i < 400; i++) await api(server, 'publish', { channel: asked, data });
    const reader = await as('reader');
    reader.socket.pause();
    for (let i = 0; i < 3; i++) reader.send({ id: i + 2, history: { channel: asked, limit: -1 } });
    reader.socket.resume();
    await until(() => reader.received().length === 4, { deadline: 30_000 });
    expect(reader.received()[3]?.history?.publications).toHaveLength(400);
  });
});
