import { expect, test } from 'vitest';
import { randomFrom, seedOfRun, type Random } from '../../packages/protocol/src/random.testing.ts';
import { gyre, jwt, until, type Gyre } from '../harness/index.ts';
import { inspectable, memoryOf, memoryWithin } from '../harness/memory.ts';
import { metrics } from '../harness/metrics.ts';
import { Peer } from '../fuzz/peer.ts';
import { checkLog } from '../fuzz/stage.ts';

const cycles = Number(process.env['SOAK_CYCLES'] ?? 3000);

/** Bytes that the server may hold more at the end than when it has warmed up. */
const growth = 16 * 2 ** 20;

const config = {
  prometheus: { enabled: true },
  channel: {
    without_namespace: {
      allow_subscribe_for_client: true,
      presence: true,
      join_leave: true,
      force_push_join_leave: true,
      history_size: 10,
      history_ttl: '1s',
      history_meta_ttl: '2s',
      force_recovery: true,
    },
    namespaces: [{ name: 'closed' }],
  },
};

/** Comes with a good token or a bad one, subscribes to what it may and may not, and goes at any point. */
async function cycle(server: Gyre, random: Random): Promise<void> {
  const peer = new Peer(server, 'json');
  peer.handshake();
  // What is sent before the answer may be lost.
  const proper = !random.oneIn(10);
  if (proper) expect(await peer.answered()).toBe(101);
  const secret = random.oneIn(8) ? 'another secret' : server.tokenSecret;
  const token = jwt({ sub: `u${random.int(20)}`, ...(random.oneIn(10) ? { exp: 1 } : {}) }, secret);
  const channels = Array.from({ length: 1 + random.int(4) }, () =>
    random.pick([`c${random.int(10)}`, 'closed:c', 'nowhere:c', '$private', '']),
  );
  const commands = [
    { id: 1, connect: { token } },
    ...channels.map((channel, n) => ({ id: n + 2, subscribe: { channel } })),
    ...(random.oneIn(3) ? [{ id: 20, unsubscribe: { channel: channels[0] } }] : []),
  ];
  const text = Buffer.from(commands.map((command) => JSON.stringify(command)).join('\n'));
  if (random.oneIn(6)) {
    // Half of a frame.
    peer.write(Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 0xff, 0, 0, 0, 0]));
    peer.write(text.subarray(0, text.length >> 1));
  } else {
    peer.send(text);
    const last = commands.at(-1)?.id;
    // A connect that is refused is the last thing that is answered.
    const done = () =>
      peer.messages.some(({ id, error }) => id === last || (id === 1 && error !== undefined));
    if (proper && random.oneIn(2)) await peer.until(done);
  }
  peer.leave(random.oneIn(2));
}

async function empty(server: Gyre): Promise<void> {
  let left: unknown;
  await until(
    async () => {
      const all = await metrics(server);
      const names = ['clients', 'users', 'channels', 'subscriptions', 'connections'];
      left = names.filter((name) => all.get(`gyre_node_num_${name}`) !== 0);
      return (left as unknown[]).length === 0;
    },
    { deadline: 20_000, message: () => `gauges at zero; not so: ${JSON.stringify(left)}` },
  );
}

test(`${cycles} clients that come and go leave nothing behind`, { timeout: 1_200_000 }, async () => {
  const seed = seedOfRun();
  console.log(`soak sockets: SEED=${seed}`);
  const server = await gyre.start({ config, env: inspectable });
  let next = 0;
  const run = async (end: number): Promise<void> => {
    while (next < end) await cycle(server, randomFrom(randomFrom(seed + next++).int(2 ** 32)));
  };
  const runAll = (end: number) => Promise.all(Array.from({ length: 16 }, () => run(end)));
  const begun = performance.now();
  // What is compiled and cached by then is not growth.
  await runAll(Math.min(1000, cycles / 2));
  await empty(server);
  const before = await memoryOf(server);
  await runAll(cycles);
  await empty(server);
  const after = await memoryWithin(server, {
    rss: before.rss + 8 * growth,
    held: before.heapUsed + before.external + growth,
  });
  const seconds = (performance.now() - begun) / 1000;
  const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  console.log(
    `soak sockets: SEED=${seed} ${next} cycles in ${seconds.toFixed(1)} s; heap ${mb(before.heapUsed)} -> ${mb(after.heapUsed)}, ` +
      `rss ${mb(before.rss)} -> ${mb(after.rss)}`,
  );
  expect(next).toBe(cycles);
  checkLog(server.logs());
});
