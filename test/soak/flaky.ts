import type { Broker } from '../../packages/broker/src/broker.ts';
import type { Gate } from '../../packages/node/src/gate.ts';
import { grant, openGate, recoverable } from '../../packages/node/src/testing.ts';
import type { PresenceManager } from '../../packages/presence-manager/src/presence-manager.ts';
import { clientError, disconnect } from '../../packages/protocol/src/index.ts';
import type { Random } from '../../packages/protocol/src/random.testing.ts';

/** Takes no time, a few microtasks, or a turn or two of the event loop: whatever may come between has its chance. */
export async function pause(random: Random): Promise<void> {
  const turns = random.pick([0, 0, 0, 1, 2]);
  for (let n = random.int(4); n > 0; n--) await Promise.resolve();
  for (let n = turns; n > 0; n--) await new Promise((resolve) => setImmediate(resolve));
}

/** Calls one of so many fail. */
const rate = 12;

function failure(random: Random): Error {
  switch (random.int(4)) {
    case 0:
      return clientError('permissionDenied');
    case 1:
      return clientError('internal');
    case 2:
      return disconnect('permissionDenied');
    default:
      return new Error('a hook that fails');
  }
}

/** When a call fails: before it did anything, or when only its answer is lost. */
type When = 'before' | 'after' | 'either';

/** The same with some of its methods taking their time and failing at times. */
function flaky<T extends object>(
  random: Random,
  whole: T,
  methods: Readonly<Partial<Record<keyof T, When>>>,
): T {
  return new Proxy(whole, {
    get(target, name: keyof T & string) {
      const method = target[name];
      const when = methods[name];
      if (when === undefined || typeof method !== 'function') return method;
      return async (...args: unknown[]): Promise<unknown> => {
        await pause(random);
        const fails = random.oneIn(rate);
        if (fails && (when === 'before' || (when === 'either' && random.oneIn(2)))) throw failure(random);
        const result: unknown = await method.apply(target, args);
        await pause(random);
        if (fails) throw failure(random);
        return result;
      };
    },
  });
}

/** What was not taken back stays: only the answer to a removal may be lost, or nobody could know what is left. */
export function flakyBroker(random: Random, broker: Broker): Broker {
  return flaky(random, broker, {
    publish: 'either',
    announce: 'either',
    subscribe: 'before',
    unsubscribe: 'after',
    history: 'either',
  });
}

/** As {@link flakyBroker}. */
export function flakyPresence(random: Random, presence: PresenceManager): PresenceManager {
  return flaky(random, presence, { add: 'either', remove: 'after', members: 'either', stats: 'either' });
}

/** Gone soon after the last use, so that channels can be seen to leave nothing behind. */
const shortHistory = { size: 10, ttlMs: 500, metaTtlMs: 500 };

/** All kinds of subscriptions. */
export const grants = [
  grant,
  { ...grant, presence: true },
  { ...grant, presence: true, joinLeave: true, pushJoinLeave: true },
  { ...recoverable, delta: 'fossil' as const },
  {
    ...recoverable,
    presence: true,
    joinLeave: true,
    recoveryMode: 'cache' as const,
    autoCacheRecover: true,
  },
].map((one) => (one.history === undefined ? one : { ...one, history: shortHistory }));

export const users = ['', 'ann', 'bob', 'eve'];

/** Policy that grants all kinds of things, or refuses, or fails. */
export function flakyGate(random: Random, channels: readonly string[]): Gate {
  const gate: Gate = {
    ...openGate,
    connecting: async () => ({
      user: random.pick(users),
      subscriptions: new Map(
        Array.from({ length: random.pick([0, 0, 1, 3]) }, () => [random.pick(channels), random.pick(grants)]),
      ),
      ...(random.oneIn(20) ? { singleConnectionChannel: random.pick(channels) } : {}),
    }),
    subscribe: async () => random.pick(grants),
    publish: async (client, channel, data) => ({
      ...(await openGate.publish(client, channel, data)),
      options: random.oneIn(2) ? { history: shortHistory } : {},
    }),
    history: async () => shortHistory,
  };
  return flaky(random, gate, {
    connecting: 'before',
    refresh: 'before',
    subscribe: 'before',
    subRefresh: 'before',
    publish: 'before',
    presence: 'before',
    history: 'before',
    rpc: 'before',
  });
}
