import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { within } from './until.ts';

const root = join(import.meta.dirname, '..', '..');
const node = join(root, 'node_modules/node/bin/node');
const leash = join(import.meta.dirname, 'leash.ts');
const main = join(root, 'packages/server/src/cli/main.ts');

/** Milliseconds in which a program has to end when told to. For hangs only. */
const patience = 20_000;

export interface Exit {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The command line of Gyre, running. */
export interface Program {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Everything written so far, to standard output and standard error. */
  logs(): string;
  /**
   * Sends a signal, SIGTERM if none is said, and waits for the end. Harmless where it has ended.
   * @throws Error with the log where it does not end; it is killed then
   */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** It has ended, and nobody called `stop` before. */
  endedByItself(): boolean;
}

/** What else may be said of a program. */
export interface LaunchOptions {
  /** Nobody reads what it writes: `logs` stays empty. */
  readonly unread?: boolean;
}

/**
 * Runs Gyre from its sources. It sees nothing of the tester's own settings: no variables but those given, and no `.env`
 * of the working directory.
 * @param cwd where it runs
 */
export function launch(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  { unread = false }: LaunchOptions = {},
): Program {
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(node, ['--conditions=source', `--import=${pathToFileURL(leash).href}`, main, ...args], {
    cwd,
    env: { PATH, HOME, TMPDIR, ...env },
    stdio: 'pipe',
  });
  let written = '';
  for (const stream of unread ? [] : [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (written += text));
  }

  let ended = false;
  let endedByItself = false;
  let stopping = false;
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    // When its output has been read too: who waits for the end wants to see the last line.
    child.once(unread ? 'exit' : 'close', (code, signal) => {
      ended = true;
      endedByItself = !stopping;
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid ?? 0,
    exited,
    logs: () => written,
    endedByItself: () => endedByItself,
    async stop(signal = 'SIGTERM') {
      stopping = true;
      if (!ended) child.kill(signal);
      try {
        return await within(exited, patience, `end after ${signal}`);
      } catch (error) {
        child.kill('SIGKILL');
        throw new Error(`${String(error)}\n${written}`);
      }
    },
  };
}
