import { beforeAll, describe, expect, it } from 'vitest';
import { api, encodings, gyre, openWire, wire, type Gyre } from '../harness/index.ts';
import { fresh, freshUser, kept, permitted, token } from './stage.ts';

let server: Gyre;
let insecure: Gyre;
beforeAll(async () => {
  const openToAll = { ...permitted, allow_subscribe_for_anonymous: true };
  [server, insecure] = await Promise.all([
    gyre.start({
      config: {
        client: { channel_limit: 8, allow_anonymous_connect_without_token: true },
        channel: {
          without_namespace: openToAll,
          namespaces: [
            { name: 'closed' },
            { name: 'clients', allow_subscribe_for_client: true },
            { name: 'anonymous', allow_subscribe_for_anonymous: true },
            { name: 'limited', allow_subscribe_for_client: true, allow_user_limited_channels: true },
            { name: 'digits', ...openToAll, channel_regex: '^[0-9]+$' },
            { name: 'letters', ...openToAll, channel_regex: '^\\pL+$' },
            { name: 'kept', allow_subscribe_for_client: true, ...kept },
            {
              name: 'may',
              allow_subscribe_for_client: true,
              allow_recovery: true,
              allow_positioning: true,
              ...kept,
            },
            {
              name: 'readers',
              allow_subscribe_for_client: true,
              allow_history_for_subscriber: true,
              ...kept,
            },
            { name: 'positioned', allow_subscribe_for_client: true, force_positioning: true, ...kept },
            { name: 'recovered', allow_subscribe_for_client: true, force_recovery: true, ...kept },
            {
              name: 'joins',
              ...openToAll,
              presence: true,
              join_leave: true,
              force_push_join_leave: true,
              ...kept,
            },
          ],
        },
      },
    }),
    gyre.start({
      config: {
        client: { insecure: true },
        channel: { namespaces: [{ name: 'limited', allow_user_limited_channels: true }] },
      },
    }),
  ]);
});

const publish = (channel: string, data: unknown) => api(server, 'publish', { channel, data });

