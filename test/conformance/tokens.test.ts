import { beforeAll, describe, expect, it } from 'vitest';
import {
  encodings,
  gyre,
  inSeconds,
  jwt,
  openWire,
  wire,
  type Encoding,
  type Gyre,
} from '../harness/index.ts';
import { fresh, freshUser, token } from './stage.ts';

let strict: Gyre;
let insecure: Gyre;
beforeAll(async () => {
  const channel = { without_namespace: { presence: true, allow_presence_for_subscriber: true } };
  [strict, insecure] = await Promise.all([
    gyre.start({
      config: {
        client: {
          expired_close_delay: '300ms',
          expired_sub_close_delay: '300ms',
          disallow_anonymous_connection_tokens: true,
        },
        channel,
      },
    }),
    gyre.start({ config: { client: { insecure: true }, channel } }),
  ]);
});

const day = 24 * 3600;

async function refused(server: Gyre, encoding: Encoding, connect: object) {
  const client = await openWire(server, encoding);
  client.send({ id: 1, connect });
  return client.end();
}

/** Connected as a new user, subscribed by token to a new channel. */
async function subscribed(encoding: Encoding, claims: object = {}) {
  const user = freshUser();
  const channel = fresh();
  const client = await wire(strict, encoding, token(strict, { sub: user }));
  const subscribe = { channel, ...token(strict, { sub: user, channel, ...claims }) };
  const reply = await client.call({ subscribe });
  return { client, user, channel, reply };
}

