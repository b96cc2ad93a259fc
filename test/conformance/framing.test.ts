import { beforeAll, describe, expect, it } from 'vitest';
import {
  api,
  encode,
  encodings,
  gyre,
  openWire,
  rawSocket,
  wire,
  type CommandMessage,
  type Encoding,
  type Gyre,
} from '../harness/index.ts';
import { fresh, kept } from './stage.ts';

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    config: {
      client: { insecure: true, allowed_origins: ['https://app.example'] },
      channel: {
        without_namespace: { ...kept, presence: true },
        namespaces: [{ name: 'plain' }, { name: 'patched', allowed_delta_types: ['fossil'] }],
      },
    },
  });
});

const path = (query: string) => `/connection/websocket${query}`;
const connect = { id: 1, connect: {} };
const bad = { code: 3501, reason: 'bad request' };

describe.each(encodings)('frames of %s', (encoding) => {
  /** The frame that answers a first frame, whatever the way to this encoding. */
  const answerOn = async (query: string, headers: Record<string, string> = {}) => {
    const socket = await rawSocket(server, { path: path(query), headers });
    socket.send(encode(encoding, [connect]));
    return socket.next();
  };
  const isOwn = (frame: string | Buffer) => {
    if (encoding === 'json') expect(JSON.parse(String(frame))).toHaveProperty('connect');
    else expect(frame).toBeInstanceOf(Buffer);
  };

  it('[FRM1][FRM2] are what was asked for', async () => {
    expect.hasAssertions();
    const subProtocol = { 'Sec-WebSocket-Protocol': `centrifuge-${encoding}` };
    isOwn(await answerOn('', subProtocol));
    if (encoding === 'json') {
      isOwn(await answerOn(''));
      isOwn(await answerOn('?cf_protocol=json&cf_protocol_version=v2'));
      isOwn(await answerOn('?cf_protocol_version=v2'));
    } else {
      isOwn(await answerOn('?cf_protocol=protobuf'));
      isOwn(await answerOn('?format=protobuf'));
      isOwn(await answerOn('?cf_protocol_version=v2&cf_protocol=protobuf'));
    }
  });

  it('[FRM3] follow the first sub-protocol that is known', async () => {
    const protocols = { json: 'centrifuge-json, centrifuge-protobuf', protobuf: 'x, centrifuge-protobuf' };
    isOwn(await answerOn('', { 'Sec-WebSocket-Protocol': protocols[encoding] }));
    const socket = await rawSocket(server, {
      path: path(encoding === 'json' ? '' : '?cf_protocol=protobuf'),
      headers: { 'Sec-WebSocket-Protocol': 'mqtt' },
    });
    expect(socket.subProtocol).toBe('');
    const known = await rawSocket(server, { headers: { 'Sec-WebSocket-Protocol': protocols[encoding] } });
    expect(known.subProtocol).toBe(`centrifuge-${encoding}`);
  });

  it('[FRM4][FRM15] hold several commands, which are answered in order', async () => {
    const client = await wire(server, encoding);
    const commands = Array.from({ length: 50 }, (_, i) => ({
      id: i + 2,
      ...(i % 3 === 0 ? { rpc: { method: 'm' } } : { publish: { channel: fresh(), data: i } }),
    }));
    client.send(...commands);
    await client.fence();
    expect(
      client
        .received()
        .slice(1, -1)
        .map(({ id }) => id),
    ).toEqual(commands.map(({ id }) => id));
  });

  it('[FRM4] may end with a newline in JSON', async () => {
    const client = await wire(server, encoding);
    client.send({ id: 2, rpc: {} }, { id: 3, rpc: {} });
    const more = '{"id":4,"rpc":{}}\n{"id":5,"rpc":{}}\n';
    client.socket.send(
      encoding === 'json'
        ? more
        : encode(encoding, [
            { id: 4, rpc: {} },
            { id: 5, rpc: {} },
          ]),
    );
    await client.fence();
    const ids = client.received().map(({ id }) => id);
    expect(ids.slice(1, -1)).toEqual([2, 3, 4, 5]);
  });

  const garbled: Record<Encoding, readonly (readonly [string, string | Uint8Array])[]> = {
    json: [
      ['[FRM5] nothing', ''],
      ['[FRM5] a blank line', '{"id":2,"rpc":{}}\n\n{"id":3,"rpc":{}}'],
      ['[FRM5] two newlines at the end', '{"id":2,"rpc":{}}\n\n'],
      ['[FRM6] no JSON', 'hello'],
      ['[FRM6] half a command', '{"id":2,"rpc":{}'],
      ['[FRM6] two commands in a line', '{"id":2,"rpc":{}}{"id":3,"rpc":{}}'],
      ['[FRM6] a wrong type', '{"id":2,"publish":{"channel":1,"data":1}}'],
      ['[FRM6] data that is no JSON', '{"id":2,"publish":{"channel":"c","data":{bad}}}'],
    ],
    protobuf: [
      ['[FRM5] nothing', Buffer.alloc(0)],
      ['[FRM6] less than its length says', Buffer.of(20, 8, 2)],
      ['[FRM6] a length without end', Buffer.from('ff'.repeat(11), 'hex')],
      ['[FRM6] a wrong type', Buffer.of(3, 0x0a, 1, 1)],
      ['[FRM6] a text that is not UTF-8', Buffer.of(7, 8, 2, 0x32, 3, 0x0a, 1, 0xff)],
    ],
  };

  it.each(garbled[encoding])('%s is closed', async (_rule, frame) => {
    const client = await wire(server, encoding);
    client.socket.send(frame);
    expect(await client.end()).toEqual(bad);
  });

  it('[FRM6] are carried out as a whole, or not at all', async () => {
    const channel = fresh('plain');
    const [client, witness] = [await wire(server, encoding), await wire(server, encoding)];
    await witness.call({ subscribe: { channel } });
    const good = encode(encoding, [{ id: 2, publish: { channel, data: 1 } }]);
    client.socket.send(
      typeof good === 'string' ? `${good}\n{"id":` : Buffer.concat([good, Buffer.of(20, 8, 2)]),
    );
    expect(await client.end()).toEqual(bad);
    await witness.fence();
    expect(witness.pushes()).toEqual([]);
  });

  it('[FRM7] may hold what is not known', async () => {
    const client = await openWire(server, encoding);
    if (encoding === 'json')
      client.socket.send('{"id":1,"new":[{}],"connect":{"foo":{"bar":1},"token":null}}');
    // Field 99 with the bytes "xx", in the command and in the request.
    else client.socket.send(Buffer.from('0e' + '0801' + '2205' + '9a06027878' + '9a06027878', 'hex'));
    await client.fence();
    expect(client.received()[0]).toHaveProperty('connect.client');
  });

  it('[FRM8] hold one request a command, the first of their order', async () => {
    const client = await wire(server, encoding);
    const channel = fresh();
    const order: CommandMessage[] = [
      { subscribe: { channel } },
      { unsubscribe: { channel: fresh() } },
      { publish: { channel, data: 1 } },
      { presence: { channel } },
      { presence_stats: { channel } },
      { history: { channel } },
      { rpc: { method: 'm' } },
    ];
    for (let i = 0; i < order.length - 1; i++) {
      // Said in the other order, so that it is not the place that decides.
      const command = Object.assign({}, ...order.slice(i).toReversed()) as CommandMessage;
      expect(await client.call(command)).toHaveProperty(Object.keys(order[i]!)[0]!);
    }
    expect((await client.call({ send: {}, rpc: { method: 'm' } })).error?.code).toBe(108);
  });

  it.each([
    ['[FRM9] a ping', { id: 2, ping: {} }],
    ['[FRM10] a command without id', { publish: { channel: 'c', data: 1 } }],
    ['[FRM10] an id without command', { id: 2 }],
  ])('%s is closed', async (_rule, command) => {
    const client = await wire(server, encoding);
    client.send(command);
    expect(await client.end()).toEqual(bad);
  });

  it('[FRM10] are answered with the id of the command', async () => {
    const client = await wire(server, encoding);
    const ids = [7, 7, 1, 4_294_967_295];
    client.send(...ids.map((id) => ({ id, rpc: { method: 'm' } })));
    await client.fence();
    expect(
      client
        .received()
        .map(({ id }) => id)
        .slice(1, 5),
    ).toEqual(ids);
  });

  it('[FRM11][FRM12] leave zeros out, but for some', async () => {
    const client = await wire(server, encoding);
    const [channel, plain] = [fresh(), fresh('plain')];
    const raw = async (command: CommandMessage) => {
      client.send({ id: 9, ...command });
      return client.socket.next();
    };
    const replies = [
      await raw({ publish: { channel: plain, data: 1 } }),
      await raw({ presence: { channel } }),
      await raw({ presence_stats: { channel } }),
      await raw({ subscribe: { channel: plain } }),
    ];
    await raw({ subscribe: { channel } });
    const presence = await raw({ presence: { channel } });
    if (encoding === 'json') {
      expect(replies).toEqual([
        '{"id":9,"publish":{}}',
        '{"id":9,"presence":{"presence":{}}}',
        '{"id":9,"presence_stats":{"num_clients":0,"num_users":0}}',
        '{"id":9,"subscribe":{}}',
      ]);
      expect(presence).toContain(`{"user":"","client":"${client.connected.client}"}`);
      expect(await raw({ history: { channel, limit: 1 } })).toMatch(
        /^{"id":9,"history":{"publications":\[\],"epoch":"[a-zA-Z]{8}","offset":0}}$/,
      );
    } else {
      const empty = (field: number) => Buffer.of(4, 8, 9, (field << 3) | 2, 0);
      expect(replies).toEqual([empty(8), empty(9), empty(10), empty(6)]);
    }
    await api(server, 'publish', { channel: plain, data: 0 });
    const push = await client.socket.next();
    if (encoding === 'json') expect(push).toBe(`{"push":{"channel":"${plain}","pub":{"data":0}}}`);
    else expect((push as Buffer).length).toBe(2 + 2 + plain.length + 2 + 2 + 1 + 1);
  });

  it('[FRM13] carry payloads byte for byte', async () => {
    const channel = fresh();
    const [subscriber, publisher] = [await wire(server, encoding), await wire(server, encoding)];
    await subscriber.call({ subscribe: { channel } });
    const payloads = [
      '{"b":1.0, "a":1e2 , "big":12345678901234567890,"a":-0}',
      String.raw`"\u00e9\/ \ud83d\ude00"`,
      '[ 1 ,\t2 ]',
      `"${'ü€😀'}"`,
      '{"__proto__":{"x":1}}',
    ];
    for (const payload of payloads) {
      await api(server, 'publish', `{"channel":"${channel}","data":${payload}}`);
      expect(String(await subscriber.socket.next())).toContain(payload);
      if (encoding === 'json')
        publisher.socket.send(`{"id":2,"publish":{"channel":"${channel}","data":${payload}}}`);
      else publisher.send({ id: 2, publish: { channel, data: Buffer.from(payload) } });
      expect(String(await subscriber.socket.next())).toContain(payload);
    }
    await api(server, 'publish', `{"channel":"${channel}","data":{\n"a":\n1}}`);
    expect(String(await subscriber.socket.next())).toContain(encoding === 'json' ? '{"a":1}' : '{\n"a":\n1}');
  });

  it('[FRM14] cannot all carry every payload', async () => {
    const channel = fresh('plain');
    const [client, binary] = [await wire(server, encoding), await wire(server, 'protobuf')];
    const history = fresh();
    for (const each of [channel, history]) {
      await client.call({ subscribe: { channel: each } });
      await binary.call({ subscribe: { channel: each } });
    }
    const data = Buffer.of(0, 0xff, 0x7b);
    const b64 = data.toString('base64');
    await api(server, 'publish', { channel, b64data: b64 });
    expect((await binary.pushed('pub', 1))[0]?.pub?.data).toEqual(data);
    if (encoding === 'protobuf') expect((await client.pushed('pub', 1))[0]?.pub?.data).toEqual(data);
    else expect(await client.end()).toEqual({ code: 3506, reason: 'inappropriate protocol' });
    await api(server, 'publish', { channel: history, b64data: b64 });
    const patched = fresh('patched');
    const delta = await wire(server, encoding);
    await delta.call({ subscribe: { channel: patched, delta: 'fossil' } });
    await api(server, 'publish', { channel: patched, b64data: b64 });
    if (encoding === 'json') expect(await delta.end()).toMatchObject({ code: 3506 });
    else await delta.pushed('pub', 1);
    const reader = await wire(server, encoding);
    reader.send({ id: 2, history: { channel: history, limit: -1 } });
    if (encoding === 'json') expect(await reader.end()).toMatchObject({ code: 3506 });
    else await reader.fence();
  });

  it('[FRM16] join messages, up to a size', async () => {
    const channel = fresh();
    const client = await wire(server, encoding);
    await client.call({ subscribe: { channel } });
    const large = 'x'.repeat(100_000);
    const publications = Array.from({ length: 60 }, (_, i) => ({
      publish: { channel, data: i === 30 ? large : 'y'.repeat(3000) },
    }));
    await api(server, 'batch', { commands: publications });
    await client.pushed('pub', 60);
    const frames = client.socket.sizes.slice(2);
    expect(client.pushes('pub').map(({ pub }) => pub?.offset)).toEqual(publications.map((_, i) => i + 1));
    expect(frames.length).toBeLessThan(40);
    expect(frames.filter((size) => size > 64 * 1024)).toHaveLength(1);
  });

  it('[FRM17] know no special key', async () => {
    const client = await wire(server, encoding, { headers: { ['__proto__']: 'x', constructor: 'y' } });
    for (const channel of ['__proto__', 'constructor', 'toString']) {
      expect(await client.call({ subscribe: { channel } })).toHaveProperty('subscribe');
      await api(
        server,
        'publish',
        `{"channel":"${channel}","data":1,"tags":{"__proto__":"a","hasOwnProperty":"b"}}`,
      );
      expect(await client.call({ unsubscribe: { channel } })).toHaveProperty('unsubscribe');
    }
    expect(client.pushes('pub').map((push) => push.channel)).toEqual([
      '__proto__',
      'constructor',
      'toString',
    ]);
    expect(client.pushes('pub')[0]?.pub?.tags?.['hasOwnProperty']).toBe('b');
  });

  it('[FRM18] come after a handshake', async () => {
    const query = encoding === 'json' ? '' : '?cf_protocol=protobuf';
    const address = server.wsUrl.replace('ws', 'http') + query;
    expect((await fetch(address)).status).toBe(400);
    expect((await fetch(address, { method: 'POST' })).status).toBe(405);
    const from = (origin: string) => rawSocket(server, { path: path(query), headers: { Origin: origin } });
    await expect(from('https://evil.example')).rejects.toMatchObject({ status: 403 });
    await from('https://app.example');
  });
});
