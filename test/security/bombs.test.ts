import { beforeAll, describe, expect, it } from 'vitest';
import { canary } from '../fuzz/canary.ts';
import { deepFilter } from '../fuzz/commands.ts';
import { Peer } from '../fuzz/peer.ts';
import { checkLog } from '../fuzz/stage.ts';
import { api, gyre, jwt, rawSocket, type Gyre, type RawSocket } from '../harness/index.ts';
import { inspectable, memoryOf, memoryWithin } from '../harness/memory.ts';

/** [S16] What is small to send and large to take in, or large from the start: a clean answer, and nobody else is harmed. */

const bodyLimit = 4 * 2 ** 20;
const mb = 2 ** 20;

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    env: inspectable,
    config: {
      http_api: { max_request_size: bodyLimit },
      channel: {
        without_namespace: {
          allow_subscribe_for_client: true,
          allow_publish_for_client: true,
          allow_history_for_client: true,
          allow_tags_filter: true,
          history_size: 100,
          history_ttl: '300s',
        },
        namespaces: [{ name: 'canary', allow_subscribe_for_client: true }],
      },
    },
  });
});

/** Others get every publication meanwhile, and the server holds no more than before. */
async function harmless(attack: () => Promise<void>, growth = 32 * mb): Promise<void> {
  const before = await memoryOf(server);
  const bird = await canary(server);
  await attack();
  const { slowestMs } = await bird.verify();
  console.log(`bombs: slowest publication beside it ${Math.round(slowestMs)} ms`);
  checkLog(server.logs());
  await memoryWithin(server, {
    rss: before.rss + 8 * growth,
    held: before.heapUsed + before.external + growth,
  });
}

async function connected(): Promise<RawSocket> {
  const socket = await rawSocket(server);
  socket.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub: '42' }, server.tokenSecret) } }));
  await socket.next();
  return socket;
}

const post = (text: string): Promise<Response> =>
  fetch(`${server.apiUrl}/publish`, { method: 'POST', headers: { 'X-API-Key': server.apiKey }, body: text });

const keys = (count: number): string => Array.from({ length: count }, (_, n) => `"${n}":0`).join(',');

describe('bodies of the server API', () => {
  it.each([
    ['a megabyte of brackets', '['.repeat(mb), 400],
    ['a megabyte of brackets for data', `{"channel":"a","data":${'['.repeat(mb)}`, 400],
    ['65 arrays for data', `{"channel":"a","data":${'['.repeat(65)}${']'.repeat(65)}}`, 400],
    ['200 000 keys', `{"channel":"a","data":1,${keys(200_000)}}`, 200],
    ['200 000 keys for data', `{"channel":"a","data":{${keys(200_000)}}}`, 200],
    ['200 000 tags', `{"channel":"a","data":1,"tags":{${keys(200_000).replaceAll(':0', ':"0"')}}}`, 200],
    ['a number of a million digits', `{"channel":"a","data":${'9'.repeat(mb)}}`, 200],
    ['a field of a million digits', `{"channel":"a","data":1,"version":${'9'.repeat(mb)}}`, 400],
    ['a million escapes', `{"channel":"${'\\u0061'.repeat(mb / 8)}","data":1}`, 200],
    ['a body at the limit', `{"channel":"a","data":"${'x'.repeat(bodyLimit - 25)}"}`, 200],
    ['a body over the limit by one', `{"channel":"a","data":"${'x'.repeat(bodyLimit - 24)}"}`, 413],
  ])('%s', async (_name, text, status) => {
    expect(text.length).toBeLessThanOrEqual(bodyLimit + 1);
    await harmless(async () => {
      for (let n = 0; n < 5; n++) expect((await post(text)).status).toBe(status);
      await api(server, 'history_remove', { channel: 'a' });
    });
  });

  it('a million keys, where the limit lets them in', async () => {
    const large = await gyre.start();
    const text = `{"channel":"a","data":{${keys(1_000_000)}}}`;
    const { status, error } = await api(large, 'publish', text);
    expect({ status, error }).toEqual({ status: 200, error: undefined });
  });

  it('bodies over the limit again and again', async () => {
    await harmless(async () => {
      for (let n = 0; n < 40; n++) expect((await post('x'.repeat(3 * bodyLimit))).status).toBe(413);
    });
  });
});

