import { beforeAll, describe, expect, it } from 'vitest';
import { api, encodings, gyre, until, wire, type Gyre } from '../harness/index.ts';
import { fresh, freshUser, kept, permitted, token } from './stage.ts';

let server: Gyre;
beforeAll(async () => {
  const anyone = {
    allow_subscribe_for_client: true,
    allow_subscribe_for_anonymous: true,
    presence: true,
    ...kept,
  };
  const subscriber = {
    allow_publish_for_subscriber: true,
    allow_presence_for_subscriber: true,
    allow_history_for_subscriber: true,
  };
  const anonymous = {
    allow_publish_for_anonymous: true,
    allow_presence_for_anonymous: true,
    allow_history_for_anonymous: true,
  };
  server = await gyre.start({
    config: {
      client: {
        allow_anonymous_connect_without_token: true,
        history_max_publication_limit: 5,
        presence_max_members: 3,
      },
      rpc: { ping: { enabled: true } },
      channel: {
        without_namespace: { ...permitted, ...kept, presence: true },
        namespaces: [
          { name: 'closed', ...anyone },
          { name: 'clients', ...anyone, ...permitted },
          { name: 'subscribers', ...anyone, ...subscriber },
          { name: 'both', ...anyone, ...permitted, ...anonymous },
          { name: 'anonymous', ...anyone, ...anonymous },
          { name: 'off', ...permitted },
          { name: 'json', ...permitted, publication_data_format: 'json' },
          { name: 'object', ...permitted, publication_data_format: 'json_object' },
          { name: 'binary', ...permitted, publication_data_format: 'binary' },
          { name: 'digits', ...permitted, channel_regex: '^[0-9]+$' },
        ],
      },
    },
  });
});

const publish = (channel: string, data: unknown, more: object = {}) =>
  api<{ offset: number }>(server, 'publish', { channel, data, ...more });

