import type { BrokerEvents, SubscriptionGrant } from '@gyre/broker';
import { clientError, disconnect, protobufCodec } from '@gyre/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { Gate } from './gate.ts';
import type { NodeOptions } from './options.ts';
import { grant, history, recoverable, settled, startNode, type Peer } from './testing.ts';

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

async function start(
  gate: Partial<Gate> = {},
  options: Partial<NodeOptions> = {},
  listen?: (events: BrokerEvents) => void,
) {
  const started = await startNode(gate, options, {}, listen);
  stop = started.stop;
  return started;
}

const data = (text: string) => ({ data: Buffer.from(text) });
const granting = (granted: SubscriptionGrant): Partial<Gate> => ({ subscribe: async () => granted });

async function subscribe(peer: Peer, request: object = {}) {
  peer.send({ id: 2, subscribe: { channel: 'c', ...request } });
  await settled();
  return peer.messages();
}

describe('connecting', () => {
  it('comes first, and once', async () => {
    const { open } = await start();
    const early = open();
    early.send({ id: 1, subscribe: { channel: 'c' } });
    const twice = open();
    twice.send({ id: 1, connect: {} }, { id: 2, connect: {} });
    await settled();
    expect(early.transport.ended?.code).toBe(3501);
    expect(twice.transport.ended?.code).toBe(3501);
  });

  it('answers who the client is, and how pings go', async () => {
    const { open, node } = await start();
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(peer.messages()).toEqual([
      { id: 1, connect: { client: peer.session.id, version: '1', ping: 25, pong: true } },
    ]);
    expect(node.gauges).toEqual({ clients: 1, users: 1, channels: 0, subscriptions: 0, open: 1 });
  });

  it('ends in an error reply that leaves the connection unusable', async () => {
    const { open } = await start({
      connecting: async () => {
        throw clientError('tokenExpired');
      },
    });
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(peer.messages()).toEqual([{ id: 1, error: { code: 109, message: 'token expired' } }]);
    expect(peer.transport.ended).toBeUndefined();
    peer.send({ id: 2, subscribe: { channel: 'c' } });
    await settled();
    expect(peer.transport.ended?.code).toBe(3501);
  });

  it('[CON8] forgets what came before its error reply', async () => {
    let refuse: () => void = () => undefined;
    const { open } = await start({
      connecting: () => new Promise((_, reject) => (refuse = () => reject(clientError('tokenExpired')))),
    });
    const peer = open();
    peer.send({ id: 1, connect: {} }, { id: 2, rpc: {} });
    peer.send({ id: 3, rpc: {} });
    refuse();
    await settled();
    expect(peer.messages()).toEqual([{ id: 1, error: { code: 109, message: 'token expired' } }]);
    expect(peer.transport.ended).toBeUndefined();
  });

  it('makes the server-side subscriptions of the grant, and recovers them', async () => {
    const { open, broker } = await start({
      connecting: async () => ({ user: 'u', subscriptions: new Map([['s', recoverable]]) }),
    });
    const { position } = await broker.publish('s', data('1'), { history });
    await broker.publish('s', data('2'), { history });
    const peer = open();
    peer.send({ id: 1, connect: { subs: { s: { recover: true, offset: 1, epoch: position?.epoch } } } });
    await settled();
    await broker.publish('s', data('3'), { history });
    await settled();
    const [reply, push] = peer.messages();
    expect(reply).toMatchObject({
      connect: {
        subs: {
          s: { recovered: true, was_recovering: true, offset: 1, publications: [{ data: 2, offset: 2 }] },
        },
      },
    });
    expect(push).toEqual({ push: { channel: 's', pub: { data: 3, offset: 3 } } });
  });

  it('is refused over the limits', async () => {
    const { open } = await start(
      {
        connecting: async () => ({
          user: 'u',
          subscriptions: new Map([
            ['a', grant],
            ['b', grant],
          ]),
        }),
      },
      { channelLimit: 1 },
    );
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(peer.transport.ended?.code).toBe(3505);

    const users = await startNode({}, { userConnectionLimit: 1 });
    const first = await users.connected();
    const second = await users.connected();
    expect(first.transport.ended).toBeUndefined();
    expect(second.transport.ended?.code).toBe(3504);
    await users.stop();
  });
});

