import { beforeAll, describe, expect, it } from 'vitest';
import { encodings, gyre, inSeconds, openWire, wire, type Gyre, type Wire } from '../harness/index.ts';
import { fresh, freshUser, permitted, token } from './stage.ts';

let strict: Gyre;
let open: Gyre;
beforeAll(async () => {
  const anonymous = { allow_subscribe_for_anonymous: true, allow_presence_for_anonymous: true };
  const channel = { without_namespace: { ...permitted, ...anonymous, presence: true } };
  [strict, open] = await Promise.all([
    gyre.start({
      config: {
        client: { stale_close_delay: '1s', user_id_http_header: 'X-User', user_connection_limit: 2 },
        channel,
      },
    }),
    gyre.start({
      config: {
        client: { allow_anonymous_connect_without_token: true, connect_include_server_time: true },
        channel,
      },
    }),
  ]);
});

/** The user that others see. */
async function userOf(client: Wire): Promise<string | undefined> {
  const channel = fresh();
  await client.call({ subscribe: { channel } });
  const { presence } = await client.call({ presence: { channel } });
  const [info] = Object.values(presence?.presence ?? {});
  expect(info).toBeDefined();
  return info?.user ?? '';
}

describe.each(encodings)('connecting in %s', (encoding) => {
  it('[CON1] comes first', async () => {
    for (const command of [{ subscribe: { channel: 'c' } }, { rpc: { method: 'm' } }]) {
      const client = await openWire(open, encoding);
      client.send({ id: 1, ...command });
      expect(await client.end()).toEqual({ code: 3501, reason: 'bad request' });
    }
  });

  it('[CON2] happens once', async () => {
    const client = await wire(open, encoding);
    client.send({ id: 2, connect: {} });
    expect(await client.end()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('[CON3] gives an id of its own to each connection, and tells the version', async () => {
    const [first, second] = [await wire(open, encoding), await wire(open, encoding)];
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(first.connected.client).toMatch(uuid);
    expect(second.connected.client).toMatch(uuid);
    expect(first.connected.client).not.toBe(second.connected.client);
    expect(first.connected.version).toMatch(/./);
  });

  it('[CON4] is not waited for without end', async () => {
    const client = await openWire(strict, encoding);
    expect(await client.end()).toEqual({ code: 3502, reason: 'stale' });
  });

  it('[CON5] takes a token', async () => {
    const client = await openWire(strict, encoding);
    client.send({ id: 1, connect: { name: 'x', version: '1' } });
    expect(await client.end()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('[CON6] goes without one where the server allows that', async () => {
    expect(await userOf(await wire(open, encoding))).toBe('');
  });

  it('[CON7] believes a header of the handshake, not one of the command', async () => {
    const trusted = await openWire(strict, encoding, { 'X-User': 'eve' });
    expect(await trusted.call({ connect: {} })).toHaveProperty('connect');
    expect(await userOf(trusted)).toBe('eve');
    const claimed = await openWire(strict, encoding);
    claimed.send({ id: 1, connect: { headers: { 'X-User': 'eve', 'x-user': 'eve' } } });
    expect(await claimed.end()).toMatchObject({ code: 3501 });
  });

  it('[CON8] ends all that was sent in the hope that it would succeed', async () => {
    const client = await openWire(strict, encoding);
    const connect = token(strict, { sub: 'a', exp: 1 });
    client.send({ id: 1, connect }, { id: 2, subscribe: { channel: 'c' } }, { id: 3, rpc: { method: 'm' } });
    const closed = client.end();
    const answer = await client.socket.next();
    client.send({ id: 4, rpc: { method: 'm' } });
    expect(await closed).toEqual({ code: 3501, reason: 'bad request' });
    expect(String(answer)).toContain('token expired');
    expect(client.received()).toEqual([]);
  });

  it('[CON8][CON9] leaves no refused connection open', async () => {
    const client = await openWire(strict, encoding);
    const connect = token(strict, { sub: 'a', exp: 1 });
    client.send({ id: 1, connect }, { id: 2, subscribe: { channel: 'c' } });
    // Not 3501: what came along with the connect is no command sent later.
    expect(await client.end()).toEqual({ code: 3502, reason: 'stale' });
    expect(client.received()).toMatchObject([{ id: 1, error: { code: 109 } }]);
  });

  it('[CON10] comes before what was sent along with it', async () => {
    const client = await openWire(open, encoding);
    const channels = Array.from({ length: 10 }, () => fresh());
    client.send(
      { id: 1, connect: {} },
      ...channels.map((channel, i) => ({ id: i + 2, subscribe: { channel } })),
    );
    await client.fence();
    const replies = client.received().slice(0, -1);
    expect(replies.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(replies[0]).toHaveProperty('connect.client');
    for (const reply of replies.slice(1)) expect(reply).toHaveProperty('subscribe');
  });

  it('[CON11] tells the time where the server is told to', async () => {
    const before = Date.now();
    const { time } = (await wire(open, encoding)).connected;
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
    expect((await wire(strict, encoding, token(strict, { sub: freshUser() }))).connected).not.toHaveProperty(
      'time',
    );
  });

  it('[CON12] passes over what the server does not do', async () => {
    const client = await wire(open, encoding, { flag: 1, dict: 'abc', profile: 'p' });
    expect(client.connected).not.toHaveProperty('flag');
    expect(client.connected).not.toHaveProperty('dict');
    expect(await client.call({ subscribe: { channel: fresh() } })).toHaveProperty('subscribe');
  });

  it('[CON13] is bounded for each user', async () => {
    const connect = token(strict, { sub: freshUser(), exp: inSeconds(60) });
    for (let i = 0; i < 2; i++) await wire(strict, encoding, connect);
    const third = await openWire(strict, encoding);
    third.send({ id: 1, connect });
    expect(await third.end()).toEqual({ code: 3504, reason: 'connection limit' });
    const nobody = token(strict, {});
    for (let i = 0; i < 3; i++) await wire(strict, encoding, nobody);
  });
});