describe('payloads that no parser would give back', () => {
  it.each([
    '[1e309,-1e309,1e-400]',
    '{"n":12345678901234567890,"f":1.0,"e":1E+2}',
    '"\\ud800"',
    '{"\\udc00\\ud800":"\\u0000"}',
    '{"a":1,"a":2,"__proto__":{"a":3}}',
    `${'['.repeat(63)}${']'.repeat(63)}`,
  ])('%s passes as it is', async (data) => {
    const socket = await connected();
    socket.send('{"id":2,"subscribe":{"channel":"verbatim"}}');
    await socket.next();
    expect(await api(server, 'publish', `{"channel":"verbatim","data":${data}}`)).toMatchObject({
      status: 200,
      result: {},
    });
    expect(String(await socket.next())).toContain(`"pub":{"data":${data}`);
    socket.send(`{"id":3,"publish":{"channel":"verbatim","data":${data}}}`);
    let answers = '';
    while (!answers.includes('"pub"')) answers += String(await socket.next());
    expect(answers).toContain(`"pub":{"data":${data}`);
  });
});

describe('frames of a client', () => {
  const nested = (depth: number): string =>
    JSON.stringify({ id: 2, subscribe: { channel: 'b', tf: deepFilter(depth) } });

  it.each([
    ['brackets', '['.repeat(65_000), 3501],
    ['brackets for data', `{"id":2,"publish":{"channel":"a","data":${'['.repeat(65_000)}`, 3501],
    ['objects for data', `{"id":2,"publish":{"channel":"a","data":${'{"a":'.repeat(13_000)}`, 3501],
    ['a filter of a thousand levels', nested(1000), 3501],
    ['an id of 60 000 digits', `{"id":${'9'.repeat(60_000)},"rpc":{}}`, 3501],
    ['more than a frame may hold', 'x'.repeat(65_537), 1009],
  ])('%s: closed', async (_name, text, code) => {
    await harmless(async () => {
      for (let n = 0; n < 20; n++) {
        const socket = await connected();
        socket.send(text);
        expect((await socket.closed).code).toBe(code);
      }
    });
  });

  it.each([
    ['lengths beyond the frame', 'ffffffff0f'],
    ['lengths beyond what there is', 'ffffffffffffffffff01'],
    ['lengths that never end', 'ff'.repeat(20)],
    ['a field longer than its message', '0408012afe0f'],
    ['a payload of 4 GB', '0b08013a070a016112ffffffff0f'],
  ])('%s: closed', async (_name, hex) => {
    await harmless(async () => {
      for (let n = 0; n < 20; n++) {
        const peer = new Peer(server, 'protobuf');
        peer.handshake();
        await peer.answered();
        peer.send(Buffer.from(hex, 'hex'));
        expect(await peer.until(() => false)).toEqual({ code: 3501, reason: 'bad request' });
      }
    });
  });

  it('thousands of commands whose answers are large, not one of them read', async () => {
    for (let n = 0; n < 100; n++)
      await api(server, 'publish', { channel: 'large', data: 'x'.repeat(10_000) });
    // A megabyte an answer, over a gigabyte in all.
    const commands = Array.from(
      { length: 1100 },
      (_, n) => `{"id":${n + 2},"history":{"channel":"large","limit":-1}}`,
    );
    await harmless(async () => {
      const sockets = await Promise.all([connected(), connected(), connected()]);
      const before = await memoryOf(server);
      for (const socket of sockets) {
        socket.pause();
        socket.send(commands.join('\n'));
      }
      // Whoever comes later has a turn: the server was not kept from it until all was done.
      const other = await connected();
      other.send('{"id":2,"unsubscribe":{"channel":"large"}}');
      expect(await other.next()).toBe('{"id":2,"unsubscribe":{}}');
      expect((await memoryOf(server)).rss).toBeLessThan(before.rss + 300 * mb);
      for (const socket of sockets) socket.destroy();
    });
  });
});

it('a publication larger than a queue is had by who reads, or ends its connection with 3008', async () => {
  await harmless(async () => {
    const socket = await connected();
    socket.send('{"id":2,"subscribe":{"channel":"huge"}}');
    await socket.next();
    const lazy = await connected();
    lazy.send('{"id":2,"subscribe":{"channel":"huge"}}');
    await lazy.next();
    lazy.pause();
    // More than the sockets' own buffers take.
    for (let n = 0; n < 8; n++) {
      expect((await api(server, 'publish', { channel: 'huge', data: 'x'.repeat(2 * mb) })).status).toBe(200);
    }
    lazy.resume();
    expect([3008, 1006]).toContain((await lazy.closed).code);
    const first = await Promise.race([socket.next(), socket.closed]);
    expect(typeof first === 'object' && 'code' in first ? first.code : first.length).toSatisfy(
      (value: number) => value === 3008 || value > 2 * mb,
    );
    await api(server, 'history_remove', { channel: 'huge' });
  });
});
