/**
 * Sees to it that the tests have a Redis: that of `REDIS_URL` where it is set, and servers to be started and mistreated:
 * a program of the PATH, else containers where a Docker engine answers, else a program that is installed, as root on Debian
 * or Ubuntu. Fails with one line that says how to get one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { findProgram, howToGetOne } from '../packages/redis/src/program.testing.ts';
import { openRedis } from '../packages/redis/src/shards.ts';
import { startRedis, testOptions } from '../packages/redis/src/testing.ts';

// Holds the whole server under another name, and unlike redis-server leaves no service running on the machine.
const debianPackage = 'redis-tools';

/** What answers there, in words. Throws where nothing does. */
async function nameOf(url: string): Promise<string> {
  const warnings: string[] = [];
  const redis = openRedis(testOptions(url), {
    warn: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`),
  });
  try {
    await redis.start();
    const { shard, tag } = redis.place('any');
    const info = String(await shard.call(tag, ['INFO', 'server']));
    const [, valkey] = /valkey_version:(\S+)/.exec(info) ?? [];
    return valkey === undefined ? `Redis ${/redis_version:(\S+)/.exec(info)?.[1]}` : `Valkey ${valkey}`;
  } catch (error) {
    throw new Error([reasonOf(error), ...warnings].join('; '), { cause: error });
  } finally {
    await redis.close();
  }
}

/** Starts a server as the tests will. Throws where that fails. */
async function tryOwn(): Promise<void> {
  const program = findProgram();
  if (program === undefined) console.log('No redis-server on the PATH; asking for a Docker engine ...');
  const server = await startRedis();
  try {
    console.log(`Servers of the tests: ${await nameOf(server.url)}, ${program ?? 'in containers'}`);
  } finally {
    await server.close();
  }
}

/** Root on Debian, Ubuntu or what is made of them. */
function mayInstall(): boolean {
  const file = '/etc/os-release';
  const system = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return process.getuid?.() === 0 && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(system);
}

function apt(...args: readonly string[]): boolean {
  console.log(`apt-get ${args.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const all = ['-q', '-o', 'DPkg::Lock::Timeout=120', ...args];
  return spawnSync('apt-get', all, { stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0;
}

async function ownServers(): Promise<void> {
  try {
    return await tryOwn();
  } catch (error) {
    // A program that does not work is not mended by another one.
    if (findProgram() !== undefined || !mayInstall()) throw error;
    console.log(`No container: ${reasonOf(error)}`);
  }
  // Old lists may still do where no new ones are to be had.
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', debianPackage)) {
    throw new Error(`${debianPackage} cannot be installed`);
  }
  await tryOwn();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  const url = process.env['REDIS_URL'];
  if (url) console.log(`REDIS_URL: ${await nameOf(url)}`);
  await ownServers();
} catch (error) {
  console.error(`${reasonOf(error)}\n${howToGetOne}`);
  process.exitCode = 1;
}
