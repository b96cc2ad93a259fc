import { describe, expect, it, beforeAll } from 'vitest';
import {
  api,
  connectClient,
  encodings,
  gyre,
  newClient,
  payloads,
  record,
  recordClient,
  until,
  type Gyre,
} from '../harness/index.ts';

/** The official JavaScript client over a real socket: what its users do on the first day. */

const open = {
  presence: true,
  join_leave: true,
  force_push_join_leave: true,
  history_size: 100,
  history_ttl: '300s',
  force_recovery: true,
  allow_subscribe_for_client: true,
  allow_publish_for_client: true,
  allow_presence_for_client: true,
  allow_history_for_client: true,
};

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    config: {
      client: { subscribe_to_user_personal_channel: { enabled: true } },
      channel: {
        without_namespace: open,
        namespaces: [{ name: 'closed' }, { name: 'plain', allow_subscribe_for_client: true }],
      },
    },
  });
});

describe.each(encodings)('a client in %s', (encoding) => {
  const { pack, unpack } = payloads(encoding);
  const own = (name: string): string => `${name}-${encoding}`;

  async function subscribed(name: string, user = 'alice') {
    const channel = own(name);
    const client = await connectClient(server, { user, encoding });
    const subscription = client.newSubscription(channel);
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();
    return { client, subscription, events };
  }

  it('connects with a token, and is told who it is', async () => {
    const client = newClient(server, { user: 'alice', encoding });
    const events = recordClient(client);
    client.connect();
    await client.ready();
    expect(events.connected).toMatchObject([{ transport: 'websocket' }]);
    expect(events.connected[0]?.client).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is not let in with a token of another key, nor without any', async () => {
    const forged = newClient({ ...server, tokenSecret: 'another' }, { user: 'alice', encoding });
    const nobody = newClient(server, { encoding });
    const events = [forged, nobody].map(recordClient);
    forged.connect();
    nobody.connect();
    await until(() => events.every(({ disconnected }) => disconnected.length > 0));
    expect(events.map(({ disconnected }) => disconnected[0]?.code)).toEqual([3500, 3501]);
  });

  it('asks for another token when its own has expired', async () => {
    let asked = 0;
    const good = newClient(server, { user: 'alice', encoding });
    const client = newClient(server, {
      user: 'alice',
      encoding,
      claims: { exp: 1 },
      getToken: async () => {
        asked++;
        // The harness made this one.
        return (good as unknown as { _token: string })._token;
      },
    });
    client.connect();
    await client.ready();
    expect(asked).toBe(1);
  });

  it('gets what the server API publishes, byte for byte', async () => {
    const { events } = await subscribed('bytes');
    const raw = await connectClient(server, { user: 'bob', encoding });
    const texts: string[] = [];
    // What the client parses has lost its spelling: look at the frame as well.
    const transport = (raw as unknown as { _transport: { _transport: WebSocket } })._transport._transport;
    transport.addEventListener('message', ({ data }) => {
      texts.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString());
    });
    const subscription = raw.newSubscription(own('bytes'));
    subscription.subscribe();
    await subscription.ready();
    const payload = '{"a":1.0,"b":12345678901234567890, "é":"\\u00e9\\/"}';
    await api(server, 'publish', `{"channel":"${own('bytes')}","data":${payload}}`);
    await until(() => events.publication.length > 0 && texts.some((text) => text.includes('12345')));
    expect(texts.join('\n')).toContain(payload);
  });

  it('publishes, and gets its own publication with its own info', async () => {
    const { client, subscription, events } = await subscribed('talk');
    await subscription.publish(pack({ text: 'hello' }));
    await client.publish(own('talk'), pack({ text: 'again' }));
    await until(() => events.publication.length === 2);
    expect(events.publication.map(({ data }) => unpack(data))).toEqual([
      { text: 'hello' },
      { text: 'again' },
    ]);
    expect(events.publication).toMatchObject([
      { offset: 1, info: { user: 'alice' } },
      { offset: 2, info: { user: 'alice' } },
    ]);
  });

  it('reads history, presence and its numbers', async () => {
    const { client, subscription } = await subscribed('facts');
    await subscribed('facts', 'bob');
    for (const n of [1, 2, 3]) await subscription.publish(pack(n));
    const history = await subscription.history({ limit: 2 });
    expect(history.publications.map(({ data }) => unpack(data))).toEqual([1, 2]);
    expect(history.offset).toBe(3);
    const since = await subscription.history({ limit: 10, since: { offset: 2, epoch: history.epoch } });
    expect(since.publications.map(({ data }) => unpack(data))).toEqual([3]);
    const back = await client.history(own('facts'), { limit: 1, reverse: true });
    expect(back.publications.map(({ data }) => unpack(data))).toEqual([3]);
    const { clients } = await subscription.presence();
    expect(
      Object.values(clients)
        .map(({ user }) => user)
        .toSorted(),
    ).toEqual(['alice', 'bob']);
    expect(await client.presenceStats(own('facts'))).toEqual({ numClients: 2, numUsers: 2 });
  });

  it('is told who comes and goes, and of its own coming', async () => {
    const first = await subscribed('doors');
    await until(() => first.events.join.length === 1);
    const second = await subscribed('doors', 'bob');
    await until(() => first.events.join.length === 2);
    expect(first.events.join.map(({ info }) => info.user)).toEqual(['alice', 'bob']);
    second.subscription.unsubscribe();
    await until(() => first.events.leave.length === 1);
    const third = await subscribed('doors', 'carol');
    third.client.disconnect();
    await until(() => first.events.leave.length === 2);
    expect(first.events.leave.map(({ info }) => info.user)).toEqual(['bob', 'carol']);
    expect(await first.client.presenceStats(own('doors'))).toEqual({ numClients: 1, numUsers: 1 });
  });

  it('is told what it may not', async () => {
    const client = await connectClient(server, { user: 'alice', encoding });
    const refused = async (channel: string): Promise<number | undefined> => {
      const subscription = client.newSubscription(channel);
      const events = record(subscription);
      subscription.subscribe();
      await until(() => events.unsubscribed.length > 0);
      return events.unsubscribed[0]?.code;
    };
    expect(await refused('closed:news')).toBe(103);
    expect(await refused('nowhere:news')).toBe(102);
    expect(await refused('größe')).toBe(107);
    await expect(client.publish('plain:news', pack(1))).rejects.toMatchObject({ code: 103 });
    await expect(client.history('plain:news', { limit: 1 })).rejects.toMatchObject({ code: 108 });
    await expect(client.presence('plain:news')).rejects.toMatchObject({ code: 108 });
    await expect(client.rpc('method', pack({}))).rejects.toMatchObject({ code: 108 });
  });

  it('is subscribed to its personal channel', async () => {
    const client = newClient(server, { user: 'dora', encoding });
    const events = recordClient(client);
    client.connect();
    await client.ready();
    await until(() => events.subscribed.length === 1);
    await api(server, 'publish', { channel: '#dora', data: 'for you' });
    await until(() => events.publication.length === 1);
    expect(events.publication.map(({ channel, data }) => [channel, unpack(data)])).toEqual([
      ['#dora', 'for you'],
    ]);
  });

  it('obeys the server API: subscribe, unsubscribe, disconnect', async () => {
    const client = newClient(server, { user: 'eve', encoding });
    const events = recordClient(client);
    client.connect();
    await client.ready();
    await api(server, 'subscribe', { user: 'eve', channel: 'given', data: { why: 'because' } });
    await until(() => events.subscribed.some(({ channel }) => channel === 'given'));
    await api(server, 'publish', { channel: 'given', data: 1 });
    await until(() => events.publication.length === 1);
    await api(server, 'unsubscribe', { user: 'eve', channel: 'given' });
    await until(() => events.unsubscribed.some(({ channel }) => channel === 'given'));
    await api(server, 'disconnect', { user: 'eve', disconnect: { code: 4501, reason: 'enough' } });
    await until(() => events.disconnected.length === 1);
    expect(events.disconnected).toEqual([{ code: 4501, reason: 'enough' }]);
  });
});
