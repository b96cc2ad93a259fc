import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { runContainer } from './container.testing.ts';
import { findProgram, runProgram } from './program.testing.ts';
import { until } from './until.testing.ts';

export interface TestRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** A server of our own, which may be treated badly. */
export interface OwnRedis extends TestRedis {
  readonly port: number;
  /** Its folder, where it saves to; that of this machine also where the server is a container. */
  readonly dir: string;
  /** For looking at the server and for commands that no program would send. */
  readonly admin: Redis;
  /** Ends the server as a crash does. */
  crash(): Promise<void>;
  /** Ends the server as a crash does, and starts it again with what lies in its folder. */
  restart(): Promise<void>;
  /** Stops the server where it is: its connections stay open and nobody answers; until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** A server that was started, as a process or as a container. */
export interface Running {
  /** Why it does not run any more; undefined as long as it does. */
  ended(): string | undefined;
  signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Ends it as a crash does; harmless where it has ended. */
  kill(): Promise<void>;
}

/** Nothing is kept but what a test saves: the word after `--save` is the empty one. */
const forTests = '--bind 127.0.0.1 --protected-mode no --save  --appendonly no --loglevel warning'.split(' ');

/**
 * Starts a server on a free port of the loopback interface: a program of the PATH, else a container.
 * @param args more of its command line
 * @throws Error where none is to be had, or ends
 */
export async function startRedis(args: readonly string[] = []): Promise<OwnRedis> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'gyre-redis-'));
  const line = ['--port', `${port}`, '--dir', dir, ...forTests, ...args];
  // A Sentinel wants a configuration file to write to; the options come after it.
  const file = args.includes('--sentinel') ? [join(dir, 'sentinel.conf')] : [];
  const password = args[args.lastIndexOf('--requirepass') + 1 || args.length];
  const run = (): Promise<Running> => {
    for (const path of file) writeFileSync(path, '');
    const program = findProgram();
    const all = [...file, ...line];
    return program === undefined ? runContainer(all, dir) : runProgram(program, all, dir);
  };
  let server = await run();
  const close = async (): Promise<void> => {
    await server.kill();
    rmSync(dir, { recursive: true, force: true });
  };
  let admin = await answering(port, server, password).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    get admin() {
      return admin;
    },
    crash: () => server.kill(),
    restart: async () => {
      admin.disconnect();
      await server.kill();
      server = await run();
      admin = await answering(port, server, password);
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    close: async () => {
      admin.disconnect();
      await close();
    },
  };
}

/** A client of the server, once it answers. */
async function answering(port: number, server: Running, password: string | undefined): Promise<Redis> {
  const admin = new Redis({
    port,
    host: '127.0.0.1',
    ...(password !== undefined && { password }),
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  admin.on('error', () => {});
  try {
    await until(() => {
      const why = server.ended();
      if (why !== undefined) throw new Error(`a Redis of the tests ended: ${why}`);
      return admin.status === 'ready';
    });
  } catch (error) {
    admin.disconnect();
    throw error;
  }
  return admin;
}

// Below the range that the kernel takes ports of outgoing connections from: those come and go all the time. The bus of a
// Cluster has its port 10 000 above. Each process begins elsewhere, so that files beside each other ask for different ones.
const [lowest, count, toBus] = [10_000, 5_000, 10_000] as const;
let next = (process.pid * 97) % count;

async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + next;
    next = (next + 1) % count;
    if ((await isFree(port)) && (await isFree(port + toBus))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
