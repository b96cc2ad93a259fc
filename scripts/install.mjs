/**
 * Brings node_modules to what pnpm-lock.yaml names. Run by whatever Node the machine has (>= 20), so it is JavaScript.
 *
 * pnpm runs in a process group of its own: npm starts it through a shell that keeps signals to itself, and an install
 * left behind would spoil the next one. Only full output tells why an install script failed, so all of it is kept and
 * shown when it is needed.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { delimiter } from 'node:path';

const pnpm = 'pnpm@10.34.9';
const progressEveryMs = 10_000;
// Development dependencies are wanted whatever NODE_ENV says: Node 22 itself is one.
const options = [
  '--frozen-lockfile',
  '--prefer-offline',
  '--prod=false',
  '--config.confirm-modules-purge=false',
];

const [lock, stamp, node] = ['pnpm-lock.yaml', 'node_modules/.gyre-lock.yaml', 'node_modules/node/bin/node'];

// npm and pnpm put node_modules/.bin first, where `node` is the very thing that is about to be replaced.
const path = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((dir) => !dir.endsWith('/node_modules/.bin'));

console.log('Installing dependencies into node_modules (about 15 seconds, once) ...');
const started = Date.now();
const seconds = () => Math.round((Date.now() - started) / 1000);
let output = '';

const child = spawn('npm', ['exec', '--yes', pnpm, '--', 'install', ...options], {
  detached: true,
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { ...process.env, PATH: path.join(delimiter) },
});
for (const stream of [child.stdout, child.stderr])
  stream.setEncoding('utf8').on('data', (text) => (output += text));

const progress = setInterval(() => {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !line.includes('npm warn'));
  console.log(`  ${seconds()} s: ${lines.at(-1) ?? 'fetching pnpm'}`);
}, progressEveryMs);

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    const running = child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    if (running && !interrupted) process.kill(-child.pid, 'SIGTERM');
    interrupted = true;
  });
}

child.on('error', (error) => {
  clearInterval(progress);
  console.error(`Cannot run npm: ${error.message}`);
  process.exitCode = 1;
});

child.on('close', (code) => {
  clearInterval(progress);
  if (code === 0 && existsSync(node)) {
    copyFileSync(lock, stamp);
    console.log(`Installed in ${seconds()} s.`);
    return;
  }
  process.exitCode = 1;
  if (interrupted) return;
  console.error(`${output}\nInstalling failed: its output is above.`);
  if (code === 0)
    console.error(`There is no ${node}: its package needs its install script. Is ignore-scripts set?`);
});
