import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Peer } from '../fuzz/peer.ts';
import { checkLog } from '../fuzz/stage.ts';
import { api, gyre, jwt, rawSocket, teardown, type Gyre } from '../harness/index.ts';

/** [S15] Keys that mean something to JavaScript mean nothing here, at whichever entry they come. */

/** Were any of these to reach the prototype of all objects, everybody would be let in, or everything answered otherwise. */
const poison =
  '{"insecure":true,"allow_subscribe_for_client":true,"presence":true,"joinLeave":true,"recoverable":true,"positioned":true,' +
  '"error":{"code":1},"refused":"invalid","expires":true,"ttl":1,"tags":{"a":"b"},"info":{"user":"x"},"delta":true,' +
  '"channels":["c"],"user":"admin","override":{},"data":1,"offset":7,"suppressed":"version","polluted":true}';

const shapes = [
  `"__proto__":${poison}`,
  `"constructor":{"prototype":${poison}}`,
  `"\\u005f_proto__":${poison}`,
  `"__proto__":{"__proto__":${poison}}`,
  `"prototype":${poison}`,
];

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    config: {
      channel: {
        namespaces: [
          {
            name: 'open',
            allow_subscribe_for_client: true,
            allow_publish_for_client: true,
            allow_tags_filter: true,
          },
        ],
      },
    },
  });
});

/** A session and a call as plain as they come, and their answers to the letter. */
async function clean(): Promise<void> {
  const socket = await rawSocket(server);
  socket.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub: '42' }, server.tokenSecret) } }));
  const connect = JSON.parse(String(await socket.next())) as { connect: object };
  expect(Object.keys(connect)).toEqual(['id', 'connect']);
  expect(Object.keys(connect.connect)).toEqual(['client', 'version', 'ping', 'pong']);
  for (const [command, expected] of [
    [
      '{"id":2,"subscribe":{"channel":"closed"}}',
      '{"id":2,"error":{"code":103,"message":"permission denied"}}',
    ],
    ['{"id":3,"subscribe":{"channel":"open:c"}}', '{"id":3,"subscribe":{}}'],
    ['{"id":4,"presence":{"channel":"open:c"}}', '{"id":4,"error":{"code":108,"message":"not available"}}'],
  ] as const) {
    socket.send(command);
    expect(await socket.next()).toBe(expected);
  }
  expect((await api(server, 'publish', { channel: 'open:c', data: 1 })).text).toBe('{"result":{}}');
  expect(await socket.next()).toBe('{"push":{"channel":"open:c","pub":{"data":1}}}');
  socket.destroy();
  checkLog(server.logs());
}