describe.each(encodings)('a connection token in %s', (encoding) => {
  it('[TOK1] is verified, whatever else is allowed', async () => {
    const forged = { token: jwt({ sub: 'a' }, 'another secret') };
    const invalid = { code: 3500, reason: 'invalid token' };
    expect(await refused(strict, encoding, forged)).toEqual(invalid);
    expect(await refused(insecure, encoding, forged)).toEqual(invalid);
    expect(await refused(strict, encoding, { token: 'x.y.z' })).toEqual(invalid);
  });

  it('[TOK2] is not accepted after its time, nor before', async () => {
    for (const server of [strict, insecure]) {
      for (const claims of [{ exp: 1 }, { nbf: inSeconds(60) }]) {
        const client = await openWire(server, encoding);
        const { error } = await client.call({ connect: token(server, { sub: 'a', ...claims }) });
        expect(error).toEqual({ code: 109, message: 'token expired' });
      }
    }
  });

  it('[TOK3] is not one for subscriptions', async () => {
    expect(await refused(strict, encoding, token(strict, { sub: 'a', channel: 'c' }))).toMatchObject({
      code: 3500,
    });
  });

  it('[TOK4] has to name a user where that is asked for', async () => {
    expect(await refused(strict, encoding, token(strict, {}))).toEqual({
      code: 3507,
      reason: 'permission denied',
    });
    await wire(insecure, encoding, token(insecure, {}));
  });

  it('[TOK5] says what others see', async () => {
    const infoOf = async (claims: object): Promise<unknown> => {
      const channel = fresh();
      const client = await wire(insecure, encoding, token(insecure, { sub: 'a', ...claims }));
      await client.call({ subscribe: { channel } });
      const { presence } = await client.call({ presence: { channel } });
      return presence?.presence?.[client.connected.client ?? '']?.conn_info;
    };
    expect(await infoOf({ info: { name: 'Ann' } })).toEqual({ name: 'Ann' });
    expect(await infoOf({ info: 1, b64info: Buffer.from('{"b":2}').toString('base64') })).toEqual({ b: 2 });
  });

  it('[TOK6] says when the connection ends', async () => {
    const expiry = async (claims: object) =>
      (await wire(strict, encoding, token(strict, { sub: freshUser(), ...claims }))).connected;
    const timed = await expiry({ exp: inSeconds(100) });
    expect(timed.expires).toBe(true);
    expect(timed.ttl).toBeGreaterThan(90);
    expect(timed.ttl).toBeLessThanOrEqual(100);
    expect((await expiry({ exp: inSeconds(100), expire_at: inSeconds(1000) })).ttl).toBeGreaterThan(900);
    expect(await expiry({ exp: inSeconds(100), expire_at: 0 })).not.toHaveProperty('expires');
    expect(await expiry({})).not.toHaveProperty('expires');
  });

  it('[TOK7] never says more than a year', async () => {
    const user = freshUser();
    const far = token(strict, { sub: user, exp: inSeconds(1000 * day) });
    const client = await wire(strict, encoding, far);
    expect(client.connected.ttl).toBe(365 * day);
    expect(await client.call({ refresh: far })).toMatchObject({ refresh: { ttl: 365 * day } });
    const channel = fresh();
    const subscribe = { channel, ...token(strict, { sub: user, channel, exp: inSeconds(1000 * day) }) };
    expect(await client.call({ subscribe })).toMatchObject({ subscribe: { ttl: 365 * day } });
  });

  it('[TOK8][TOK9] ends the connection after a grace, unless it is refreshed', async () => {
    const claims = { sub: freshUser(), exp: inSeconds(3) };
    const [idle, lively] = [
      await wire(strict, encoding, token(strict, claims)),
      await wire(strict, encoding, token(strict, claims)),
    ];
    const { refresh } = await lively.call({ refresh: token(strict, { ...claims, exp: inSeconds(100) }) });
    expect(refresh?.expires).toBe(true);
    expect(refresh?.ttl).toBeGreaterThan(90);
    expect(await idle.end()).toEqual({ code: 3005, reason: 'connection expired' });
    expect(Date.now()).toBeGreaterThanOrEqual(claims.exp * 1000);
    await lively.fence();
  });

  it('[TOK10] is not replaced by one that is not good', async () => {
    const user = freshUser();
    const refreshed = async (request: object) => {
      const client = await wire(strict, encoding, token(strict, { sub: user, exp: inSeconds(60) }));
      client.send({ id: 2, refresh: request });
      return client.end();
    };
    expect(await refreshed({ token: '' })).toMatchObject({ code: 3501 });
    expect(await refreshed({ token: 'x.y.z' })).toMatchObject({ code: 3500 });
    expect(await refreshed(token(strict, { sub: freshUser() }))).toMatchObject({ code: 3500 });
    expect(await refreshed(token(strict, { sub: user, exp: 1 }))).toEqual({
      code: 3005,
      reason: 'connection expired',
    });
    expect(await refreshed(token(strict, { sub: user, channels: ['more'] }))).toMatchObject({ code: 3010 });
  });

  it('[TOK11] with an end that has passed opens nothing', async () => {
    const past = { exp: inSeconds(60), expire_at: 1 };
    const client = await openWire(strict, encoding);
    expect(await client.call({ connect: token(strict, { sub: 'a', ...past }) })).toMatchObject({
      error: { code: 110, message: 'expired' },
    });
    expect((await subscribed(encoding, past)).reply).toMatchObject({ error: { code: 110 } });
  });

  it('[TOK12] says who it is, and no end, where nothing is checked', async () => {
    const channel = fresh();
    const client = await wire(insecure, encoding, token(insecure, { sub: 'ann', exp: inSeconds(60) }));
    expect(client.connected).not.toHaveProperty('expires');
    await client.call({ subscribe: { channel } });
    expect((await client.call({ presence: { channel } })).presence?.presence).toMatchObject({
      [client.connected.client ?? '']: { user: 'ann' },
    });
  });
});

