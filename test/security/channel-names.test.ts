import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Peer, type Reply } from '../fuzz/peer.ts';
import { checkLog } from '../fuzz/stage.ts';
import { api, gyre, jwt, opcodes, teardown, type Gyre } from '../harness/index.ts';

/** [S09] Names of channels, at every entry: the documented answer, and no frame or line of the log that breaks. */

const everybody = {
  allow_subscribe_for_client: true,
  allow_publish_for_client: true,
  allow_history_for_client: true,
};

const config = {
  client: { channel_limit: 1000 },
  channel: {
    without_namespace: { ...everybody, history_size: 1, history_ttl: '10s' },
    namespaces: [
      { name: 'limited', ...everybody, allow_user_limited_channels: true },
      { name: 'regex', ...everybody, channel_regex: '^[\u0430-\u044fa-z]+$' },
    ],
  },
};

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({ config });
});
afterAll(() => checkLog(server.logs()));

/** The name, the answer to a client that subscribes without a token, and the answer to a backend; 0 is success. */
const names: readonly (readonly [what: string, name: string, client: number, backend: number])[] = [
  ['an ordinary one', 'news', 0, 0],
  ['with NUL', 'a\u0000b', 107, 107],
  ['with CR and LF', 'a\r\nb', 107, 107],
  ['with a newline at the end', 'a\n', 107, 107],
  ['with DEL', 'a\u007f', 107, 107],
  ['with a control character above ASCII', 'a\u0085', 107, 107],
  ['with half a surrogate pair', 'a\ud800', 107, 107],
  ['from right to left', '\u202eabc', 107, 0],
  ['in other letters', '\u043d\u043e\u0432\u043e\u0441\u0442\u0438', 107, 0],
  ['in other letters, where a pattern allows them', 'regex:\u043d\u043e\u0432\u043e\u0441\u0442\u0438', 0, 0],
  ['that a pattern does not allow', 'regex:A', 107, 0],
  ['with line separators', 'a\u2028b\u2029', 107, 0],
  ['an emoji', '\ud83d\ude00', 107, 0],
  ['of 255 bytes', 'x'.repeat(255), 0, 0],
  ['of 256 bytes', 'x'.repeat(256), 107, 0],
  ['of 4096 bytes', 'x'.repeat(4096), 107, 0],
  ['of 4097 bytes', 'x'.repeat(4097), 107, 107],
  ['of 4097 bytes in few letters', `${'\u00e9'.repeat(2048)}x`, 107, 107],
  ['of 10 KB', 'x'.repeat(10_240), 107, 107],
  ['that is private', '$secret', 103, 0],
  ['a dollar', '$', 103, 0],
  ['that is private in a namespace', '$limited:a', 103, 0],
  ['with a user, where users are no matter', 'a#43', 0, 0],
  ['with another user', 'limited:a#43', 103, 0],
  ['with the user', 'limited:a#42', 0, 0],
  ['with the user among others', 'limited:b#41,42', 0, 0],
  ['with a user that begins alike', 'limited:a#421', 103, 0],
  ['with a user that ends alike', 'limited:a#142', 103, 0],
  ['with nobody after the boundary', 'limited:a#', 103, 0],
  ['with two boundaries, the last one counts', 'limited:a#42#43', 103, 0],
  ['with a comma', 'a,b', 0, 0],
  ['of a namespace that there is not', 'nowhere:a', 102, 102],
  ['of a namespace that is a key of every object', '__proto__:a', 102, 102],
  ['of a namespace that is a method of every object', 'toString:a', 102, 102],
  ['with nothing before the boundary', ':a', 0, 0],
  ['a boundary', ':', 0, 0],
  ['with nothing after the boundary', 'limited:', 0, 0],
  ['braces', '{}', 0, 0],
  ['in braces', '{a}b', 0, 0],
  ['a brace that opens', '{', 0, 0],
  ['a brace that closes', '}x', 0, 0],
  ['like a key of an engine', 'meta.news', 0, 0],
  ['a key of every object', '__proto__', 0, 0],
  ['a method of every object', 'constructor', 0, 0],
  ['a glob', '*[!a]?', 0, 0],
  ['with quotes', '"\\"\\\\', 0, 0],
  ['a space', ' ', 0, 0],
];

