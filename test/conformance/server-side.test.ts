import { beforeAll, describe, expect, it } from 'vitest';
import { api, encodings, gyre, inSeconds, jwt, openWire, until, wire, type Gyre } from '../harness/index.ts';
import { fresh, freshUser, kept, token } from './stage.ts';

let server: Gyre;
let single: Gyre;
beforeAll(async () => {
  const joins = { presence: true, join_leave: true };
  [server, single] = await Promise.all([
    gyre.start({
      config: {
        client: {
          channel_limit: 5,
          expired_sub_close_delay: '200ms',
          subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace: 'personal' },
        },
        channel: {
          without_namespace: { ...kept, force_recovery: true },
          namespaces: [
            { name: 'plain' },
            { name: 'personal' },
            { name: 'open', allow_subscribe_for_client: true },
            { name: 'joins', ...joins, force_push_join_leave: true, allow_subscribe_for_client: true },
            { name: 'asked', ...joins, allow_subscribe_for_client: true },
            { name: 'seen', ...joins, allow_subscribe_for_client: true, allow_presence_for_subscriber: true },
          ],
        },
      },
    }),
    gyre.start({
      config: {
        client: { subscribe_to_user_personal_channel: { enabled: true, single_connection: true } },
        channel: { without_namespace: { presence: true } },
      },
    }),
  ]);
});

const publish = (channel: string, data: unknown) => api(server, 'publish', { channel, data });
const top = async (channel: string) =>
  (await api<{ epoch: string }>(server, 'history', { channel, limit: 0 })).result?.epoch ?? '';