describe('subscribing', () => {
  it('answers, then pushes what is published', async () => {
    const { connected, broker, node } = await start();
    const peer = await connected();
    expect(await subscribe(peer)).toEqual([{ id: 2, subscribe: {} }]);
    await broker.publish('c', data('{"a":1.0}'), {});
    await settled();
    expect(peer.transport.text().at(-1)).toBe('{"push":{"channel":"c","pub":{"data":{"a":1.0}}}}');
    expect(node.gauges).toMatchObject({ channels: 1, subscriptions: 1 });
  });

  it('refuses what needs no policy to be refused', async () => {
    const { connected } = await start({}, { channelLimit: 1 });
    const peer = await connected();
    await subscribe(peer);
    expect(await subscribe(peer)).toMatchObject([{ error: { code: 105 } }]);
    expect(await subscribe(peer, { channel: 'd' })).toMatchObject([{ error: { code: 106 } }]);
    expect(await subscribe(peer, { channel: 'c', delta: 'other' })).toEqual([]);
    expect(peer.transport.ended?.code).toBe(3501);
  });

  it('leaves nothing behind when the engine fails', async () => {
    const { connected, presence, node } = await start(granting({ ...grant, presence: true }));
    const add = presence.add.bind(presence);
    presence.add = async () => {
      throw new Error('down');
    };
    const peer = await connected();
    expect(await subscribe(peer)).toMatchObject([{ error: { code: 100, temporary: true } }]);
    expect(node.gauges).toMatchObject({ channels: 0, subscriptions: 0 });
    expect(peer.transport.ended).toBeUndefined();
    presence.add = add;
    expect(await subscribe(peer)).toEqual([{ id: 2, subscribe: {} }]);
  });

  it('is in presence by the time of the answer, and out of it when it ends', async () => {
    const { connected, presence } = await start(granting({ ...grant, presence: true }));
    const peer = await connected();
    await subscribe(peer);
    expect(await presence.stats('c')).toEqual({ clients: 1, users: 1 });
    peer.send({ id: 3, unsubscribe: { channel: 'c' } });
    await settled();
    expect(peer.messages()).toEqual([{ id: 3, unsubscribe: {} }]);
    expect(await presence.stats('c')).toEqual({ clients: 0, users: 0 });
  });

  it('tells others of join and leave, and the subscriber of its own join after the answer', async () => {
    const { connected } = await start(granting({ ...grant, joinLeave: true, pushJoinLeave: true }));
    const [first, second] = [await connected(), await connected()];
    const info = (peer: Peer) => ({ info: { user: 'u', client: peer.session.id } });
    expect(await subscribe(first)).toEqual([
      { id: 2, subscribe: {} },
      { push: { channel: 'c', join: info(first) } },
    ]);
    await subscribe(second);
    expect(first.messages()).toEqual([{ push: { channel: 'c', join: info(second) } }]);
    second.session.closed();
    await settled();
    expect(first.messages()).toEqual([{ push: { channel: 'c', leave: info(second) } }]);
  });

  it('recovers what was missed, and says when it cannot', async () => {
    const { connected, broker } = await start(granting(recoverable));
    for (let i = 1; i <= 5; i++) await broker.publish('c', data(String(i)), { history });
    const { position } = await broker.history('c', { limit: 0 }, history);
    const epoch = position.epoch;

    const back = await connected();
    expect(await subscribe(back, { recover: true, offset: 3, epoch })).toEqual([
      {
        id: 2,
        subscribe: {
          recoverable: true,
          positioned: true,
          was_recovering: true,
          recovered: true,
          epoch,
          offset: 3,
          publications: [
            { data: 4, offset: 4 },
            { data: 5, offset: 5 },
          ],
        },
      },
    ]);
    const stranger = await connected();
    const unrecovered = { recoverable: true, positioned: true, was_recovering: true, epoch, offset: 5 };
    expect(await subscribe(stranger, { recover: true, offset: 3, epoch: 'other' })).toEqual([
      { id: 2, subscribe: unrecovered },
    ]);
    const strict = await connected();
    expect(await subscribe(strict, { recover: true, offset: 3, epoch: 'other', flag: 2 })).toMatchObject([
      { error: { code: 112 } },
    ]);
  });

  it('recovers no more than it may', async () => {
    const { connected, broker } = await start(granting(recoverable), { recoveryMaxPublicationLimit: 3 });
    for (let i = 1; i <= 5; i++) await broker.publish('c', data(String(i)), { history });
    const { epoch } = (await broker.history('c', { limit: 0 }, history)).position;
    const three = await connected();
    expect(await subscribe(three, { recover: true, offset: 2, epoch })).toMatchObject([
      { subscribe: { recovered: true } },
    ]);
    const four = await connected();
    const [answer] = await subscribe(four, { recover: true, offset: 1, epoch });
    expect(answer).toMatchObject({ subscribe: { was_recovering: true, offset: 5 } });
    expect(answer).not.toHaveProperty('subscribe.recovered');
  });

  it('sends the newest publication in cache mode', async () => {
    const { connected, broker } = await start(
      granting({ ...recoverable, recoveryMode: 'cache', autoCacheRecover: true }),
    );
    const empty = await connected();
    expect((await subscribe(empty))[0]).not.toHaveProperty('subscribe.recovered');
    for (let i = 1; i <= 3; i++) await broker.publish('c', data(String(i)), { history });
    const peer = await connected();
    expect(await subscribe(peer)).toMatchObject([
      { subscribe: { recovered: true, publications: [{ data: 3, offset: 3 }] } },
    ]);
  });
});

