import type { Centrifuge, Subscription, SubscriptionOptions } from 'centrifuge';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  api,
  connectClient,
  encodings,
  gyre,
  jwt,
  newClient,
  payloads,
  record,
  recordClient,
  until,
  type Gyre,
} from '../harness/index.ts';

/** The official JavaScript client: what its subscriptions expect when they come and go, patch, and load their state. */

let server: Gyre;
let names = 0;
beforeAll(async () => {
  const kept = { history_size: 100, history_ttl: '300s', force_recovery: true };
  server = await gyre.start({
    config: {
      client: { insecure: true },
      channel: {
        without_namespace: { ...kept, presence: true, allowed_delta_types: ['fossil'], delta_publish: true },
        namespaces: [{ name: 'small', ...kept, history_size: 2 }],
      },
    },
  });
});

const publish = (channel: string, data: unknown) => api(server, 'publish', { channel, data });

describe.each(encodings)('in %s', (encoding) => {
  const { pack, unpack } = payloads(encoding);
  const fresh = (namespace = '') => `${namespace}channel${++names}`;
  const connect = () => connectClient(server, { encoding });

  async function subscribe(client: Centrifuge, channel: string, options: Partial<SubscriptionOptions> = {}) {
    const subscription = client.newSubscription(channel, options);
    const events = record(subscription);
    subscription.subscribe();
    await until(() => events.subscribed.length === 1);
    return { subscription, events, data: () => events.publication.map(({ data }) => unpack(data)) };
  }

  /** Subscribed again after a pause in which something happened. */
  async function after(subscription: Subscription, pause: () => Promise<unknown>): Promise<void> {
    const events = record(subscription);
    subscription.unsubscribe();
    await pause();
    subscription.subscribe();
    await until(() => events.subscribed.length === 1);
  }

  describe('a client', () => {
    it('may connect and disconnect as fast as it likes', async () => {
      const client = newClient(server, { encoding });
      const events = recordClient(client);
      for (let i = 0; i < 10; i++) {
        client.connect();
        client.disconnect();
      }
      expect(client.state).toBe('disconnected');
      client.connect();
      await client.ready();
      expect(events.disconnected.every(({ code }) => code === 0)).toBe(true);
    });

    it('may subscribe and unsubscribe as fast as it likes', async () => {
      const client = await connect();
      const channel = fresh();
      const subscription = client.newSubscription(channel);
      for (let i = 0; i < 10; i++) {
        subscription.subscribe();
        subscription.unsubscribe();
      }
      subscription.subscribe();
      await subscription.ready();
      expect(await subscription.presenceStats()).toEqual({ numClients: 1, numUsers: 1 });
      expect(Object.keys((await subscription.presence()).clients)).toHaveLength(1);
      subscription.unsubscribe();
      await until(async () => (await client.presenceStats(channel)).numClients === 0);
      expect((await client.presence(channel)).clients).toEqual({});
    });

    it('may unsubscribe in the middle of connecting', async () => {
      const client = await connect();
      const { subscription, events } = await subscribe(client, fresh());
      client.disconnect();
      client.connect();
      subscription.unsubscribe();
      expect(subscription.state).toBe('unsubscribed');
      subscription.subscribe();
      await until(() => events.subscribed.length === 2);
    });

    it('may call before it is connected', async () => {
      const client = newClient(server, { encoding });
      client.connect();
      await expect(client.rpc('method', pack({}))).rejects.toMatchObject({ code: 108 });
    });

    it('connects and subscribes by tokens, once asked for each', async () => {
      let asked = 0;
      const ask = (claims: object) => async () => {
        asked++;
        return jwt({ ...claims }, server.tokenSecret);
      };
      const client = newClient(server, { encoding, getToken: ask({}) });
      const channels = Array.from({ length: 5 }, () => `$${fresh()}`);
      const subscriptions = channels.map((channel) =>
        client.newSubscription(channel, { getToken: ask({ channel }) }),
      );
      client.connect();
      for (const subscription of subscriptions) subscription.subscribe();
      await Promise.all(subscriptions.map((subscription) => subscription.ready()));
      expect(asked).toBe(6);
      const events = subscriptions.map(record);
      for (const subscription of subscriptions) subscription.unsubscribe();
      expect(events.map(({ unsubscribed }) => unsubscribed[0]?.code)).toEqual([0, 0, 0, 0, 0]);
    });
  });

  describe('a subscription', () => {
    it('gets what it missed while it was away, of its own will or its client’s', async () => {
      const client = await connect();
      const channel = fresh();
      const { subscription, events, data } = await subscribe(client, channel);
      await publish(channel, 1);
      await until(() => data().length === 1);
      await after(subscription, async () => {
        await publish(channel, 2);
        await publish(channel, 3);
      });
      client.disconnect();
      await publish(channel, 4);
      client.connect();
      await until(() => events.subscribed.length === 3);
      await publish(channel, 5);
      await until(() => data().length === 5);
      expect(data()).toEqual([1, 2, 3, 4, 5]);
      expect(events.subscribed.map(({ wasRecovering, recovered }) => [wasRecovering, recovered])).toEqual([
        [false, false],
        [true, true],
        [true, true],
      ]);
    });

    it('is told where that is not possible', async () => {
      const channel = fresh('small:');
      const { subscription, events, data } = await subscribe(await connect(), channel);
      await publish(channel, 1);
      await until(() => data().length === 1);
      await after(subscription, async () => {
        for (const n of [2, 3, 4, 5]) await publish(channel, n);
      });
      expect(events.subscribed[1]).toMatchObject({ wasRecovering: true, recovered: false });
      await publish(channel, 6);
      await until(() => data().length === 2);
      expect(data()).toEqual([1, 6]);
    });

    it('loads its state first, and again where what followed is lost', async () => {
      const channel = fresh('small:');
      const asked: number[] = [];
      const getState = async () => {
        const { result } = await api<{ offset: number; epoch: string }>(server, 'history', {
          channel,
          limit: 0,
        });
        asked.push(result!.offset);
        return result!;
      };
      await publish(channel, 1);
      const client = await connect();
      const { events, data } = await subscribe(client, channel, {
        getState,
        minResubscribeDelay: 20,
        maxResubscribeDelay: 20,
      });
      await publish(channel, 2);
      await until(() => data().length === 1);
      client.disconnect();
      await publish(channel, 3);
      client.connect();
      await until(() => events.subscribed.length === 2);
      expect(asked).toEqual([1]);
      client.disconnect();
      for (const n of [4, 5, 6]) await publish(channel, n);
      client.connect();
      await until(() => events.subscribed.length === 3);
      expect(asked).toEqual([1, 6]);
      expect(data()).toEqual([2, 3]);
    });

    it('gets all that is kept from the position nothing', async () => {
      const channel = fresh();
      for (const n of [1, 2]) await publish(channel, n);
      const { data } = await subscribe(await connect(), channel, { since: { offset: 0, epoch: '' } });
      await until(() => data().length === 2);
      expect(data()).toEqual([1, 2]);
    });
  });

  describe('a subscription with deltas', () => {
    const payload = (n: number) => ({ n, padding: 'x'.repeat(500) });

    it('gets one full publication and patches after it', async () => {
      const channel = fresh();
      const { subscription, data } = await subscribe(await connect(), channel, { delta: 'fossil' });
      for (let n = 0; n < 10; n++) await publish(channel, payload(n));
      await until(() => data().length === 10);
      expect(data()).toEqual(Array.from({ length: 10 }, (_, n) => payload(n)));
      const stats = subscription.deltaStats();
      expect(stats).toMatchObject({ numPublications: 10, numFullPayloads: 1, numDeltaPayloads: 9 });
      expect(stats.bytesReceived).toBeLessThan(stats.bytesDecoded / 5);
    });

    it('recovers, and goes on, whatever was missed', async () => {
      const channel = fresh();
      const client = await connect();
      const { subscription, events, data } = await subscribe(client, channel, { delta: 'fossil' });
      await publish(channel, payload(1));
      await until(() => data().length === 1);
      await after(subscription, async () => {
        for (const n of [2, 3]) await publish(channel, payload(n));
      });
      await publish(channel, payload(4));
      await until(() => data().length === 4);
      client.disconnect();
      client.connect();
      await until(() => events.subscribed.length === 3);
      await publish(channel, payload(5));
      await until(() => data().length === 5);
      expect(data()).toEqual([1, 2, 3, 4, 5].map(payload));
      // Full: the first one, the first one of an answer, and the one after an answer that brought nothing.
      expect(subscription.deltaStats()).toMatchObject({ numFullPayloads: 3, numDeltaPayloads: 2 });
    });

    it('comes back to where it began, having got nothing', async () => {
      const channel = fresh();
      await publish(channel, payload(1));
      const client = await connect();
      const { events, data } = await subscribe(client, channel, { delta: 'fossil' });
      client.disconnect();
      client.connect();
      await until(() => events.subscribed.length === 2);
      expect(events.subscribed[1]).toMatchObject({ recovered: true });
      for (const n of [2, 3]) await publish(channel, payload(n));
      await until(() => data().length === 2);
      expect(data()).toEqual([2, 3].map(payload));
    });

    it('needs no patch where it has only a position', async () => {
      const channel = fresh();
      await publish(channel, payload(1));
      const { data } = await subscribe(await connect(), channel, {
        delta: 'fossil',
        getState: async () =>
          (await api<{ offset: number; epoch: string }>(server, 'history', { channel, limit: 0 })).result!,
      });
      for (const n of [2, 3]) await publish(channel, payload(n));
      await until(() => data().length === 2);
      expect(data()).toEqual([2, 3].map(payload));
    });
  });
});