describe.each(encodings)('server-side subscriptions in %s', (encoding) => {
  const as = (user: string, claims: object = {}, request: object = {}) =>
    wire(server, encoding, { ...token(server, { sub: user, ...claims }), ...request });

  it('[SSS1][SSS3] come with a token', async () => {
    const [first, second] = [fresh(), fresh('plain')];
    const client = await as(freshUser(), { channels: [first, second] });
    expect(client.connected.subs).toMatchObject({
      [first]: { recoverable: true, positioned: true, epoch: expect.stringMatching(/^[a-zA-Z]{8}$/) },
      [second]: {},
    });
    await publish(first, 1);
    await publish(second, 2);
    expect(await client.pushed('pub', 2)).toMatchObject([
      { channel: first, pub: { data: 1, offset: 1 } },
      { channel: second, pub: { data: 2 } },
    ]);
    const lost = await openWire(server, encoding);
    const connect = token(server, { sub: 'a', channels: ['nowhere:c'] });
    expect(await lost.call({ connect })).toMatchObject({ error: { code: 102 } });
  });

  it('[SSS2] come with a token that says more', async () => {
    const [channel, other] = [fresh('joins'), fresh('joins')];
    const options = { data: { d: 1 }, info: { i: 1 }, override: { presence: { value: false } } };
    const client = await as(freshUser(), { subs: { [channel]: options }, channels: [other] });
    expect(client.connected.subs?.[channel]).toEqual({ data: { d: 1 } });
    expect(Object.keys(client.connected.subs ?? {})).not.toContain(other);
    expect(await client.pushed('join', 1)).toMatchObject([
      { channel, join: { info: { chan_info: { i: 1 } } } },
    ]);
    const { result } = await api<{ presence: object }>(server, 'presence', { channel });
    expect(result?.presence).toEqual({});
  });

  it('[SSS4] come with the name of the user', async () => {
    const user = freshUser();
    const client = await as(user);
    expect(Object.keys(client.connected.subs ?? {})).toEqual([`personal:#${user}`]);
    await publish(`personal:#${user}`, 'you');
    expect(await client.pushed('pub', 1)).toEqual([{ channel: `personal:#${user}`, pub: { data: 'you' } }]);
    const alone = await wire(single, encoding, token(single, { sub: user }));
    expect(Object.keys(alone.connected.subs ?? {})).toEqual([`#${user}`]);
  });

  it('[SSS5] make a user leave one connection for another', async () => {
    const user = freshUser();
    const [one, other] = [token(single, { sub: user }), token(single, { sub: freshUser() })];
    const [first, bystander] = [await wire(single, encoding, one), await wire(single, encoding, other)];
    const second = await wire(single, encoding, one);
    expect(await first.end()).toEqual({ code: 3504, reason: 'connection limit' });
    await second.fence();
    await bystander.fence();
    // However many come at the same time, one of them stays.
    const many = await Promise.all(Array.from({ length: 8 }, () => openWire(single, encoding)));
    for (const client of many) client.send({ id: 1, connect: one });
    await second.end();
    await Promise.all(
      many.map((client) => Promise.race([client.end(), until(() => client.received().length > 0)])),
    );
    await until(async () => {
      const stats = await api<{ num_clients: number }>(single, 'presence_stats', { channel: `#${user}` });
      return stats.result?.num_clients === 1;
    });
    const alive = await Promise.allSettled(many.map((client) => client.fence()));
    expect(alive.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('[SSS6] recover', async () => {
    const channel = fresh();
    for (const n of [1, 2, 3]) await publish(channel, n);
    const subs = { [channel]: { recover: true, offset: 1, epoch: await top(channel) } };
    const client = await as(freshUser(), { channels: [channel] }, { subs });
    expect(client.connected.subs?.[channel]).toMatchObject({
      was_recovering: true,
      recovered: true,
      offset: 1,
      publications: [
        { data: 2, offset: 2 },
        { data: 3, offset: 3 },
      ],
    });
    await publish(channel, 4);
    expect(await client.pushed('pub', 1)).toEqual([{ channel, pub: { data: 4, offset: 4 } }]);
    const lost = { [channel]: { recover: true, offset: 1, epoch: 'otherOne' } };
    const other = await as(freshUser(), { channels: [channel] }, { subs: lost });
    expect(other.connected.subs?.[channel]).toMatchObject({ was_recovering: true, offset: 4 });
    expect(other.connected.subs?.[channel]).not.toHaveProperty('recovered');
  });

  it('[SSS7] may be wished for', async () => {
    const [wished, closed, secret] = [fresh('open'), fresh('plain'), `$${fresh('open')}`];
    const client = await as(freshUser(), {}, { subs: { [wished]: {}, [closed]: {}, [secret]: {} } });
    const given = Object.keys(client.connected.subs ?? {});
    expect(given).toContain(wished);
    expect(given).not.toContain(closed);
    expect(given).not.toContain(secret);
    const lost = await openWire(server, encoding);
    lost.send({ id: 1, connect: { ...token(server, { sub: 'a' }), subs: { 'nowhere:c': {} } } });
    expect(await lost.end()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('[SSS8] are bounded', async () => {
    const channels = Array.from({ length: 5 }, () => fresh());
    const many = await openWire(server, encoding);
    many.send({ id: 1, connect: token(server, { sub: freshUser(), channels }) });
    expect(await many.end()).toEqual({ code: 3505, reason: 'channel limit' });
    const user = freshUser();
    const client = await as(user, { channels: channels.slice(1) });
    await api(server, 'subscribe', { user, channel: channels[1] });
    await client.pushed('subscribe', 1);
    await api(server, 'subscribe', { user, channel: fresh() });
    expect(await client.end()).toEqual({ code: 3505, reason: 'channel limit' });
  });

  it('[SSS9] come by the server API', async () => {
    const user = freshUser();
    const [channel, plain] = [fresh(), fresh('plain')];
    await publish(channel, 1);
    const client = await as(user);
    await api(server, 'subscribe', { user, channel, data: { d: 1 } });
    await api(server, 'subscribe', { user, channel: plain });
    await publish(channel, 2);
    await client.fence();
    const epoch = await top(channel);
    expect(client.pushes()).toEqual([
      { channel, subscribe: { recoverable: true, positioned: true, epoch, offset: 1, data: { d: 1 } } },
      { channel: plain, subscribe: {} },
      { channel, pub: { data: 2, offset: 2 } },
    ]);
  });

  it('[SSS10] come with what was missed', async () => {
    const user = freshUser();
    const channel = fresh();
    for (const n of [1, 2, 3]) await publish(channel, n);
    const epoch = await top(channel);
    const [client] = [await as(user)];
    await api(server, 'subscribe', { user, channel, recover_since: { offset: 1, epoch } });
    await publish(channel, 4);
    await client.fence();
    expect(client.pushes().map((push) => push.subscribe?.offset ?? push.pub?.offset)).toEqual([1, 2, 3, 4]);
    const other = freshUser();
    const late = await as(other);
    await api(server, 'subscribe', { user: other, channel, recover_since: { offset: 1, epoch: 'otherOne' } });
    await late.fence();
    expect(late.pushes()).toMatchObject([{ channel, subscribe: { offset: 4, epoch } }]);
  });

  it('[SSS11] may be made anew', async () => {
    const user = freshUser();
    const [given, own] = [fresh(), fresh('open')];
    const client = await as(user, { channels: [given] });
    await client.call({ subscribe: { channel: own } });
    await api(server, 'subscribe', { user, channel: given, data: { again: true } });
    await api(server, 'subscribe', { user, channel: own, data: { again: true } });
    for (const channel of [given, own]) await publish(channel, 1);
    await client.fence();
    expect(client.pushes()).toMatchObject([
      { channel: given, subscribe: { data: { again: true } } },
      { channel: given, pub: { data: 1 } },
      { channel: own, pub: { data: 1 } },
    ]);
    await client.call({ unsubscribe: { channel: given } });
    await publish(given, 2);
    await client.fence();
    expect(client.pushes('pub')).toHaveLength(2);
  });

  it('[SSS12] end when the client says so', async () => {
    const channel = fresh();
    const client = await as(freshUser(), { channels: [channel] });
    expect((await client.call({ unsubscribe: { channel } })).unsubscribe).toEqual({});
    await publish(channel, 1);
    await client.fence();
    expect(client.pushes()).toEqual([]);
  });

  it('[SSS13] take the connection with them when they expire', async () => {
    const user = freshUser();
    const client = await as(user);
    const expireAt = inSeconds(1);
    await api(server, 'subscribe', { user, channel: fresh(), expire_at: expireAt });
    expect(await client.end()).toEqual({ code: 3006, reason: 'subscription expired' });
    expect(Date.now()).toBeGreaterThanOrEqual(expireAt * 1000);
    expect(client.pushes('unsubscribe')).toEqual([]);
  });

  it('[SSS14][JLV3] have their own join after the reply', async () => {
    const channel = fresh('joins');
    const client = await openWire(server, encoding);
    client.send({ id: 1, connect: token(server, { sub: 'ann', channels: [channel] }) });
    await client.pushed('join', 1);
    expect(client.received()).toMatchObject([
      { id: 1 },
      { push: { channel, join: { info: { user: 'ann' } } } },
    ]);
  });

  it('[SSS15] belong to a connection whose end the server API moves', async () => {
    const user = freshUser();
    const claims = { sub: user, exp: inSeconds(60) };
    const client = await wire(server, encoding, { token: jwt(claims, server.tokenSecret) });
    await api(server, 'refresh', { user, expire_at: inSeconds(1000) });
    const [push] = await client.pushed('refresh', 1);
    expect(push?.refresh?.expires).toBe(true);
    expect(push?.refresh?.ttl).toBeGreaterThan(900);
    await api(server, 'refresh', { user });
    expect((await client.pushed('refresh', 2))[1]?.refresh).toEqual({});
    await api(server, 'refresh', { user, expired: true });
    expect(await client.end()).toEqual({ code: 3005, reason: 'connection expired' });
    const late = await as(user);
    await api(server, 'refresh', { user, expire_at: 1 });
    expect(await late.end()).toEqual({ code: 3005, reason: 'connection expired' });
  });

  it('[SSS16] say nothing before the connect reply', async () => {
    const user = freshUser();
    const channels = [fresh('joins'), fresh('joins')];
    const clients = await Promise.all(Array.from({ length: 10 }, () => openWire(server, encoding)));
    const connect = token(server, { sub: user, channels });
    for (const client of clients) client.send({ id: 1, connect });
    await Promise.all([
      ...channels.map((channel) => publish(channel, 1)),
      api(server, 'subscribe', { user, channel: fresh() }),
      api(server, 'unsubscribe', { user, channel: channels[0] }),
      api(server, 'refresh', { user, expire_at: inSeconds(100) }),
    ]);
    for (const client of clients) {
      await client.fence();
      expect(client.received()[0]).toHaveProperty('connect.client');
    }
  });
});

describe.each(encodings)('joins and leaves in %s', (encoding) => {
  const as = (user: string, claims: object = {}) =>
    wire(server, encoding, token(server, { sub: user, ...claims }));

  it('[JLV1][JLV3][JLV4] are told to who is there', async () => {
    const channel = fresh('joins');
    const [watcher, walker] = [await as('ann'), await as('bob', { info: { n: 1 } })];
    await watcher.call({ subscribe: { channel } });
    const claims = { sub: 'bob', channel, info: { seat: 2 } };
    await walker.call({ subscribe: { channel, ...token(server, claims) } });
    await walker.call({ unsubscribe: { channel } });
    await walker.call({ subscribe: { channel } });
    await watcher.fence();
    const info = { user: 'bob', client: walker.connected.client, conn_info: { n: 1 } };
    const seated = { info: { ...info, chan_info: { seat: 2 } } };
    expect(watcher.pushes()).toEqual([
      { channel, join: { info: { user: 'ann', client: watcher.connected.client } } },
      { channel, join: seated },
      { channel, leave: seated },
      { channel, join: { info } },
    ]);
    expect(walker.pushes()).toEqual([
      { channel, join: seated },
      { channel, join: { info } },
    ]);
    walker.socket.destroy();
    expect((await watcher.pushed('leave', 2))[1]).toEqual({ channel, leave: { info } });
  });

  it('[JLV2] are told to who asks and may know', async () => {
    const [closed, seen] = [fresh('asked'), fresh('seen')];
    const [asking, silent] = [await as('ann'), await as('bob')];
    for (const channel of [closed, seen]) {
      await asking.call({ subscribe: { channel, join_leave: true } });
      await silent.call({ subscribe: { channel } });
    }
    await asking.fence();
    await silent.fence();
    expect(asking.pushes().map(({ channel, join }) => [channel, join?.info?.user])).toEqual([
      [seen, 'ann'],
      [seen, 'bob'],
    ]);
    expect(silent.pushes()).toEqual([]);
  });
});