describe('publications that did not reach the node', () => {
  /** What is published meanwhile does not reach the node. */
  async function miss({ broker }: Awaited<ReturnType<typeof start>>, channel: string): Promise<void> {
    await broker.unsubscribe(channel);
    await broker.publish(channel, data('"missed"'), { history });
    await broker.subscribe(channel);
  }

  const see = async ({ broker }: Awaited<ReturnType<typeof start>>, channel: string): Promise<void> => {
    await broker.publish(channel, data('"seen"'), { history });
    await settled();
  };

  const pushed = (messages: Record<string, unknown>[]) =>
    messages.map((message) => (message as { push: { pub: { data: string; offset: number } } }).push.pub);

  it('are read and delivered in order, and the client notices nothing', async () => {
    const node = await start(granting(recoverable));
    const peer = await node.connected();
    await subscribe(peer);
    await miss(node, 'c');
    await miss(node, 'c');
    await see(node, 'c');
    expect(pushed(peer.messages())).toEqual([
      { data: 'missed', offset: 1 },
      { data: 'missed', offset: 2 },
      { data: 'seen', offset: 3 },
    ]);
    await see(node, 'c');
    expect(pushed(peer.messages())).toEqual([{ data: 'seen', offset: 4 }]);
    expect(node.node.stats.gaps).toEqual({ found: 1, filled: 3 });
    expect(node.node.stats.gapFills.counts.reduce((a, b) => a + b)).toBe(1);
  });

  it('are found after a broken connection, though nothing follows', async () => {
    let uncertain: (channels: readonly string[]) => void = () => undefined;
    const node = await start(
      granting(recoverable),
      {},
      (events) => (uncertain = events.uncertain!.bind(events)),
    );
    const peer = await node.connected();
    await subscribe(peer);
    await miss(node, 'c');
    uncertain(['c', 'nobody is here']);
    await settled();
    expect(pushed(peer.messages())).toEqual([{ data: 'missed', offset: 1 }]);
  });

  it('[REC15] end the subscription with 2500 where they are gone', async () => {
    const node = await start(granting(recoverable));
    const peer = await node.connected();
    const [reply] = await subscribe(peer);
    await miss(node, 'c');
    await node.broker.removeHistory('c');
    await see(node, 'c');
    expect(peer.messages()).toEqual([
      { push: { channel: 'c', unsubscribe: { code: 2500, reason: 'insufficient state' } } },
    ]);
    const { epoch } = (reply as { subscribe: { epoch: string } }).subscribe;
    const [again] = await subscribe(peer, { recover: true, offset: 0, epoch });
    expect(again).toMatchObject({ subscribe: { was_recovering: true, offset: 2 } });
    expect(again).not.toHaveProperty('subscribe.recovered');
    await see(node, 'c');
    expect(pushed(peer.messages())).toEqual([{ data: 'seen', offset: 3 }]);
  });

  it('[REC2][REC15] show that the stream is another one, and leave its epoch to the answer that tells', async () => {
    const node = await start(granting(recoverable));
    const peer = await node.connected();
    await subscribe(peer);
    await see(node, 'c');
    const [first] = pushed(peer.messages()) as { epoch?: string }[];
    // The stream is forgotten with this one.
    await node.broker.publish('c', data('"last"'), { history: { ...history, metaTtlMs: 0 } });
    await settled();
    peer.messages();
    await see(node, 'c');
    expect(peer.messages()).toEqual([
      { push: { channel: 'c', pub: { data: 'seen', offset: 1 } } },
      { push: { channel: 'c', unsubscribe: { code: 2500, reason: 'insufficient state' } } },
    ]);
    const [again] = await subscribe(peer, { recover: true, offset: 1, epoch: first?.epoch });
    expect(again).toMatchObject({ subscribe: { was_recovering: true, offset: 1 } });
    expect(again).not.toHaveProperty('subscribe.recovered');
  });

  it('[REC15] end the connection where the server made the subscription', async () => {
    const node = await start({
      connecting: async () => ({ user: 'u', subscriptions: new Map([['s', recoverable]]) }),
    });
    const peer = await node.connected();
    await miss(node, 's');
    await node.broker.removeHistory('s');
    await see(node, 's');
    expect(peer.transport.ended).toEqual({ code: 3010, reason: 'insufficient state' });
    expect(node.node.gauges).toMatchObject({ clients: 0, channels: 0, subscriptions: 0 });
  });
});

