/**
 * A Redis for tests: that of `REDIS_URL`, or one that is started here on a free port and ended afterwards. Never a mock.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisOptions } from './options.ts';

export { startProxy } from './proxy.testing.ts';
export type { Proxy } from './proxy.testing.ts';

export interface TestRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** A server of our own, which may be treated badly. */
export interface OwnRedis extends TestRedis {
  readonly port: number;
  readonly dir: string;
  readonly process: ChildProcess;
  /** For looking at the server and for commands that no program would send. */
  readonly admin: Redis;
  /** Ends the process as a crash does. */
  crash(): Promise<void>;
  /** Ends the process as a crash does, and starts it again with what lies in its folder. */
  restart(): Promise<void>;
}

/** The options of a node over `address`, under a prefix that nobody else has unless one is given. */
export function testOptions(
  address: string | readonly string[],
  more: Partial<RedisOptions> = {},
): RedisOptions {
  return {
    address: typeof address === 'string' ? [address] : address,
    cluster_address: [],
    sentinel_address: [],
    sentinel_master_name: '',
    sentinel_user: '',
    sentinel_password: '',
    user: '',
    password: '',
    db: 0,
    client_name: '',
    force_resp2: false,
    connect_timeout: 1000,
    io_timeout: 4000,
    prefix: freshPrefix(),
    ...more,
  };
}

export function freshPrefix(): string {
  return `test-${randomUUID()}`;
}

/** `REDIS_URL` if it is set, else a server of our own. */
export async function testRedis(): Promise<TestRedis> {
  const url = process.env['REDIS_URL'];
  return url ? { url, close: async () => {} } : startRedis();
}

/**
 * Starts a server on a free port of the loopback interface.
 * @param args more of its command line
 * @throws Error that says what to do where no Redis is to be had
 */
