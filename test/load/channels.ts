/**
 * How long a page of `channels` takes on one node with very many active channels, and how long it holds up everybody
 * else: `./node_modules/node/bin/node --conditions=source test/load/channels.ts [channels]`
 *
 * Starts a server of its own on a free port. Times are of this machine only: compare them with each other.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const total = Number(process.argv[2] ?? 200_000);
const connections = 20;
const perFrame = 400;

const port = await new Promise<number>((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
});
const flags = `--http_server.address 127.0.0.1 --http_server.port ${port} --http_api.key key --client.insecure
  --client.channel_limit ${total} --prometheus.enabled`;
const server = spawn(
  process.execPath,
  ['--conditions=source', 'packages/server/src/cli/main.ts', ...flags.split(/\s+/)],
  { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, GYRE_LOG_LEVEL: 'error' } },
);
process.on('exit', () => server.kill());
const url = `http://127.0.0.1:${port}`;
while (!(await fetch(`${url}/health`).catch(() => undefined))?.ok) await delay(50);

async function call(method: string, params: object): Promise<{ result: Record<string, unknown> }> {
  const response = await fetch(`${url}/api/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': 'key' },
    body: JSON.stringify(params),
  });
  return (await response.json()) as { result: Record<string, unknown> };
}

async function subscribeMany(index: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/connection/websocket`);
  let answered = 0;
  let wake = (): void => {};
  socket.addEventListener('message', ({ data }) => {
    answered += String(data).split('\n').length;
    wake();
  });
  await new Promise((resolve) => socket.addEventListener('open', resolve));
  socket.send('{"id":1,"connect":{}}');
  const own = Math.floor(total / connections);
  for (let sent = 0; sent < own;) {
    const commands: string[] = [];
    for (; commands.length < perFrame && sent < own; sent++) {
      commands.push(`{"id":${sent + 2},"subscribe":{"channel":"room-${index}-${sent}"}}`);
    }
    socket.send(commands.join('\n'));
    while (answered < sent + 1) await new Promise<void>((resolve) => (wake = resolve));
  }
}

for (let i = 0; i < connections; i++) await subscribeMany(i);
const { result } = await call('info', {});
console.log('channels:', (result['nodes'] as { num_channels: number }[])[0]?.num_channels);

const found = new Set<string>();
const times: number[] = [];
let cursor = '';
do {
  const began = performance.now();
  const page = await call('channels', { limit: 1000, ...(cursor === '' ? {} : { cursor }) });
  times.push(performance.now() - began);
  for (const name of Object.keys(page.result['channels'] as object)) found.add(name);
  cursor = (page.result['cursor'] as string | undefined) ?? '';
} while (cursor !== '');
times.sort((a, b) => a - b);
console.log(`pages: ${times.length}, union: ${found.size}`);
console.log(
  `a page of 1000, ms: median ${times[times.length >> 1]?.toFixed(1)}, worst ${times.at(-1)?.toFixed(1)}`,
);

/** Asks for the health of the server all the time, beside this thread; at a message gives the longest wait since the last. */
const watcher = new Worker(
  `const { parentPort, workerData } = require('node:worker_threads');
   let worst = 0;
   parentPort.on('message', () => { parentPort.postMessage(worst); worst = 0; });
   (async () => {
     for (;;) {
       const began = performance.now();
       await (await fetch(workerData)).text();
       worst = Math.max(worst, performance.now() - began);
       await new Promise(setImmediate);
     }
   })();`,
  { eval: true, workerData: `${url}/health` },
);

async function worstWait(): Promise<number> {
  const answer = once(watcher, 'message');
  watcher.postMessage('');
  const [worst] = (await answer) as [number];
  return worst;
}

/** How long `work` takes, and about how long the server's loop was held at a time meanwhile. */
async function heldUp(work: () => Promise<unknown>): Promise<string> {
  await worstWait();
  const began = performance.now();
  await work();
  const took = performance.now() - began;
  return `took ${took.toFixed(0)} ms, others waited ${(await worstWait()).toFixed(1)} ms at most`;
}

console.log('nothing beside:', await heldUp(() => delay(500)));
console.log('a page of 1000:', await heldUp(() => call('channels', { limit: 1000 })));
console.log(
  'a pattern:',
  await heldUp(() => call('channels', { limit: 1000, pattern: `${'*a'.repeat(98)}*[!a]` })),
);
console.log('everything at once:', await heldUp(() => call('channels', {})));
server.kill();
process.exit(0);