describe('a connection', () => {
  it('is answered in the order of its commands', async () => {
    const { connected } = await start({
      rpc: async (_client, method) => {
        if (method === 'slow') await settled();
        return Buffer.from(`"${method}"`);
      },
    });
    const peer = await connected();
    peer.send({ id: 2, rpc: { method: 'slow' } }, { id: 3, rpc: { method: 'quick' } });
    peer.send({ id: 4, rpc: { method: 'last' } });
    await settled();
    await settled();
    expect(peer.messages().map((message) => message['id'])).toEqual([2, 3, 4]);
  });

  it('gets an internal error for what nobody expected, and lives', async () => {
    const { connected } = await start({
      rpc: async () => {
        throw new TypeError('a bug');
      },
    });
    const peer = await connected();
    peer.send({ id: 2, rpc: {} });
    await settled();
    expect(peer.messages()).toEqual([
      { id: 2, error: { code: 100, message: 'internal server error', temporary: true } },
    ]);
    expect(peer.transport.ended).toBeUndefined();
  });

  it('ends with 3501 for a frame that is none, 3506 for a payload its wire cannot carry, 3508 for send', async () => {
    const { connected, broker } = await start();
    const garbled = await connected();
    garbled.session.receive(Buffer.from('{'));
    const json = await connected();
    await subscribe(json);
    await broker.publish('c', data('not JSON'), {});
    const sending = await connected();
    sending.send({ send: { data: 1 } });
    await settled();
    expect(garbled.transport.ended?.code).toBe(3501);
    expect(json.transport.ended?.code).toBe(3506);
    expect(sending.transport.ended?.code).toBe(3508);
  });

  it('ends with 3008 when it does not read, others go on', async () => {
    const { connected, broker } = await start({}, { queueMaxSize: 1000 });
    const [slow, quick] = [await connected(), await connected()];
    await subscribe(slow);
    await subscribe(quick);
    slow.transport.stalled = true;
    for (let i = 0; i < 50; i++) {
      await broker.publish('c', data(`"${'x'.repeat(100)}"`), {});
      await settled();
    }
    expect(slow.transport.ended).toEqual({ code: 3008, reason: 'slow' });
    expect(quick.messages()).toHaveLength(50);
    expect(quick.transport.ended).toBeUndefined();
  });

  it('[FRM14] takes nobody with it when its wire cannot carry a payload', async () => {
    const { connected, open, broker } = await start();
    const json = await connected();
    const binary = open(protobufCodec);
    await subscribe(json);
    // Connect, and subscribe to c.
    binary.session.receive(Buffer.of(4, 8, 1, 0x22, 0, 7, 8, 2, 0x2a, 3, 0x0a, 1, 0x63));
    await settled();
    await broker.publish('c', data('not JSON'), {});
    await settled();
    expect(json.transport.ended?.code).toBe(3506);
    expect(binary.transport.text().join('')).toContain('not JSON');
  });

  it('refuses a pong that nobody asked for', async () => {
    const { connected } = await start();
    const peer = await connected();
    peer.send({});
    await settled();
    expect(peer.transport.ended?.code).toBe(3501);
  });

  it('ends when it says nothing after its pings, or nothing at all', async () => {
    const { connected, open } = await start({}, { pingInterval: 100, pongTimeout: 50, staleCloseDelay: 100 });
    const mute = await connected();
    const stale = open();
    await expect.poll(() => mute.transport.ended?.code, { timeout: 5000 }).toBe(3012);
    await expect.poll(() => stale.transport.ended?.code, { timeout: 5000 }).toBe(3502);
    expect(mute.messages()).toEqual([{}]);
  });

  it('[PNG5] is not pinged where there are no pings', async () => {
    const { open } = await start({}, { pingInterval: 0, pongTimeout: 0, staleCloseDelay: 100 });
    const [peer, stale] = [open(), open()];
    peer.send({ id: 1, connect: {} });
    await expect.poll(() => stale.transport.ended?.code, { timeout: 5000 }).toBe(3502);
    expect(peer.messages()).toEqual([{ id: 1, connect: { client: peer.session.id, version: '1' } }]);
    expect(peer.transport.ended).toBeUndefined();
  });

  it('[LIM4] may wait with many commands, not with any number', async () => {
    let release: () => void = () => undefined;
    const { connected } = await start({
      rpc: () => new Promise((resolve) => (release = () => resolve(undefined))),
    });
    const peer = await connected();
    peer.send({ id: 2, rpc: {} });
    for (let i = 0; i < 1100; i++) peer.send({ id: 3, publish: { channel: 'c', data: 1 } });
    await settled();
    expect(peer.transport.ended?.code).toBe(3013);
    release();
  });
});

