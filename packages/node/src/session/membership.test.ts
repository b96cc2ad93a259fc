import { clientError } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { grant, settled, startNode } from '../testing.ts';

const present = { ...grant, presence: true };

describe('a subscription that does not come about', () => {
  it('leaves nothing behind, though undoing another one of the same connect fails', async () => {
    const subscriptions = new Map([
      ['a', present],
      ['b', present],
      ['broken', present],
    ]);
    const stage = await startNode({ connecting: async () => ({ user: 'u', subscriptions }) });
    const [add, remove] = [
      stage.presence.add.bind(stage.presence),
      stage.presence.remove.bind(stage.presence),
    ];
    stage.presence.add = async (channel, info) => {
      if (channel === 'broken') throw clientError('internal');
      await add(channel, info);
    };
    // The answer is lost, not the call.
    stage.presence.remove = async (channel, client) => {
      const untold = await remove(channel, client);
      if (channel === 'a') throw clientError('internal');
      return untold;
    };
    const peer = stage.open();
    peer.send({ id: 1, connect: {} });
    await settled();
    expect(peer.messages()).toMatchObject([{ id: 1, error: { code: 100 } }]);
    expect(stage.node.gauges.channels).toBe(0);
    expect(stage.presence.gauges()).toEqual({ channels: 0, members: 0 });
    await stage.stop();
  });
});

describe('the end of a subscription', () => {
  it.each([true, false])('is told to the channel where it is still to be told: %s', async (untold) => {
    const stage = await startNode({
      subscribe: async () => ({ ...present, joinLeave: true, pushJoinLeave: true }),
    });
    const [peer, witness] = [await stage.connected(), await stage.connected()];
    for (const one of [witness, peer]) {
      one.send({ id: 2, subscribe: { channel: 'c' } });
      await settled();
    }
    const remove = stage.presence.remove.bind(stage.presence);
    // As an engine that tells the channel itself, if it is asked to.
    stage.presence.remove = async (channel, client, tell = false) =>
      (await remove(channel, client)) && (untold || !tell);
    peer.send({ id: 3, unsubscribe: { channel: 'c' } });
    await settled();
    const leaves = witness.messages().filter((message) => JSON.stringify(message).includes('"leave"'));
    expect(leaves).toHaveLength(untold ? 1 : 0);
    await stage.stop();
  });
});

describe('a subscription that is made anew without presence', () => {
  const anew = { type: 'subscribe', target: { user: 'u' }, channel: 'c', grant } as const;

  it('takes the client out of it', async () => {
    const stage = await startNode();
    const peer = await stage.connected();
    await stage.control.send({ ...anew, grant: present });
    expect(stage.presence.gauges().members).toBe(1);
    await stage.control.send(anew);
    await settled();
    expect(stage.presence.gauges().members).toBe(0);
    peer.session.closed();
    await stage.stop();
  });

  it('takes back a presence that only the one that failed had', async () => {
    const stage = await startNode();
    const peer = await stage.connected();
    await stage.control.send(anew);
    const add = stage.presence.add.bind(stage.presence);
    stage.presence.add = async (channel, info) => {
      await add(channel, info);
      throw clientError('internal');
    };
    await expect(stage.control.send({ ...anew, grant: present })).rejects.toMatchObject({ code: 100 });
    expect(stage.presence.gauges().members).toBe(0);
    expect(stage.node.gauges.subscriptions).toBe(1);
    peer.session.closed();
    await stage.stop();
  });
});

describe('a connection that ends while it is being subscribed', () => {
  const ways = ['command', 'connect', 'api'] as const;
  // After so many microtasks: at each point at which others may have a turn.
  const moments = Array.from({ length: 12 }, (_, n) => n);

  it.each(ways)('leaves nothing behind, whenever that is (%s)', async (way) => {
    for (const moment of moments) {
      const subscriptions = new Map(way === 'connect' ? [['c', present]] : []);
      const stage = await startNode({
        subscribe: async () => present,
        connecting: async () => ({ user: 'u', subscriptions }),
      });
      const peer = way === 'connect' ? stage.open() : await stage.connected();
      const add = stage.presence.add.bind(stage.presence);
      stage.presence.add = async (channel, info) => {
        await add(channel, info);
        void afterMicrotasks(moment).then(() => peer.session.closed());
      };
      if (way === 'command') peer.send({ id: 2, subscribe: { channel: 'c' } });
      if (way === 'connect') peer.send({ id: 1, connect: {} });
      // Nobody is left to be subscribed: that is no failure.
      if (way === 'api') {
        await stage.control.send({ type: 'subscribe', target: { user: 'u' }, channel: 'c', grant: present });
      }
      await settled();
      expect(stage.node.gauges, `after ${moment}`).toEqual({
        clients: 0,
        users: 0,
        channels: 0,
        subscriptions: 0,
        open: 0,
      });
      expect(stage.presence.gauges(), `after ${moment}`).toEqual({ channels: 0, members: 0 });
      await stage.stop();
    }
  });
});

async function afterMicrotasks(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await Promise.resolve();
}