describe.each(encodings)('in %s', (encoding) => {
  const as = (user: string, claims: object = {}) =>
    wire(server, encoding, token(server, { sub: user, ...claims }));

  describe('publishing', () => {
    it('[PUB1][PUB2] reaches subscribers with the name of who published', async () => {
      const channel = fresh();
      const [client, other] = [await as('ann', { info: { name: 'Ann' } }), await as('bob')];
      const subscribe = { channel, ...token(server, { sub: 'ann', channel, info: { seat: 1 } }) };
      await client.call({ subscribe });
      await other.call({ subscribe: { channel } });
      expect((await client.call({ publish: { channel, data: { n: 1 } } })).publish).toEqual({});
      await publish(channel, { n: 2 });
      await other.call({ publish: { channel, data: { n: 3 } } });
      const { client: id } = client.connected;
      for (const whose of [client, other]) {
        const [first, second, third] = await whose.pushed('pub', 3);
        expect(first?.pub).toMatchObject({
          data: { n: 1 },
          offset: 1,
          info: { user: 'ann', client: id, conn_info: { name: 'Ann' }, chan_info: { seat: 1 } },
        });
        expect(second?.pub).toEqual({ data: { n: 2 }, offset: 2 });
        expect(third?.pub?.info).toEqual({ user: 'bob', client: other.connected.client });
      }
    });

    it('[PUB4] takes data of the right kind', async () => {
      const client = await as('ann');
      const code = async (namespace: string, data: unknown) => {
        const command = data === undefined ? {} : { data };
        return (await client.call({ publish: { channel: fresh(namespace), ...command } })).error?.code ?? 0;
      };
      const kinds = ['', 'json', 'object', 'binary'];
      const codes = (data: unknown) => Promise.all(kinds.map((kind) => code(kind, data)));
      expect(await codes(undefined)).toEqual([107, 107, 107, 0]);
      expect(await codes({ n: 1 })).toEqual([0, 0, 0, 0]);
      expect(await codes([1])).toEqual([0, 0, 107, 0]);
      if (encoding === 'protobuf') expect(await codes(Buffer.of(1, 2, 3))).toEqual([0, 107, 107, 0]);
    });

    it('[PUB6] carries tags, and versions that rise', async () => {
      const channel = fresh();
      const client = await as('ann');
      await client.call({ subscribe: { channel } });
      await publish(channel, 1, { tags: { a: 'b', ü: '' }, version: 5 });
      await publish(channel, 2, { version: 5 });
      await publish(channel, 3, { version: 4 });
      await publish(channel, 4, { version: 6 });
      await client.fence();
      expect(client.pushes('pub').map(({ pub }) => pub)).toMatchObject([
        { data: 1, offset: 1, tags: { a: 'b', ü: '' }, version: 5 },
        { data: 4, offset: 2, version: 6 },
      ]);
    });

    it('[PUB7] is not for maps', async () => {
      const client = await as('ann');
      const map = { channel: fresh(), type: 1, key: 'k', data: 1 };
      expect(await client.call({ publish: map })).toMatchObject({ error: { code: 108 } });
    });
  });

  describe('permissions', () => {
    it.each([
      ['[PUB3] publish', { data: 1 }, 'publish'],
      ['[PRE5] presence', {}, 'presence'],
      ['[PRE5] presence_stats', {}, 'presence_stats'],
      ['[HIS6] history', { limit: 1 }, 'history'],
    ])('%s', async (_rule, request, method) => {
      const code = async (user: string, namespace: string, subscribed: boolean) => {
        const client = user === '' ? await wire(server, encoding) : await as(user);
        const channel = fresh(namespace);
        if (subscribed) await client.call({ subscribe: { channel } });
        return (await client.call({ [method]: { channel, ...request } })).error?.code ?? 0;
      };
      const codes = async (user: string, subscribed: boolean) =>
        Promise.all(
          ['closed', 'clients', 'subscribers', 'both', 'anonymous'].map((each) =>
            code(user, each, subscribed),
          ),
        );
      expect(await codes('ann', false)).toEqual([103, 0, 103, 0, 103]);
      expect(await codes('ann', true)).toEqual([103, 0, 0, 0, 103]);
      expect(await codes('', false)).toEqual([103, 103, 103, 0, 103]);
      expect(await codes('', true)).toEqual([103, 103, 103, 0, 103]);
    });

    it.each(['publish', 'presence', 'presence_stats', 'history'])(
      '[PUB5] %s needs a good name',
      async (method) => {
        const client = await as('ann');
        const request = (channel: string) => ({ [method]: { channel, data: 1 } });
        expect(await client.call(request('nowhere:c'))).toMatchObject({ error: { code: 102 } });
        expect(await client.call(request('größe'))).toMatchObject({ error: { code: 107 } });
        expect(await client.call(request('digits:x'))).toMatchObject({ error: { code: 107 } });
        client.send({ id: 2, ...request('') });
        expect(await client.end()).toEqual({ code: 3501, reason: 'bad request' });
      },
    );

    it('[PRE4][HIS5] are not asked for what is off', async () => {
      const client = await as('ann');
      for (const namespace of ['off']) {
        const channel = fresh(namespace);
        const off = { error: { code: 108, message: 'not available' } };
        expect(await client.call({ presence: { channel } })).toMatchObject(off);
        expect(await client.call({ presence_stats: { channel } })).toMatchObject(off);
        expect(await client.call({ history: { channel, limit: 1 } })).toMatchObject(off);
      }
    });
  });

  describe('presence', () => {
    it('[PRE1][PRE2] lists and counts who is there', async () => {
      const channel = fresh('both');
      const ann = freshUser();
      const clients = [await as(ann, { info: { n: 1 } }), await as(ann), await wire(server, encoding)];
      for (const client of clients) await client.call({ subscribe: { channel } });
      const [asker] = clients;
      const { presence } = (await asker!.call({ presence: { channel } })).presence ?? {};
      expect(new Set(Object.keys(presence ?? {}))).toEqual(
        new Set(clients.map((each) => each.connected.client)),
      );
      const { client: id = '' } = asker!.connected;
      expect(presence?.[id]).toEqual({ user: ann, client: id, conn_info: { n: 1 } });
      expect((await asker!.call({ presence_stats: { channel } })).presence_stats).toEqual({
        num_clients: 3,
        num_users: 2,
      });
    });

    it('[PRE2] counts all that have no user as one', async () => {
      const channel = fresh('both');
      const clients = [await wire(server, encoding), await wire(server, encoding)];
      for (const client of clients) await client.call({ subscribe: { channel } });
      expect((await clients[0]!.call({ presence_stats: { channel } })).presence_stats).toEqual({
        num_clients: 2,
        num_users: 1,
      });
    });

    it('[PRE3] holds from the reply on, until the end', async () => {
      const channel = fresh();
      const [watcher, comer, goer] = [await as('ann'), await as('bob'), await as('eve')];
      const count = async () =>
        (await watcher.call({ presence_stats: { channel } })).presence_stats?.num_clients ?? 0;
      await comer.call({ subscribe: { channel } });
      expect(await count()).toBe(1);
      await goer.call({ subscribe: { channel } });
      expect(await count()).toBe(2);
      await comer.call({ unsubscribe: { channel } });
      expect(await count()).toBe(1);
      goer.socket.destroy();
      await until(async () => (await count()) === 0);
      expect((await watcher.call({ presence: { channel } })).presence?.presence ?? {}).toEqual({});
    });

    it('[PRE6] is bounded', async () => {
      const channel = fresh();
      const clients = [await as('a'), await as('b'), await as('c'), await as('d')];
      for (const client of clients.slice(0, 3)) await client.call({ subscribe: { channel } });
      expect(await clients[3]!.call({ presence: { channel } })).toHaveProperty('presence.presence');
      await clients[3]!.call({ subscribe: { channel } });
      expect(await clients[3]!.call({ presence: { channel } })).toMatchObject({ error: { code: 106 } });
      expect(await clients[3]!.call({ presence_stats: { channel } })).toMatchObject({
        presence_stats: { num_clients: 4 },
      });
    });
  });

  describe('history', () => {
    const filled = async (count: number) => {
      const channel = fresh();
      for (let n = 1; n <= count; n++) await publish(channel, n, { tags: { n: String(n) } });
      const client = await as('ann');
      const history = async (request: object) => client.call({ history: { channel, ...request } });
      const epoch = (await history({ limit: 0 })).history?.epoch ?? '';
      const offsets = async (request: object) =>
        (await history(request)).history?.publications?.map(({ offset }) => offset) ?? [];
      return { client, channel, history, epoch, offsets };
    };

    it('[HIS1] gives what is kept, and where the stream stands', async () => {
      const { history, epoch, offsets } = await filled(3);
      expect(epoch).toMatch(/^[a-zA-Z]{8}$/);
      expect((await history({ limit: -1 })).history).toEqual({
        publications: [1, 2, 3].map((n) => ({ data: n, offset: n, tags: { n: String(n) } })),
        epoch,
        offset: 3,
      });
      expect((await history({ limit: 0 })).history).toMatchObject({ epoch, offset: 3 });
      expect(await offsets({ limit: 0 })).toEqual([]);
      expect(await offsets({ limit: 2 })).toEqual([1, 2]);
    });

    it('[HIS2] gives what follows a position', async () => {
      const { history, epoch, offsets } = await filled(5);
      expect(await offsets({ limit: 2, since: { offset: 2, epoch } })).toEqual([3, 4]);
      expect(await offsets({ limit: -1, since: { offset: 5, epoch } })).toEqual([]);
      expect(await offsets({ limit: -1, since: { offset: 3, epoch: '' } })).toEqual([4, 5]);
      expect(await history({ limit: -1, since: { offset: 3, epoch: 'otherOne' } })).toMatchObject({
        error: { code: 112, message: 'unrecoverable position' },
      });
    });

    it('[HIS3] can be read backwards', async () => {
      const { history, epoch, offsets } = await filled(5);
      expect(await offsets({ limit: 2, reverse: true })).toEqual([5, 4]);
      expect(await offsets({ limit: 2, reverse: true, since: { offset: 4, epoch } })).toEqual([3, 2]);
      expect(await history({ limit: 2, reverse: true, since: { offset: 0, epoch } })).toMatchObject({
        error: { code: 107 },
      });
    });

    it('[HIS4] is bounded', async () => {
      const { offsets } = await filled(7);
      for (const limit of [-1, 6, 1000]) expect(await offsets({ limit })).toEqual([1, 2, 3, 4, 5]);
      expect(await offsets({ limit: -1, reverse: true })).toEqual([7, 6, 5, 4, 3]);
    });
  });

  it('[RPC2] the built-in call is answered, no other', async () => {
    const client = await as('ann');
    expect((await client.call({ rpc: { method: 'ping' } })).rpc).toEqual({});
    expect((await client.call({ rpc: { method: 'ping', data: { n: 1 } } })).rpc).toEqual({});
    for (const method of ['', 'pong', 'ns:ping']) {
      expect((await client.call({ rpc: { method } })).error).toEqual({
        code: 104,
        message: 'method not found',
      });
    }
  });

  it.each([0, 7])('[SND1] a message (id %i) has no receiver', async (id) => {
    const client = await as('ann');
    client.send({ id, send: { data: { n: 1 } } });
    expect(await client.end()).toEqual({ code: 3508, reason: 'not available' });
  });
});
