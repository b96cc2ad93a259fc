import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configure, type Addresses, type ConfigFile } from './config.ts';
import { freePort, isFree } from './port.ts';
import { launch, type LaunchOptions, type Program } from './program.ts';
import { teardown } from './teardown.ts';
import { until, within } from './until.ts';

export interface StartOptions extends LaunchOptions {
  /** Put over the harness's own. `false`: no file, so the server has only `args` and `env`, and keys of its own. */
  readonly config?: ConfigFile | false;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** To come back on a port, or where `args` or `env` name one. */
  readonly port?: number;
}

/** A server that runs as a process of its own. */
export interface Gyre extends Addresses, Program {}

/**
 * Starts a server on a free port of the loopback interface, and waits until it answers `GET /health`. It is stopped when
 * the test, or the file, that started it ends; which fails where it crashed or does not end cleanly.
 * @throws Error with the log, at once where the process ends instead
 */
export async function start(options: StartOptions = {}): Promise<Gyre> {
  const port = options.port ?? (await freePort());
  // Whoever listens there would answer in its place.
  if (!(await isFree(port))) throw new Error(`port ${port} is taken`);
  const { config, addresses } = configure(port, options.config === false ? {} : (options.config ?? {}));
  const folder = mkdtempSync(join(tmpdir(), 'gyre-'));
  const file = join(folder, 'config.json');
  // It would be read without being named: the server runs in this folder.
  if (options.config !== false) writeFileSync(file, JSON.stringify(config));
  const args = [...(options.config === false ? [] : ['--config', file]), ...(options.args ?? [])];
  const program = launch(args, folder, options.env ?? {}, options);
  teardown(async () => {
    await program.stop();
    rmSync(folder, { recursive: true });
  });

  const health = `${addresses.internalUrl}/health`;
  await until(async () => program.endedByItself() || (await answers(health)), {
    deadline: 20_000,
    message: () => `GET ${health}; the log:\n${program.logs()}`,
  });
  if (program.endedByItself()) throw new Error(`the server ended instead of serving:\n${program.logs()}`);

  teardown(async () => {
    const crashed = program.endedByItself();
    const { code, signal } = await program.stop();
    if (crashed || (code !== 0 && signal !== 'SIGKILL')) {
      throw new Error(`the server crashed or did not end cleanly (${code ?? signal}):\n${program.logs()}`);
    }
  });
  return { ...addresses, ...program };
}

/**
 * Runs a command, or a start that is expected to fail, to its end.
 * @returns its exit code and everything that it wrote
 * @throws Error where it does not end
 */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const program = launch(args, tmpdir(), env);
  teardown(async () => void (await program.stop('SIGKILL')));
  const { code } = await within(
    program.exited,
    20_000,
    () => `the end of gyre ${args.join(' ')}; it wrote:\n${program.logs()}`,
  );
  return { code, output: program.logs() };
}

/** Asks without a check of certificates: tests make their own. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? getHttps : getHttp;
    get(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });
}
