import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { SubscriptionGrant } from '@gyre/broker';
import { memoryControlBus } from '@gyre/broker/memory';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import { LINEAGE, ModelBroker } from './model-broker.testing.ts';
import { kinds, Reader, type Kind } from './model-reader.testing.ts';
import { Node } from './node.ts';
import { openGate, openPeer, options, recoverable, settled } from './testing.ts';

/** How long to go on with further runs, and the seed of a run to be repeated. */
const seconds = Number(process.env['MODEL_SECONDS'] ?? 0);
const seed = process.env['MODEL_SEED'];
const RUNS = 300;

const CHANNELS = ['c', 'd'] as const;
const GRANTS: Readonly<Record<Kind, SubscriptionGrant>> = {
  plain: recoverable,
  server: recoverable,
  cache: { ...recoverable, recoveryMode: 'cache' },
  filter: recoverable,
  delta: { ...recoverable, delta: 'fossil' },
};

/** Milliseconds in which everything comes to rest that has been left alone: every channel is looked at once in ten seconds. */
const REST = 25_000;

const channel = fc.constantFrom(...CHANNELS);
const reader = fc.nat({ max: kinds.length - 1 });
const upTo = (max: number) => fc.integer({ min: 1, max });

/** One after the other, without waiting unless it says so. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('publish'), channel, times: upTo(4) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('subscribe', 'unsubscribe'), channel, reader }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('reconnect', 'go elsewhere'), reader }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('deafen', 'hear', 'lag', 'catch up') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('slow', 'failing', 'answer', 'answer') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('renew', 'wipe', 'remove'), channel }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('roll back'), channel, times: upTo(5) }) },
  // A few turns of the microtask queue: what is under way is caught in the middle.
  { weight: 7, arbitrary: fc.record({ type: fc.constant('turn'), times: upTo(8) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait') }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('pass'), ms: fc.constantFrom(20, 100, 1000, 11_000) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** After these a reader may miss what cannot be had any more. */
const LOSSES = new Set<Step['type']>(['wipe', 'remove', 'roll back']);

/** Whether a reader may be told in a run of these steps that it missed something. */
function mayBeTold(kind: Kind, steps: readonly Step[]): boolean {
  // The newest one may just not be there.
  if (kind === 'cache' || steps.some(({ type }) => LOSSES.has(type))) return true;
  // A subscription of the server's goes on, and with it the epoch that its client knows.
  const bears = kind === 'server' ? 0 : LINEAGE;
  return steps.filter(({ type }) => type === 'renew').length > bears;
}

/** Where something may go one way or the other, the run says which: a seed repeats all of it. */
const chances = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 });

async function startModel(steps: readonly Step[], chance: () => number) {
  const broker = new ModelBroker(chance);
  const presence = memoryPresenceManager();
  const control = memoryControlBus();
  const node = new Node({
    options: { ...options, pingInterval: 0 },
    broker,
    presence,
    control,
    log: {},
    gate: {
      ...openGate,
      connecting: async (_client, { name }) => ({
        user: 'u',
        remember: name,
        subscriptions: new Map(name === 'server' ? CHANNELS.map((one) => [one, GRANTS.server]) : []),
      }),
      subscribe: async ({ remembered }) => GRANTS[remembered as Kind],
    },
  });
  await node.start();
  const readers = kinds.map(
    (kind) => new Reader(kind, CHANNELS, mayBeTold(kind, steps), () => openPeer(node)),
  );
  const stop = async (): Promise<void> => {
    broker.answer();
    await node.drain(0);
    await control.close();
    await presence.close();
  };
  return { broker, readers, stop };
}

type Model = Awaited<ReturnType<typeof startModel>>;

async function pass(ms: number): Promise<void> {
  await settled();
  await vi.advanceTimersByTimeAsync(ms);
  await settled();
}

async function take({ broker, readers }: Model, current: Step): Promise<void> {
  switch (current.type) {
    case 'publish':
      for (let i = 0; i < current.times; i++) broker.add(current.channel);
      break;
    case 'subscribe':
      return readers[current.reader]!.subscribe(current.channel);
    case 'unsubscribe':
      return readers[current.reader]!.unsubscribe(current.channel);
    case 'reconnect':
      return readers[current.reader]!.connect();
    case 'go elsewhere':
      return readers[current.reader]!.goElsewhere(broker);
    case 'deafen':
      return broker.deafen();
    case 'hear':
      return broker.hear();
    case 'lag':
      return broker.lag();
    case 'catch up':
      return broker.catchUp();
    case 'slow':
    case 'failing':
      broker.mode = current.type;
      break;
    case 'answer':
      return broker.answer();
    case 'renew':
      return broker.renew(current.channel, 0);
    case 'roll back':
      return broker.renew(current.channel, current.times);
    case 'wipe':
      return broker.wipe(current.channel);
    case 'remove':
      return broker.removeHistory(current.channel);
    case 'turn':
      for (let i = 0; i < current.times; i++) await Promise.resolve();
      break;
    case 'wait':
      return settled();
    case 'pass':
      return pass(current.ms);
  }
}

/** Nothing is in the way any more: everybody comes to where the stream is. */
async function rest({ broker, readers }: Model): Promise<void> {
  broker.catchUp();
  broker.answer();
  broker.hear();
  for (let ms = 0; ms < REST; ms += REST / 50) {
    await pass(REST / 50);
    for (const one of readers) one.keepUp();
    if (ms === REST / 2) for (const name of CHANNELS) broker.add(name);
  }
}

async function play(steps: readonly Step[], numbers: readonly number[]): Promise<void> {
  let asked = 0;
  const model = await startModel(steps, () => numbers[asked++ % numbers.length]!);
  try {
    for (const one of model.readers) one.connect();
    for (const current of steps) await take(model, current);
    await rest(model);
    expect(model.readers.flatMap((one) => one.complaints(model.broker))).toEqual([]);
  } catch (error) {
    throw new Error(model.readers.map(({ story }) => story).join('\n'), { cause: error });
  } finally {
    for (const one of model.readers) one.end();
    await model.stop();
  }
}

/** Time passes when it is told to, and nothing is spread over it at random: a seed repeats all that happens. */
async function withoutChance(run: () => Promise<void>): Promise<void> {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
  try {
    await run();
  } finally {
    random.mockRestore();
    vi.useRealTimers();
  }
}

describe('whatever happens between a node and its broker', () => {
  it(
    'readers have what the stream has, in its order, or are told that they may not',
    async () => {
      const property = fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 70 }),
        chances,
        (steps, numbers) => withoutChance(() => play(steps, numbers)),
      );
      const parameters = { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) };
      const end = performance.now() + seconds * 1000;
      do await fc.assert(property, parameters);
      while (performance.now() < end);
    },
    60_000 + seconds * 2000,
  );
});
