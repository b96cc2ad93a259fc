/**
 * Connections that come, subscribe and go by the thousand, with everything around them failing at times, in this
 * process: `node --expose-gc cycles.ts <cycles> <seed>`. Prints what is left of them as JSON.
 */
import type { ControlCommand } from '../../packages/broker/src/control.ts';
import { memoryBroker, memoryControlBus } from '../../packages/broker/src/memory/index.ts';
import { Node } from '../../packages/node/src/node.ts';
import { options } from '../../packages/node/src/testing.ts';
import { MemoryTransport } from '../../packages/node/src/transports/memory.ts';
import { memoryPresenceManager } from '../../packages/presence-manager/src/memory.ts';
import { jsonCodec } from '../../packages/protocol/src/index.ts';
import { randomFrom } from '../../packages/protocol/src/random.testing.ts';
import { flakyBroker, flakyGate, flakyPresence, grants, pause, users } from './flaky.ts';

/** What is left at the end, and how much memory was held on the way. */
export interface Report {
  /** Of node, broker and presence manager. */
  readonly gauges: Readonly<Record<string, number>>;
  /** Bytes of the heap after a collection, at the same distance from each other. */
  readonly heap: readonly number[];
  readonly seconds: number;
  /** Lines of the log at level error, by message: failing hooks make them. */
  readonly errors: Readonly<Record<string, number>>;
}

const [cycles = 0, seed = 0] = process.argv.slice(2).map(Number);
const random = randomFrom(seed);
const channels = Array.from({ length: 24 }, (_, n) => `c${n}`);

const broker = memoryBroker();
const presence = memoryPresenceManager();
const control = memoryControlBus({ onError: () => {} });
const errors: Record<string, number> = {};
const node = new Node({
  // Whoever is left alone, by its client, is found out soon.
  options: {
    ...options,
    pingInterval: 300,
    pongTimeout: 200,
    staleCloseDelay: 300,
    channelLimit: 8,
    queueMaxSize: 20_000,
    userConnectionLimit: 200,
  },
  broker: flakyBroker(random, broker),
  presence: flakyPresence(random, presence),
  control,
  gate: flakyGate(random, channels),
  log: { error: (message) => (errors[message] = (errors[message] ?? 0) + 1) },
});
await node.start();

const channel = (): string => random.pick(channels);

function command(id: number): object {
  const position = { offset: random.int(5), epoch: 'e' };
  const commands: object[] = [
    ...Array.from({ length: 4 }, () => ({ subscribe: { channel: channel(), delta: 'fossil' } })),
    { subscribe: { channel: channel(), recover: true, flag: random.int(3), ...position } },
    { unsubscribe: { channel: channel() } },
    { publish: { channel: channel(), data: 'x'.repeat(random.int(3000)) } },
    { presence: { channel: channel() } },
    { history: { channel: channel(), limit: 10 } },
    { rpc: { method: 'm', data: 1 } },
  ];
  return { id, ...random.pick(commands) };
}

/** A backend that means these connections. */
function ordered(client: string): ControlCommand {
  const target = { user: random.pick(users), ...(random.oneIn(2) ? { client } : {}) };
  switch (random.int(8)) {
    case 0:
      return { type: 'disconnect', target, code: 3503, reason: 'force disconnect', whitelist: [] };
    case 1:
    case 2:
      return { type: 'unsubscribe', target, channel: channel() };
    case 3:
      return { type: 'refresh', target, expired: random.oneIn(4), expireAt: 0 };
    default:
      return { type: 'subscribe', target, channel: channel(), grant: random.pick(grants) };
  }
}

/** One connection, from its beginning to an end of some kind. */
async function cycle(): Promise<void> {
  const transport = new MemoryTransport();
  const session = node.open(transport, jsonCodec);
  if (session === undefined) throw new Error('the node is draining');
  const send = (...commands: object[]): void =>
    session.receive(Buffer.from(commands.map((one) => JSON.stringify(one)).join('\n')));
  if (!random.oneIn(30)) send({ id: 1, connect: {} });
  let id = 1;
  for (let n = random.int(6); n > 0; n--) {
    await pause(random);
    if (random.oneIn(20)) transport.stalled = true;
    if (random.oneIn(12)) control.send(ordered(session.id)).catch(() => {});
    send(...Array.from({ length: 1 + random.int(4) }, () => command(++id)));
  }
  // Gone in the middle of it, or when it is done; or it just falls silent, and the node finds out.
  if (!random.oneIn(200)) {
    for (let n = random.int(5); n > 0; n--) await pause(random);
    session.closed();
  }
}

const used = (): Record<string, number> => ({
  ...node.gauges,
  ...prefixed('presence', presence.gauges()),
});

/** With the channels that are kept for a while, in case that somebody comes back. */
const gauges = (): Record<string, number> => ({ ...used(), ...prefixed('broker', broker.gauges()) });

function prefixed(prefix: string, values: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value as number]),
  );
}

/** Waits until nothing is left, but not forever: what is left then is reported. */
async function quiet(what: () => Record<string, number>): Promise<void> {
  for (let n = 0; n < 300 && Object.values(what()).some((value) => value !== 0); n++)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

const began = performance.now();
const heap: number[] = [];
const parts = 8;
for (let part = 1; part <= parts; part++) {
  let left = Math.round(cycles / parts);
  const lane = async (): Promise<void> => {
    while (left-- > 0) await cycle();
  };
  await Promise.all(Array.from({ length: 50 }, lane));
  await quiet(used);
  globalThis.gc?.();
  heap.push(process.memoryUsage().heapUsed);
}
await quiet(gauges);
const report: Report = { gauges: gauges(), heap, seconds: (performance.now() - began) / 1000, errors };
console.log(JSON.stringify(report));
await node.drain(0);
await control.close();
await broker.close();
await presence.close();
