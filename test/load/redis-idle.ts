/**
 * What clients that are present and do nothing cost Redis: commands a second of one node with 1, 1000 and 5000 of them, over
 * a Redis and a server of its own:
 * `./node_modules/node/bin/node --conditions=source test/load/redis-idle.ts [channels] [recover] [clients ...]`
 *
 * The clients share `channels` (default 20); `recover` gives these a history that clients recover from, which the node
 * compares with Redis once in ten seconds. The load generator and the server share a machine: only counts are exact.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../packages/redis/src/testing.ts';

const numbers = process.argv.slice(2).map(Number).filter(Number.isFinite);
const [channels = 20, ...counts] = numbers;
const recover = process.argv.includes('recover');
const seconds = 20;
/** Subscribing at the same time. */
const atOnce = 50;

const port = await new Promise<number>((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
});
const redis = await startRedis();
const folder = mkdtempSync(join(tmpdir(), 'gyre-idle-'));
const config = join(folder, 'config.json');
const history = { history_size: 10, history_ttl: '1h', force_recovery: true };
writeFileSync(
  config,
  JSON.stringify({
    http_server: { address: '127.0.0.1', port },
    client: { insecure: true },
    engine: { type: 'redis', redis: { address: redis.url } },
    channel: { without_namespace: { presence: true, join_leave: true, ...(recover ? history : {}) } },
    log: { level: 'error' },
  }),
);
const line = ['--conditions=source', 'packages/server/src/cli/main.ts', '--config', config];
const server = spawn(process.execPath, line, { stdio: ['ignore', 'ignore', 'inherit'] });
process.on('exit', () => server.kill());
while (!(await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.ok) await delay(50);

/** Connects, subscribes, and answers pings from then on. */
async function enter(index: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/connection/websocket`);
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  const subscribed = new Promise<void>((resolve) =>
    socket.addEventListener('message', ({ data }) => {
      for (const message of String(data).split('\n')) {
        if (message === '{}') socket.send('{}');
        else if (message.startsWith('{"id":2')) resolve();
      }
    }),
  );
  socket.send(`{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"room-${index % channels}"}}`);
  await subscribed;
}

/** Commands so far, without those that ask for them. */
async function commands(): Promise<Map<string, number>> {
  const stats = await redis.admin.info('commandstats');
  const found = [...stats.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
  return new Map(
    found.map(([, name = '', calls]) => [name, Number(calls)] as const).filter(([name]) => name !== 'info'),
  );
}

let clients = 0;
for (const count of counts.length > 0 ? counts : [1, 1000, 5000]) {
  while (clients < count) {
    const some = Math.min(atOnce, count - clients);
    await Promise.all(Array.from({ length: some }, (_, i) => enter(clients + i)));
    clients += some;
  }
  // What subscribing has begun comes to its end.
  await delay(3000);
  const before = await commands();
  await delay(seconds * 1000);
  const after = await commands();
  const rates = [...after]
    .map(([name, calls]) => [name, (calls - (before.get(name) ?? 0)) / seconds] as const)
    .filter(([, rate]) => rate > 0)
    .toSorted(([, a], [, b]) => b - a);
  // What a script calls is counted as well as the script.
  const outside = rates.filter(([name]) => ['evalsha', 'eval', 'publish', 'scard', 'hmget'].includes(name));
  const total = outside.reduce((sum, [, rate]) => sum + rate, 0);
  console.log(
    `${clients} clients in ${Math.min(channels, clients)} channels: ${total.toFixed(1)} commands/s sent`,
  );
  console.log(`  ${rates.map(([name, rate]) => `${name} ${rate.toFixed(2)}`).join(', ')}`);
}
server.kill('SIGKILL');
await once(server, 'exit');
await redis.close();
rmSync(folder, { recursive: true });
process.exit();
