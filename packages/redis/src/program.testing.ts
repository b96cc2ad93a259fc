import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Running } from './server.testing.ts';

/** What to do where there is none. */
export const howToGetOne =
  'The Redis tests need a redis-server or valkey-server on the PATH (apt-get install redis-server), or a Docker engine; and REDIS_URL, if set, has to answer.';

// The last two are servers too, which only ask by which name they were called: what Debian has in redis-tools and
// valkey-tools, packages that start no service.
const names = ['redis-server', 'valkey-server', 'redis-check-rdb', 'valkey-check-rdb'];

/** The path of a server on the PATH, where there is one. */
export function findProgram(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a server in the foreground. It ends, and its folder goes, when this process is gone, however that ended.
 * @param dir its folder
 */
export async function runProgram(program: string, args: readonly string[], dir: string): Promise<Running> {
  const child = spawn(program, args, { argv0: 'redis-server', stdio: ['ignore', 'pipe', 'pipe'] });
  let last = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (last = text));
  }
  await once(child, 'spawn');
  const watch = leash(child, dir);
  child.once('exit', () => watch.kill('SIGKILL'));
  const ended = (): string | undefined => {
    const how = child.exitCode ?? child.signalCode;
    return how === null ? undefined : `${how} ${last}`;
  };
  return {
    ended,
    signal: async (name) => {
      child.kill(name);
    },
    kill: async () => {
      if (ended() !== undefined) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** A shell that waits for the end of a pipe that only this process holds. */
function leash(child: ChildProcess, dir: string): ChildProcess {
  const script = 'read -r _; kill -9 "$1"; rm -rf "$2"';
  const stdio = ['pipe', 'ignore', 'ignore'] as const;
  return spawn('sh', ['-c', script, 'leash', `${child.pid}`, dir], { stdio: [...stdio] });
}