describe.each(encodings)('a subscription token in %s', (encoding) => {
  it('[TOK13] opens what nothing else opens', async () => {
    const { client, user, reply } = await subscribed(encoding);
    expect(reply.subscribe).toEqual({});
    const bound = fresh();
    const claims = { sub: user, channel: bound, client: client.connected.client };
    expect(await client.call({ subscribe: { channel: bound, ...token(strict, claims) } })).toHaveProperty(
      'subscribe',
    );
    expect(await client.call({ subscribe: { channel: fresh() } })).toMatchObject({ error: { code: 103 } });
  });

  it('[TOK14] has to be good', async () => {
    const user = freshUser();
    const channel = fresh();
    const client = await wire(strict, encoding, token(strict, { sub: user }));
    const subscribe = (text: string) => client.call({ subscribe: { channel, token: text } });
    expect(await subscribe(jwt({ sub: user, channel }, 'another'))).toMatchObject({ error: { code: 103 } });
    expect(await subscribe('rubbish')).toMatchObject({ error: { code: 103 } });
    expect(await subscribe(jwt({ sub: user, channel, exp: 1 }, strict.tokenSecret))).toMatchObject({
      error: { code: 109 },
    });
  });

  it.each([
    ['channel', { channel: 'another' }],
    ['user', { sub: 'another' }],
    ['client', { client: 'another' }],
  ])('[TOK15] has to be about this %s', async (_what, claims) => {
    const user = freshUser();
    const channel = fresh();
    const client = await wire(strict, encoding, token(strict, { sub: user }));
    const subscribe = { channel, ...token(strict, { sub: user, channel, ...claims }) };
    client.send({ id: 2, subscribe });
    expect(await client.end()).toEqual({ code: 3500, reason: 'invalid token' });
  });

  it('[TOK16] says what the subscription is', async () => {
    const { client, channel, reply } = await subscribed(encoding, {
      info: { seat: 1 },
      data: { hello: 'you' },
      override: { presence: { value: true } },
    });
    expect(reply.subscribe).toEqual({ data: { hello: 'you' } });
    const { presence } = await client.call({ presence: { channel } });
    expect(Object.values(presence?.presence ?? {})).toMatchObject([{ chan_info: { seat: 1 } }]);
    const hidden = await subscribed(encoding, { override: { presence: { value: false } } });
    const { presence: nobody } = await hidden.client.call({ presence: { channel: hidden.channel } });
    expect(nobody?.presence ?? {}).toEqual({});
  });

  it('[TOK17][TOK18][TOK19][TOK21] ends the subscription after a grace, unless it is refreshed', async () => {
    const exp = inSeconds(3);
    const [idle, lively] = [await subscribed(encoding, { exp }), await subscribed(encoding, { exp })];
    expect(idle.reply.subscribe?.expires).toBe(true);
    expect([1, 2, 3]).toContain(idle.reply.subscribe?.ttl);
    const { user, channel } = idle;
    const stale = { channel, ...token(strict, { sub: user, channel, exp: 1 }) };
    expect((await idle.client.call({ sub_refresh: stale })).error).toMatchObject({
      code: 109,
      temporary: true,
    });
    const claims = { sub: lively.user, channel: lively.channel, exp: inSeconds(100) };
    const { sub_refresh: refreshed } = await lively.client.call({
      sub_refresh: { channel: lively.channel, ...token(strict, claims) },
    });
    expect(refreshed?.expires).toBe(true);
    expect(refreshed?.ttl).toBeGreaterThan(90);
    const shortened = await subscribed(encoding, { exp: inSeconds(60) });
    const sooner = { sub: shortened.user, channel: shortened.channel, exp };
    await shortened.client.call({ sub_refresh: { channel: shortened.channel, ...token(strict, sooner) } });
    for (const each of [idle, shortened]) {
      expect(await each.client.pushed('unsubscribe', 1)).toEqual([
        { channel: each.channel, unsubscribe: { code: 2501, reason: 'subscription expired' } },
      ]);
    }
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
    await idle.client.fence();
    await lively.client.fence();
    expect(lively.client.pushes()).toEqual([]);
  });

  it('[TOK20] is not replaced by one that is not good', async () => {
    const { client, channel } = await subscribed(encoding, { exp: inSeconds(60) });
    const refresh = (where: string, text: string) =>
      client.call({ sub_refresh: { channel: where, token: text } });
    expect(await refresh(fresh(), 'x')).toMatchObject({ error: { code: 103 } });
    expect(await refresh(channel, '')).toMatchObject({ error: { code: 107 } });
    for (const claims of [undefined, { channel: 'another' }]) {
      const other = await subscribed(encoding);
      const bad = claims === undefined ? 'x.y.z' : jwt({ sub: other.user, ...claims }, strict.tokenSecret);
      other.client.send({ id: 2, sub_refresh: { channel: other.channel, token: bad } });
      expect(await other.client.end()).toEqual({ code: 3500, reason: 'invalid token' });
    }
  });
});
