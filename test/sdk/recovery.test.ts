import type { Centrifuge } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import {
  api,
  connectClient,
  encodings,
  freePort,
  gyre,
  openWire,
  payloads,
  record,
  until,
  type Gyre,
} from '../harness/index.ts';

const config = {
  client: { insecure: true },
  log: { level: 'info' },
  channel: {
    without_namespace: { history_size: 1000, history_ttl: '300s', force_recovery: true },
    namespaces: [{ name: 'small', history_size: 5, history_ttl: '300s', force_recovery: true }],
  },
};

/** Cuts the socket under a client, as a lost network does. */
function cut(client: Centrifuge): void {
  (client as unknown as { _transport: { _transport: WebSocket } })._transport._transport.close();
}

const publish = (server: Gyre, channel: string, data: unknown) => api(server, 'publish', { channel, data });

describe.each(encodings)('a client in %s that was away', (encoding) => {
  const { unpack } = payloads(encoding);

  it('gets all it missed, in order and once', async () => {
    const server = await gyre.start({ config });
    const client = await connectClient(server, { encoding, minReconnectDelay: 100 });
    const subscription = client.newSubscription('c');
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();

    let published = 0;
    for (let round = 0; round < 5; round++) {
      await publish(server, 'c', ++published);
      cut(client);
      for (let i = 0; i < 20; i++) await publish(server, 'c', ++published);
      await until(() => events.subscribed.length === round + 2);
    }
    await until(() => events.publication.length >= published);
    expect(events.publication.map(({ data }) => unpack(data))).toEqual(
      Array.from({ length: published }, (_, i) => i + 1),
    );
    expect(events.publication.map(({ offset }) => offset)).toEqual(
      Array.from({ length: published }, (_, i) => i + 1),
    );
    expect(events.subscribed.slice(1).map(({ recovered }) => recovered)).toEqual(Array(5).fill(true));
  });

  it('is told when what it missed is gone', async () => {
    const server = await gyre.start({ config });
    const client = await connectClient(server, { encoding, minReconnectDelay: 300, maxReconnectDelay: 300 });
    const subscription = client.newSubscription('small:c');
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();
    cut(client);
    await until(() => events.subscribing.length === 2);
    for (let i = 0; i < 10; i++) await publish(server, 'small:c', i);
    await until(() => events.subscribed.length === 2);
    expect(events.subscribed[1]).toMatchObject({ wasRecovering: true, recovered: false });
    await publish(server, 'small:c', 'after');
    await until(() => events.publication.some(({ data }) => unpack(data) === 'after'));
  });

  it('is told when the server has lost its memory', async () => {
    const port = await freePort();
    const first = await gyre.start({ config, port });
    const client = await connectClient(first, { encoding });
    const subscription = client.newSubscription('c');
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();
    await publish(first, 'c', 1);
    await until(() => events.publication.length === 1);
    await first.stop();
    const second = await gyre.start({ config, port });
    await until(() => events.subscribed.length === 2);
    expect(events.subscribed[1]).toMatchObject({ wasRecovering: true, recovered: false });
    await publish(second, 'c', 2);
    await until(() => events.publication.length === 2);
  });
});

describe.each(encodings)('a client in %s that does not read', (encoding) => {
  const { unpack } = payloads(encoding);

  it('is closed with 3008, recovers later, and costs nobody else anything', async () => {
    const server = await gyre.start({
      config: { ...config, client: { insecure: true, queue_max_size: 100_000 } },
    });
    const quick = await connectClient(server, { encoding });
    const subscription = quick.newSubscription('c');
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();
    const slow = await openWire(server, encoding);
    slow.send({ id: 1, connect: {} }, { id: 2, subscribe: { channel: 'c' } });
    await until(() => slow.received().length === 2);
    slow.socket.pause();

    const payload = 'x'.repeat(50_000);
    let published = 0;
    await until(
      async () => {
        for (let i = 0; i < 10; i++, published++) await publish(server, 'c', { n: published, payload });
        return server.logs().includes('"code":3008');
      },
      { deadline: 30_000, message: 'the slow client to be closed' },
    );
    await until(() => events.publication.length === published);
    expect(events.publication.map(({ data }) => (unpack(data) as { n: number }).n)).toEqual(
      Array.from({ length: published }, (_, i) => i),
    );
    slow.socket.resume();
    expect(await slow.end()).toEqual({ code: 3008, reason: 'slow' });
    expect(quick.state).toBe('connected');
  });
});