describe.each(shapes)('%s', (field) => {
  it.each([
    `{"id":1,"connect":{${field}}}`,
    `{"id":1,${field},"connect":{}}`,
    `{"id":1,"connect":{"subs":{${field}},"headers":{"__proto__":"x","constructor":"y"}}}`,
    `{"id":1,"connect":{"data":{${field}}}}`,
  ])('in a connect: %s', async (text) => {
    const peer = new Peer(server, 'json');
    peer.handshake();
    await peer.answered();
    peer.send(Buffer.from(text));
    // Nobody is let in without a token.
    expect(await peer.until(() => peer.messages.length > 0)).toMatchObject({ code: 3501 });
    await clean();
  });

  it('in every other command, and payloads pass untouched', async () => {
    const socket = await rawSocket(server);
    socket.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub: '42' }, server.tokenSecret) } }));
    await socket.next();
    const data = `{${field}}`;
    for (const [command, expected] of [
      [`{"id":2,"subscribe":{"channel":"open:a",${field}}}`, '{"id":2,"subscribe":{}}'],
      [
        `{"id":3,"subscribe":{"channel":"open:b","tf":{"key":"__proto__","cmp":"ex",${field}}}}`,
        '{"id":3,"subscribe":{}}',
      ],
      [`{"id":4,"unsubscribe":{"channel":"open:b",${field}}}`, '{"id":4,"unsubscribe":{}}'],
      [
        `{"id":5,"rpc":{"method":"m","data":${data}}}`,
        '{"id":5,"error":{"code":108,"message":"not available"}}',
      ],
    ] as const) {
      socket.send(command);
      expect(await socket.next()).toBe(expected);
    }
    await api(server, 'publish', `{"channel":"open:a","data":${data}}`);
    expect(await socket.next()).toBe(`{"push":{"channel":"open:a","pub":{"data":${data}}}}`);
    socket.destroy();
    await clean();
  });

  it('in the server API, in every style, and in the tags of a publication', async () => {
    const channel = '"channel":"open:a"';
    await api(
      server,
      'publish',
      `{${channel},"data":1,"tags":{"__proto__":"x","constructor":"y","toString":"z"},${field}}`,
    );
    await api(server, 'subscribe', `{${channel},"user":"u","override":{${field},"presence":{${field}}}}`);
    await api(
      server,
      'batch',
      `{"commands":[{${field},"publish":{${channel},"data":1}},{${field}}],${field}}`,
    );
    await api(server, 'presence', `{${channel},${field}}`);
    const response = await fetch(server.apiUrl, {
      method: 'POST',
      headers: { 'X-API-Key': server.apiKey },
      body: `{"method":"publish",${field},"params":{${channel},"data":1,${field}}}\n{"method":"__proto__","params":{}}`,
    });
    expect(response.status).toBe(400);
    await clean();
  });

  it('in a token', async () => {
    const claims = JSON.parse(
      `{"sub":"42",${field},"subs":{${field},"open:a":{${field}}},"info":{${field}},"meta":{${field}}}`,
    ) as object;
    const peer = new Peer(server, 'json');
    peer.handshake();
    await peer.answered();
    peer.send(
      Buffer.from(
        JSON.stringify({
          id: 1,
          connect: { token: jwt(claims as Record<string, unknown>, server.tokenSecret) },
        }),
      ),
    );
    await peer.until(() => peer.messages.length > 0);
    expect(peer.messages).toMatchObject([{ id: 1 }]);
    expect(JSON.stringify(peer.messages)).not.toContain('"c"');
    peer.leave();
    await clean();
  });
});

it.each(['__proto__', 'constructor', 'prototype'])(
  'a configuration with the key %s does not start',
  async (key) => {
    const folder = mkdtempSync(join(tmpdir(), 'gyre-'));
    teardown(async () => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config.json');
    const field = `"${key}":{"insecure":true,"allow_subscribe_for_client":true}`;
    for (const text of [
      `{${field}}`,
      `{"client":{${field}}}`,
      `{"channel":{"namespaces":[{"name":"open",${field}}]}}`,
    ]) {
      writeFileSync(file, text);
      const { code, output } = await gyre.run(['--http_server.address', '127.0.0.1', '--config', file]);
      expect(code).toBe(1);
      expect(output).toContain(key);
    }
    const { code, output } = await gyre.run(['--http_server.address', '127.0.0.1'], {
      GYRE_CHANNEL_NAMESPACES: `[{"name":"open",${field}}]`,
    });
    expect(code).toBe(1);
    expect(output).toContain(key);
  },
);

it('tags are what was sent, whatever their names', async () => {
  const socket = await rawSocket(server);
  socket.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub: '42' }, server.tokenSecret) } }));
  await socket.next();
  socket.send('{"id":2,"subscribe":{"channel":"open:t"}}');
  await socket.next();
  const tags = '{"__proto__":"x","constructor":"y","hasOwnProperty":"z"}';
  await api(server, 'publish', `{"channel":"open:t","data":1,"tags":${tags}}`);
  expect(await socket.next()).toBe(`{"push":{"channel":"open:t","pub":{"data":1,"tags":${tags}}}}`);
});
