import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { api, connectClient, freePort, record, teardown, until } from '../harness/index.ts';
import { root } from './files.ts';

/** What the image holds, built and run without any of what development has. */

const node = join(root, 'node_modules/node/bin/node');
const leash = join(root, 'test/harness/leash.ts');
let folder: string;
let out: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gyre-build-test-'));
  teardown(async () => rmSync(folder, { recursive: true }));
  out = join(folder, 'app');
  const { status, output } = spawnSync(node, ['scripts/build.ts', '--out', out], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(status, output.join('\n')).toBe(0);
});

it('holds no sources, no tests and no tools, and of uWebSockets.js what fits this machine', () => {
  const own = globSync('{dist,node_modules/@gyre}/**/*', { cwd: out });
  expect(own.length).toBeGreaterThan(200);
  // Declarations end in .d.ts.
  expect(own.filter((path) => /(?<!\.d)\.ts$|(^|[-./])(test|testing|contract)\.js$/.test(path))).toEqual([]);
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  // Two are dependencies of what is served with.
  const tools = Object.keys(devDependencies).filter(
    (name) => !['@grpc/grpc-js', '@types/node', 'protobufjs'].includes(name),
  );
  expect(tools.filter((name) => existsSync(join(out, 'node_modules', name)))).toEqual([]);
  expect(globSync('**/*.node', { cwd: out })).toEqual([
    `node_modules/@uwsjs/${process.platform}-${process.arch}-22/uws.node`,
  ]);
  const scripts = globSync('packages/*/src/**/*.lua', { cwd: root }).length;
  expect(globSync('**/@gyre/*/dist/**/*.lua', { cwd: out })).toHaveLength(scripts);
});

it('serves official clients, and ends as it should', async () => {
  const port = await freePort();
  const file = join(folder, 'config.json');
  const config = {
    http_server: { address: '127.0.0.1', port },
    http_api: { key: 'key' },
    client: { token: { hmac_secret_key: 'secret' } },
    channel: { without_namespace: { allow_subscribe_for_client: true } },
    shutdown: { ready_wait: '0s', drain_time: '0s' },
  };
  writeFileSync(file, JSON.stringify(config));
  const main = join(out, 'dist/cli/main.js');
  const child = spawn(node, [`--import=${pathToFileURL(leash).href}`, main, '--config', file], {
    cwd: folder,
    env: { NODE_ENV: 'production' },
    stdio: 'pipe',
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });

  const url = `http://127.0.0.1:${port}`;
  const healthy = () =>
    fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => child.exitCode !== null,
    );
  await until(healthy, { message: () => `health; the log:\n${log}` });
  const server = {
    apiUrl: `${url}/api`,
    apiKey: 'key',
    wsUrl: `ws://127.0.0.1:${port}/connection/websocket`,
    tokenSecret: 'secret',
  };
  const client = await connectClient(server, { user: 'alice' });
  const subscription = client.newSubscription('news');
  const events = record(subscription);
  subscription.subscribe();
  await subscription.ready();
  await api(server, 'publish', { channel: 'news', data: { n: 1 } });
  await until(() => events.publication.length === 1);
  expect(events.publication[0]?.data).toEqual({ n: 1 });
  client.disconnect();

  child.kill('SIGTERM');
  expect(await ended, log).toBe(0);
});
