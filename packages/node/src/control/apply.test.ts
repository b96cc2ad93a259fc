import type { SubscriptionGrant } from '@gyre/broker';
import { clientError } from '@gyre/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectGrant, Gate } from '../gate.ts';
import type { NodeOptions } from '../options.ts';
import { leave } from '../session/membership.ts';
import { grant, history, recoverable, settled, startNode } from '../testing.ts';

/** Commands that meet a connection while it is busy: what was under way is finished, then they hold. */

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

async function start(gate: Partial<Gate> = {}, options: Partial<NodeOptions> = {}) {
  const started = await startNode(gate, options);
  stop = started.stop;
  return started;
}

/** A promise that is kept when `open` is called. */
function held<T>(value: T): { promise: Promise<T>; open: () => void } {
  let open = (): void => undefined;
  const promise = new Promise<T>((resolve) => (open = () => resolve(value)));
  return { promise, open: () => open() };
}

const target = { user: 'u' };
const ended = { unsubscribe: { code: 2000, reason: 'server unsubscribe' } };
const joins: SubscriptionGrant = { ...grant, presence: true, joinLeave: true, pushJoinLeave: true };

describe('unsubscribe', () => {
  it('[UNS5] comes after the reply of a subscribe that is under way', async () => {
    const answer = held<SubscriptionGrant>(joins);
    const { connected, control, presence, node } = await start({ subscribe: () => answer.promise });
    const peer = await connected();
    peer.send({ id: 2, subscribe: { channel: 'c' } });
    await settled();
    await control.send({ type: 'unsubscribe', target, channel: 'c' });
    expect(peer.messages()).toEqual([]);
    answer.open();
    await settled();
    expect(peer.messages()).toMatchObject([
      { id: 2, subscribe: {} },
      { push: { channel: 'c', join: {} } },
      { push: { channel: 'c', ...ended } },
    ]);
    expect(await presence.stats('c')).toEqual({ clients: 0, users: 0 });
    expect(node.gauges).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it('[UNS5] says nothing more where that subscribe fails', async () => {
    const answer = held(undefined);
    const { connected, control } = await start({
      subscribe: async () => {
        await answer.promise;
        throw clientError('permissionDenied');
      },
    });
    const peer = await connected();
    peer.send({ id: 2, subscribe: { channel: 'c' } });
    await settled();
    await control.send({ type: 'unsubscribe', target, channel: 'c' });
    answer.open();
    await settled();
    expect(peer.messages()).toMatchObject([{ id: 2, error: { code: 103 } }]);
  });

  it('[UNS5] of the client ends what the server has just begun', async () => {
    const { connected, control, presence } = await start();
    const peer = await connected();
    const added = held(undefined);
    const add = presence.add.bind(presence);
    presence.add = async (...of) => {
      await add(...of);
      await added.promise;
    };
    const done = control.send({ type: 'subscribe', target, channel: 'c', grant: joins });
    await settled();
    peer.send({ id: 2, unsubscribe: { channel: 'c' } });
    await settled();
    added.open();
    await done;
    await settled();
    expect(peer.messages().at(-1)).toMatchObject({ push: { channel: 'c', ...ended } });
    expect(await presence.stats('c')).toEqual({ clients: 0, users: 0 });
  });
});

describe('a connection that is connecting', () => {
  it('[SSS16] is told of commands once it is connected', async () => {
    const ready = held(undefined);
    const subscriptions = new Map([['s', { ...grant, presence: true }]]);
    const { open, control, presence } = await start({
      connecting: async () => ({ user: 'u', subscriptions }),
    });
    const add = presence.add.bind(presence);
    presence.add = async (...of) => {
      await ready.promise;
      await add(...of);
    };
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    const done = Promise.all([
      control.send({ type: 'subscribe', target, channel: 'c', grant }),
      control.send({ type: 'unsubscribe', target, channel: 's' }),
      control.send({ type: 'refresh', target, expired: false, expireAt: 0 }),
    ]);
    await settled();
    expect(peer.messages()).toEqual([]);
    ready.open();
    await done;
    await settled();
    expect(peer.messages()).toMatchObject([
      { connect: { subs: { s: {} } } },
      { push: { channel: 'c', subscribe: {} } },
      { push: { channel: 's', ...ended } },
      { push: { refresh: {} } },
    ]);
  });

  it('is not told of anything where it is refused', async () => {
    const subscriptions = new Map([['s', { ...grant, presence: true }]]);
    const { open, control, presence } = await start({
      connecting: async () => ({ user: 'u', subscriptions }),
    });
    presence.add = async () => {
      throw new Error('down');
    };
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    await control.send({ type: 'unsubscribe', target, channel: 'c' });
    await settled();
    expect(peer.messages()).toMatchObject([{ id: 1, error: { code: 100 } }]);
  });

  it('[SSS5] survives those of its user that come at the same time, and only it', async () => {
    const connecting = async (): Promise<ConnectGrant> => ({
      user: 'u',
      subscriptions: new Map([['#u', { ...grant, presence: true }]]),
      singleConnectionChannel: '#u',
    });
    const { open, node } = await start({ connecting });
    const peers = Array.from({ length: 5 }, () => open());
    for (const peer of peers) peer.send({ id: 1, connect: {} });
    await settled();
    await settled();
    const ends = peers.flatMap((peer) => peer.transport.ended?.code ?? []);
    expect(ends).toEqual([3504, 3504, 3504, 3504]);
    expect(node.gauges).toMatchObject({ clients: 1, subscriptions: 1 });
  });
});

describe('a connection that its user may have one of', () => {
  it('[SSS5] sends the others away on every node, before it can be found itself', async () => {
    const { open, control, node } = await start({
      connecting: async () => ({
        user: 'u',
        subscriptions: new Map([['#u', grant]]),
        singleConnectionChannel: '#u',
      }),
    });
    const sent: object[] = [];
    const send = control.send.bind(control);
    control.send = async (command) => {
      sent.push({ ...command, found: node.gauges.clients });
      await send(command);
    };
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(peer.messages()).toMatchObject([{ connect: { client: peer.session.id } }]);
    const disconnect = { type: 'disconnect', target, code: 3504, reason: 'connection limit' };
    expect(sent).toEqual([{ ...disconnect, whitelist: [peer.session.id], found: 0 }]);
  });

  it('[SSS5] comes in where another node cannot be told', async () => {
    const { open, control } = await start({
      connecting: async () => ({
        user: 'u',
        subscriptions: new Map([['#u', grant]]),
        singleConnectionChannel: '#u',
      }),
    });
    control.send = async () => {
      throw clientError('internal');
    };
    const peer = open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(peer.messages()).toMatchObject([{ connect: { client: peer.session.id } }]);
  });
});

describe('subscribe', () => {
  it('[SSS11] makes a subscription anew, without a second join', async () => {
    const { connected, control, broker, presence, node } = await start();
    const peer = await connected();
    const subscribe = (granted: SubscriptionGrant) =>
      control.send({ type: 'subscribe', target, channel: 'c', grant: granted });
    await subscribe({ ...recoverable, ...joins, positioned: true, recoverable: true });
    await broker.publish('c', { data: Buffer.from('1') }, { history });
    const former = peer.session.subscriptions.get('c');
    await subscribe({ ...joins, data: Buffer.from('"new"'), expireAt: 1 });
    await broker.publish('c', { data: Buffer.from('2') }, { history });
    await settled();
    expect(peer.messages()).toMatchObject([
      { push: { subscribe: { positioned: true } } },
      { push: { join: {} } },
      { push: { pub: { data: 1 } } },
      { push: { subscribe: { data: 'new' } } },
      { push: { pub: { data: 2 } } },
    ]);
    expect(node.gauges).toMatchObject({ channels: 1, subscriptions: 1 });
    expect(await presence.stats('c')).toEqual({ clients: 1, users: 1 });
    // The former one has no say in it any more.
    await leave(former!);
    expect(node.gauges).toMatchObject({ channels: 1, subscriptions: 1 });
    peer.session.closed();
    await settled();
    expect(node.gauges).toMatchObject({ channels: 0, subscriptions: 0 });
    expect(await presence.stats('c')).toEqual({ clients: 0, users: 0 });
  });

  it('[SSS11] leaves a subscription as it was where it cannot be made anew', async () => {
    const { connected, control, broker, presence } = await start();
    const peer = await connected();
    const command = { type: 'subscribe', target, channel: 'c', grant: joins } as const;
    await control.send(command);
    const add = presence.add.bind(presence);
    presence.add = async () => {
      throw new Error('down');
    };
    await expect(control.send(command)).rejects.toMatchObject({ code: 100 });
    presence.add = add;
    await broker.publish('c', { data: Buffer.from('1') }, {});
    await settled();
    expect(peer.messages().at(-1)).toEqual({ push: { channel: 'c', pub: { data: 1 } } });
    expect(await presence.stats('c')).toEqual({ clients: 1, users: 1 });
  });

  it('[SSS8] ends a connection that has no room', async () => {
    const { connected, control } = await start({}, { channelLimit: 1 });
    const peer = await connected();
    await control.send({ type: 'subscribe', target, channel: 'a', grant });
    await control.send({ type: 'subscribe', target, channel: 'b', grant });
    expect(peer.transport.ended).toEqual({ code: 3505, reason: 'channel limit' });
  });
});