describe('control', () => {
  const target = { user: 'u' };

  it('subscribes, unsubscribes, refreshes and disconnects', async () => {
    const { connected, control, broker } = await start();
    const [peer, spared] = [await connected(), await connected()];
    const only = { user: 'u', client: peer.session.id };
    await control.send({
      type: 'subscribe',
      target: only,
      channel: 'c',
      grant: { ...grant, data: Buffer.from('1') },
    });
    await broker.publish('c', data('2'), {});
    await control.send({ type: 'unsubscribe', target: only, channel: 'c' });
    await broker.publish('c', data('3'), {});
    await control.send({ type: 'refresh', target: only, expired: false, expireAt: Date.now() / 1000 + 100 });
    await settled();
    expect(peer.messages()).toEqual([
      { push: { channel: 'c', subscribe: { data: 1 } } },
      { push: { channel: 'c', pub: { data: 2 } } },
      { push: { channel: 'c', unsubscribe: { code: 2000, reason: 'server unsubscribe' } } },
      { push: { refresh: { expires: true, ttl: 100 } } },
    ]);
    await control.send({
      type: 'disconnect',
      target,
      code: 4501,
      reason: 'bye',
      whitelist: [spared.session.id],
    });
    expect(peer.transport.ended).toEqual({ code: 4501, reason: 'bye' });
    expect(spared.transport.ended).toBeUndefined();
    await control.send({ type: 'refresh', target, expired: true, expireAt: 0 });
    expect(spared.transport.ended?.code).toBe(disconnect('connectionExpired').code);
  });

  it('brings what was missed as pushes after the subscribe push', async () => {
    const { connected, control, broker } = await start();
    for (let i = 1; i <= 3; i++) await broker.publish('c', data(String(i)), { history });
    const { epoch } = (await broker.history('c', { limit: 0 }, history)).position;
    const peer = await connected();
    await control.send({
      type: 'subscribe',
      target,
      channel: 'c',
      grant: recoverable,
      recoverSince: { offset: 1, epoch },
    });
    await broker.publish('c', data('4'), { history });
    await settled();
    expect(peer.messages()).toEqual([
      { push: { channel: 'c', subscribe: { recoverable: true, positioned: true, epoch, offset: 1 } } },
      { push: { channel: 'c', pub: { data: 2, offset: 2 } } },
      { push: { channel: 'c', pub: { data: 3, offset: 3 } } },
      { push: { channel: 'c', pub: { data: 4, offset: 4 } } },
    ]);
  });

  it('answers surveys', async () => {
    const { connected, control } = await start();
    await subscribe(await connected());
    const info = await control.survey('info', {});
    expect(info.answers).toMatchObject([{ uid: 'uid', numClients: 1, numChannels: 1, numSubs: 1 }]);
    const page = await control.survey('channels', { pattern: 'c*', after: '', limit: 10 });
    expect(page.answers).toEqual([{ channels: [{ channel: 'c', numClients: 1 }], more: false }]);
  });
});

describe('draining', () => {
  it('tells everybody, leaves nothing in presence, and refuses the new', async () => {
    const { connected, presence, node, broker, control } = await startNode(
      granting({ ...grant, presence: true }),
    );
    const peers = await Promise.all(Array.from({ length: 20 }, () => connected()));
    for (const peer of peers) await subscribe(peer);
    await node.drain(100);
    expect(new Set(peers.map((peer) => peer.transport.ended?.code))).toEqual(new Set([3001]));
    expect(await presence.stats('c')).toEqual({ clients: 0, users: 0 });
    expect(node.gauges).toEqual({ clients: 0, users: 0, channels: 0, subscriptions: 0, open: 0 });
    expect(() => node.open(peers[0]!.transport, peers[0]!.session.codec)).not.toThrow();
    expect(node.open(peers[0]!.transport, peers[0]!.session.codec)).toBeUndefined();
    await Promise.all([control.close(), broker.close(), presence.close()]);
  });
});