/** Every frame that comes is checked by the peer. */
async function connected(claims: object = {}): Promise<Peer> {
  const peer = new Peer(server, 'json');
  teardown(async () => peer.leave());
  peer.handshake();
  expect(await peer.answered()).toBe(101);
  send(peer, { id: 1, connect: { token: jwt({ sub: '42', ...claims }, server.tokenSecret) } });
  return peer;
}

function send(peer: Peer, command: object): void {
  peer.send(Buffer.from(JSON.stringify(command)));
}

interface Answer extends Reply {
  readonly error?: { readonly code: number };
  readonly connect?: { readonly subs?: object };
}

async function answer(peer: Peer, id: number): Promise<Answer> {
  const find = () => peer.messages.find((message) => message.id === id);
  await peer.until(() => find() !== undefined);
  return find() as Answer;
}

const codeOf = ({ error }: Pick<Answer, 'error'>): number => error?.code ?? 0;

describe.each(names)('a name %s', (_what, name, client, backend) => {
  it(`is answered ${client} to a client`, async () => {
    const peer = await connected();
    send(peer, { id: 2, subscribe: { channel: name } });
    send(peer, { id: 3, publish: { channel: name, data: 1 } });
    send(peer, { id: 4, history: { channel: name } });
    const codes = [
      codeOf(await answer(peer, 2)),
      codeOf(await answer(peer, 3)),
      codeOf(await answer(peer, 4)),
    ];
    expect(codes[0]).toBe(client);
    // What may not be subscribed for its name may not be used otherwise; who may do it is another question.
    if (client === 107 || client === 102) expect(codes).toEqual([client, client, client]);
    else expect(codes[1]).toBe(0);
  });

  it(`is answered ${backend} to the server API`, async () => {
    const calls = [
      api(server, 'publish', { channel: name, data: 1 }),
      api(server, 'subscribe', { channel: name, user: 'nobody' }),
    ];
    for (const { status, error } of await Promise.all(calls)) {
      expect(status).toBe(200);
      expect(error?.code ?? 0).toBe(backend);
    }
    const broadcast = await api<{ responses: Answer[] }>(server, 'broadcast', {
      channels: [name, 'news'],
      data: 1,
    });
    expect(broadcast.result?.responses.map(codeOf)).toEqual([backend, 0]);
  });

  it(`is answered ${backend} in tokens`, async () => {
    // The token decides who may subscribe, so that only the name is left to be judged.
    const peer = await connected({ channels: [name] });
    const reply = await answer(peer, 1);
    expect(codeOf(reply)).toBe(backend);
    if (backend !== 0) return;
    expect(Object.keys(reply.connect?.subs ?? {})).toEqual([name]);
    await api(server, 'publish', { channel: name, data: 'through' });
    await peer.until(() => peer.messages.length > 1);
    expect(peer.messages[1]).toMatchObject({ push: { channel: name, pub: { data: 'through' } } });
  });
});

it('a name that is not UTF-8 ends the connection, and the request', async () => {
  const bytes = (before: string, after: string): Buffer<ArrayBuffer> =>
    Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
  for (const opcode of [opcodes.text, opcodes.binary]) {
    const peer = await connected();
    await answer(peer, 1);
    peer.send(bytes('{"id":2,"subscribe":{"channel":"', '"}}'), opcode);
    const ending = await peer.until(() => false);
    // uWebSockets looks at text frames itself, and cuts the connection.
    expect(ending).toEqual(opcode === opcodes.text ? 'cut' : { code: 3501, reason: 'bad request' });
  }
  const response = await fetch(`${server.apiUrl}/publish`, {
    method: 'POST',
    headers: { 'X-API-Key': server.apiKey },
    body: bytes('{"data":1,"channel":"', '"}'),
  });
  expect(response.status).toBe(400);
});