export async function startRedis(args: readonly string[] = []): Promise<OwnRedis> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'gyre-redis-'));
  const line = ['--port', `${port}`, '--dir', dir, ...forTests, ...args];
  let child = run(line);
  let admin = await answering(port, child);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get process() {
      return child;
    },
    get admin() {
      return admin;
    },
    crash: () => end(child),
    restart: async () => {
      admin.disconnect();
      await end(child);
      child = run(line);
      admin = await answering(port, child);
    },
    close: async () => {
      admin.disconnect();
      await end(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface TestSentinel extends TestRedis {
  /** The first one is the master to begin with. */
  readonly servers: readonly OwnRedis[];
  /** For talking to one of the Sentinels. */
  readonly sentinel: Redis;
}

/** A master, two replicas and three Sentinels, which notice a death after `downMs`. */
export async function startSentinel(downMs = 500): Promise<TestSentinel> {
  const master = await startRedis(['--repl-diskless-sync-delay', '0']);
  const replica = ['--replicaof', '127.0.0.1', `${master.port}`, '--repl-diskless-sync-delay', '0'];
  const replicas = await Promise.all([startRedis(replica), startRedis(replica)]);
  await until(async () => /connected_slaves:2/.test(await master.admin.info('replication')));
  const sentinels = await Promise.all([0, 1, 2].map(() => startSentinelProcess(master.port, downMs)));
  const [first] = sentinels;
  if (first === undefined) throw new Error('no Sentinels');
  await until(async () => {
    const known = (await first.admin.call('SENTINEL', 'MASTER', 'main')) as string[];
    const field = (name: string): number => Number(known[known.indexOf(name) + 1]);
    return field('num-slaves') === 2 && field('num-other-sentinels') === 2;
  });
  const addresses = sentinels.slice(1).map(({ port }) => `&addr=127.0.0.1:${port}`);
  return {
    url: `redis+sentinel://127.0.0.1:${first.port}?sentinel_master_name=main${addresses.join('')}`,
    servers: [master, ...replicas],
    sentinel: first.admin,
    close: async () => {
      await Promise.all(sentinels.map((one) => one.close()));
      await Promise.all([master, ...replicas].map((one) => one.close()));
    },
  };
}

async function startSentinelProcess(masterPort: number, downMs: number): Promise<OwnRedis> {
  const sentinel = await startRedis(['--sentinel']);
  const { admin } = sentinel;
  await admin.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', `${masterPort}`, '2');
  await admin.call('SENTINEL', 'SET', 'main', 'down-after-milliseconds', `${downMs}`);
  await admin.call('SENTINEL', 'SET', 'main', 'failover-timeout', '3000');
  return sentinel;
}

export interface TestCluster extends TestRedis {
  /** Three masters, then their replicas. */
  readonly servers: readonly OwnRedis[];
}

/** Three masters with a third of the slots each, and a replica of each. */
export async function startCluster(): Promise<TestCluster> {
  const line = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '1000',
    '--repl-diskless-sync-delay',
    '0',
  ];
  const servers = await Promise.all(Array.from({ length: 6 }, () => startRedis(line)));
  const [first] = servers;
  if (first === undefined) throw new Error('no servers');
  const bounds = [0, 5461, 10923, 16384];
  for (const [i, { admin }] of servers.entries()) {
    await admin.cluster('SET-CONFIG-EPOCH', i + 1);
    if (i < 3) await admin.call('CLUSTER', 'ADDSLOTSRANGE', `${bounds[i]}`, `${Number(bounds[i + 1]) - 1}`);
    if (i > 0) await first.admin.cluster('MEET', '127.0.0.1', servers[i]?.port ?? 0);
  }
  const everyone = async (says: RegExp): Promise<boolean> => {
    const infos = await Promise.all(servers.map(({ admin }) => admin.cluster('INFO')));
    return infos.every((info) => says.test(info));
  };
  await until(() => everyone(/cluster_known_nodes:6\b/));
  for (const [i, { admin }] of servers.slice(3).entries()) {
    const id = String(await servers[i]?.admin.cluster('MYID'));
    await until(async () => String(await admin.cluster('NODES')).includes(id));
    await admin.call('CLUSTER', 'REPLICATE', id);
  }
  await until(() => everyone(/cluster_state:ok/));
  const linked = servers.slice(3).map(({ admin }) => admin);
  await until(async () => {
    const infos = await Promise.all(linked.map((admin) => admin.info('replication')));
    return infos.every((info) => info.includes('master_link_status:up'));
  });
  return {
    url: `redis+cluster://127.0.0.1:${first.port}?addr=127.0.0.1:${servers[1]?.port}`,
    servers,
    close: async () => {
      await Promise.all(servers.map((one) => one.close()));
    },
  };
}

/** Nothing is kept but what a test saves: the word after `--save` is the empty one. */
const forTests = '--bind 127.0.0.1 --protected-mode no --save  --appendonly no --loglevel warning'.split(' ');

/** A server program of the PATH, in the foreground. */
function run(args: readonly string[]): ChildProcess {
  const program = ['redis-server', 'valkey-server'].map(onPath).find((path) => path !== undefined);
  if (program === undefined) {
    throw new Error(
      'no Redis for the tests: install redis-server (apt-get install redis-server), or set REDIS_URL=redis://host:port',
    );
  }
  // A configuration file, because a Sentinel wants one to write to; the options come after it.
  const dir = args[args.indexOf('--dir') + 1] ?? '';
  const file = args.includes('--sentinel') ? [sentinelFile(dir)] : [];
  return spawn(program, [...file, ...args], { stdio: 'ignore' });
}

function sentinelFile(dir: string): string {
  const file = join(dir, 'sentinel.conf');
  writeFileSync(file, '');
  return file;
}

function onPath(name: string): string | undefined {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A client of the server, once it answers. */
async function answering(port: number, child: ChildProcess): Promise<Redis> {
  const admin = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: null });
  admin.on('error', () => {});
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`a Redis of the tests ended with ${child.exitCode}`);
    return admin.status === 'ready';
  });
  return admin;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const { port: found } = server.address() as AddressInfo;
        server.close(() => resolve(found));
      });
    });
    // The bus of a Cluster has its port 10 000 above.
    if (port < 55_000) return port;
  }
}

/** Resolves when the condition holds; rejects when it has not for twenty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