describe.each(encodings)('subscribing in %s', (encoding) => {
  const as = (user: string) => wire(server, encoding, token(server, { sub: user }));

  it('[SUB1][SUB2] is answered, then all that is published comes once and in order', async () => {
    const channel = fresh('joins');
    const [client, other] = [await as('ann'), await as('bob')];
    await other.call({ subscribe: { channel } });
    const flow = Promise.all(Array.from({ length: 20 }, (_, i) => publish(channel, i)));
    const { subscribe } = await client.call({ subscribe: { channel } });
    await flow;
    await client.call({ publish: { channel, data: 'own' } });
    await client.fence();
    await other.fence();
    const of = (whose: typeof client) => whose.pushes('pub').map(({ pub }) => pub?.data);
    expect(of(other)).toHaveLength(21);
    expect(new Set(of(other))).toEqual(new Set([...Array.from({ length: 20 }, (_, i) => i), 'own']));
    expect(of(client)).toEqual(of(other).slice(-of(client).length));
    expect(of(client)).toContain('own');
    expect(subscribe).toEqual({});
    const [connect, reply, ...rest] = client.received();
    expect(connect).toHaveProperty('connect');
    expect(reply).toHaveProperty('subscribe');
    expect(rest.some((message) => message.push?.join?.info?.user === 'ann')).toBe(true);
  });

  it.each([
    ['an empty channel', { channel: '' }],
    ['another delta', { channel: 'c', delta: 'other' }],
  ])('[SUB3] ends the connection for %s', async (_what, subscribe) => {
    const client = await as('ann');
    client.send({ id: 2, subscribe });
    expect(await client.end()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('[SUB4] happens once for a channel', async () => {
    const channel = fresh();
    const user = freshUser();
    const client = await wire(server, encoding, token(server, { sub: user, channels: ['given'] }));
    expect(await client.call({ subscribe: { channel } })).toHaveProperty('subscribe');
    const twice = { error: { code: 105, message: 'already subscribed' } };
    expect(await client.call({ subscribe: { channel } })).toMatchObject(twice);
    expect(await client.call({ subscribe: { channel: 'given' } })).toMatchObject(twice);
  });

  it('[SUB5] is bounded', async () => {
    const client = await as('ann');
    const channels = Array.from({ length: 8 }, () => fresh());
    for (const channel of channels)
      expect(await client.call({ subscribe: { channel } })).toHaveProperty('subscribe');
    const ninth = { subscribe: { channel: fresh() } };
    expect(await client.call(ninth)).toMatchObject({ error: { code: 106, message: 'limit exceeded' } });
    await client.call({ unsubscribe: { channel: channels[0] } });
    expect(await client.call(ninth)).toHaveProperty('subscribe');
  });

  it.each([
    ['[SUB6] unknown namespace', 'nowhere:c', 102],
    ['[SUB7] name that is too long', 'x'.repeat(256), 107],
    ['[SUB7] name that is just long enough', 'y'.repeat(255), 0],
    ['[SUB8] name in other letters', 'größe', 107],
    ['[SUB8] name that its pattern does not like', 'digits:12a', 107],
    ['[SUB8] name that its pattern likes', 'digits:12', 0],
    ['[SUB8] name in letters that its pattern likes', 'letters:größe', 0],
    ['[SUB9] channel that takes a token', '$c', 103],
    ['[SUB10] channel of others', 'limited:c#bob', 103],
    ['[SUB10] channel of several', 'limited:c#bob,ann', 0],
    ['[SUB10] channel of one with a name that begins alike', 'limited:c#anna', 103],
    ['[SUB10] channel that only looks so', 'clients:c#bob', 0],
    ['[SUB11] channel that is closed', 'closed:c', 103],
    ['[SUB11] channel for clients', 'clients:c', 0],
    ['[SUB11] channel for nobody else', 'anonymous:c', 103],
  ])('%s', async (_what, channel, code) => {
    const client = await as('ann');
    const { error } = await client.call({ subscribe: { channel } });
    expect(error?.code ?? 0).toBe(code);
  });

  it('[SUB9][SUB10] keeps its gates where nothing is checked', async () => {
    const client = await wire(insecure, encoding);
    expect(await client.call({ subscribe: { channel: '$c' } })).toMatchObject({ error: { code: 103 } });
    expect(await client.call({ subscribe: { channel: 'limited:c#bob' } })).toHaveProperty('subscribe');
  });

  it('[SUB11] needs another permission without a user', async () => {
    const nobody = await wire(server, encoding);
    expect(await nobody.call({ subscribe: { channel: fresh('clients') } })).toMatchObject({
      error: { code: 103 },
    });
    expect(await nobody.call({ subscribe: { channel: fresh('anonymous') } })).toMatchObject({
      error: { code: 103 },
    });
    expect(await nobody.call({ subscribe: { channel: fresh() } })).toHaveProperty('subscribe');
  });

  it('[SUB12] is for streams', async () => {
    const client = await as('ann');
    expect(await client.call({ subscribe: { channel: fresh(), type: 4 } })).toMatchObject({
      error: { code: 108 },
    });
    expect(await client.call({ subscribe: { channel: fresh(), type: 1 } })).toMatchObject({
      error: { code: 103 },
    });
  });

  it('[SUB13] grants what is asked for to who may have it', async () => {
    const client = await as('ann');
    const ask = async (namespace: string, modes: object) =>
      (await client.call({ subscribe: { channel: fresh(namespace), ...modes } })).subscribe;
    expect(await ask('kept', { positioned: true, recoverable: true })).toEqual({});
    expect(await ask('may', { positioned: true })).toMatchObject({ positioned: true });
    expect(await ask('may', { recoverable: true })).toMatchObject({ recoverable: true, positioned: true });
    expect(await ask('may', {})).toEqual({});
    expect(await ask('readers', { positioned: true })).toMatchObject({ positioned: true });
    expect(await ask('readers', { recoverable: true })).toMatchObject({ recoverable: true });
  });

  it('[SUB14] says where the stream stands', async () => {
    const client = await as('ann');
    const channel = fresh('positioned');
    await publish(channel, 1);
    const { subscribe: positioned } = await client.call({ subscribe: { channel } });
    expect(positioned).toEqual({
      positioned: true,
      epoch: expect.stringMatching(/^[a-zA-Z]{8}$/),
      offset: 1,
    });
    const { subscribe: recovered } = await client.call({ subscribe: { channel: fresh('recovered') } });
    expect(recovered).toEqual({
      recoverable: true,
      positioned: true,
      epoch: expect.stringMatching(/^[a-zA-Z]{8}$/),
    });
    expect(recovered?.epoch).not.toBe(positioned?.epoch);
  });

  it('[SUB15] grants no positions where nothing is kept', async () => {
    const client = await as('ann');
    const subscribe = { channel: fresh(), positioned: true, recoverable: true };
    expect((await client.call({ subscribe })).subscribe).toEqual({});
  });

  it('[SUB16] leaves nothing behind when it is refused', async () => {
    const client = await openWire(server, encoding);
    await client.call({ connect: token(server, { sub: 'ann' }) });
    const channel = fresh('closed');
    for (let i = 0; i < 20; i++) {
      expect(await client.call({ subscribe: { channel } })).toMatchObject({ error: { code: 103 } });
    }
    const claims = { sub: 'ann', channel };
    expect(await client.call({ subscribe: { channel, ...token(server, claims) } })).toHaveProperty(
      'subscribe',
    );
  });
});

describe.each(encodings)('unsubscribing in %s', (encoding) => {
  const as = (user: string) => wire(server, encoding, token(server, { sub: user }));

  it('[UNS1] ends what comes', async () => {
    const channel = fresh();
    const client = await as('ann');
    await client.call({ subscribe: { channel } });
    await publish(channel, 1);
    expect((await client.call({ unsubscribe: { channel } })).unsubscribe).toEqual({});
    await publish(channel, 2);
    await client.fence();
    expect(client.pushes().map(({ pub }) => pub?.data)).toEqual([1]);
  });

  it('[UNS2][UNS3] succeeds for what is not there, and needs a name', async () => {
    const client = await as('ann');
    expect((await client.call({ unsubscribe: { channel: fresh() } })).unsubscribe).toEqual({});
    expect((await client.call({ unsubscribe: { channel: 'nowhere:c' } })).unsubscribe).toEqual({});
    client.send({ id: 2, unsubscribe: { channel: '' } });
    expect(await client.end()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('[UNS4] is ordered by the server API', async () => {
    const channel = fresh();
    const user = freshUser();
    const [subscriber, bystander] = [await as(user), await as(user)];
    await subscriber.call({ subscribe: { channel } });
    await api(server, 'unsubscribe', { user, channel });
    await publish(channel, 1);
    for (const client of [subscriber, bystander]) {
      await client.fence();
      expect(client.pushes()).toEqual([
        { channel, unsubscribe: { code: 2000, reason: 'server unsubscribe' } },
      ]);
    }
  });

  it('[UNS5] waits for a subscribe that is under way', async () => {
    const user = freshUser();
    const client = await as(user);
    const channels = Array.from({ length: 8 }, () => fresh('joins'));
    client.send(...channels.map((channel, i) => ({ id: i + 2, subscribe: { channel } })));
    await Promise.all(channels.map((channel) => api(server, 'unsubscribe', { user, channel })));
    await client.fence();
    for (const channel of channels) {
      const of = client.received().filter(({ push }) => push?.channel === channel);
      expect(of.some(({ push }) => push?.unsubscribe?.code === 2000)).toBe(true);
      await publish(channel, 1);
    }
    await client.fence();
    expect(client.pushes('pub')).toEqual([]);
  });
});
