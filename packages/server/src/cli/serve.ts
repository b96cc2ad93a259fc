import { rmSync, writeFileSync } from 'node:fs';
import { nanoid } from 'nanoid';
import { compose, type Server } from '../compose.ts';
import { isLocked } from '../config/check-doors.ts';
import { formatDuration } from '../config/duration.ts';
import { loadConfig, type Config, type LoadedConfig, type PartialConfig } from '../config/load.ts';
import { endTimes } from '../config/shutdown.ts';
import type { Flushed } from '../log-output.ts';
import { createLogger, type Logger, type RootLogger } from '../logger.ts';
import { version } from '../version.ts';
import { banner } from './banner.ts';
import { reload } from './reload.ts';
import type { Terminal } from './run.ts';

/** A second signal within this many milliseconds is the first one again: npm forwards what the terminal sent already. */
const SAME_SIGNAL = 1000;
/** Milliseconds that the last lines of the log have for getting to whoever reads it. */
const LAST_LINES = 500;

/**
 * Serves until a signal ends it. Without any configuration in development mode: on this machine only, with keys made
 * for the occasion and everything allowed.
 */
export async function serve(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { env, cwd, print, complain } = terminal;
  let loaded = loadConfig({ argv, env, cwd });
  const development = !loaded.configured;
  if (development) loaded = loadConfig({ argv, env, cwd, defaults: developmentDefaults() });
  let { config } = loaded;
  const log = createLogger(config.log);
  // Without a configuration there is nothing to read again, and a terminal that goes away ends what runs in it.
  const ended = signals(development ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'], log);
  let server: Server;
  try {
    server = await compose(config, log);
  } catch (error) {
    complain(`gyre: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  if (config.pid_file !== '') writeFileSync(config.pid_file, `${process.pid}\n`);
  if (development) print(developmentBanner(config, server, terminal.color));
  else {
    announce(loaded, server, log);
    process.on('SIGHUP', () => {
      config = reload({ argv, env, cwd }, loaded, server, log) ?? config;
    });
  }

  const signal = await ended;
  log.info?.('stopping', { signal, next: whatFollows(config, server) });
  const complete = await stop(server, config.shutdown.timeout, log);
  if (config.pid_file !== '') rmSync(config.pid_file, { force: true });
  // What was left behind would keep the process until it has an end of its own.
  const lines = await log.flush(LAST_LINES);
  if (!complete || lines !== 'written') exit(0, lines);
  return 0;
}

function announce({ config, configuredBy, warnings, file }: LoadedConfig, server: Server, log: Logger): void {
  for (const warning of warnings) log.warn?.(warning);
  if (file === undefined) log.info?.('configured, so not in development mode', { by: configuredBy });
  if (isLocked(config)) {
    log.warn?.('nobody is let in: neither http_api.key nor a key for tokens is set', { by: configuredBy });
  }
  const { unready: because, engineAnswers } = server.look();
  const facts = {
    version,
    node: server.name,
    address: config.http_server.address || 'every interface',
    port: server.port,
    internal_port: server.internalPort,
    ...(server.grpcPort === undefined ? {} : { grpc_port: server.grpcPort }),
    engine: config.engine.type,
    ...(config.engine.type === 'redis' ? { redis: engineAnswers ? 'answers' : 'does not answer' } : {}),
    pid: process.pid,
    ...(file === undefined ? {} : { config: file }),
  };
  if (because === undefined) log.info?.('serving', facts);
  else log.warn?.('serving, not ready', { because, ...facts });
}

/** The end that is to come, in words. */
function whatFollows({ shutdown }: Config, server: Server): string {
  const { clients } = server.look();
  const { readyWait, drainTime } = endTimes(shutdown);
  const wait = readyWait > 0 ? `waits ${formatDuration(readyWait)} for load balancers, ` : '';
  const over = drainTime > 0 && clients > 0 ? ` over ${formatDuration(drainTime)}` : '';
  return `${wait}closes ${clients} ${clients === 1 ? 'client' : 'clients'}${over}`;
}

/** Resolves with the first signal. A later one, unless it is the same again, ends the process at once. */
function signals(names: readonly NodeJS.Signals[], log: RootLogger): Promise<string> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (signal: string): void => {
      const now = performance.now();
      if (first !== undefined && now - first > SAME_SIGNAL) void exitNow(log);
      first ??= now;
      resolve(signal);
    };
    for (const name of names) process.on(name, onSignal);
  });
}

/** @returns whether nothing was left behind */
async function stop(server: Server, timeout: number, log: RootLogger): Promise<boolean> {
  const late = setTimeout(() => {
    log.error?.('could not stop in time', { timeout_ms: timeout });
    void exitNow(log);
  }, timeout);
  const complete = await server.stop();
  clearTimeout(late);
  log.info?.('stopped');
  return complete;
}

/** Ends the process before it was through. */
async function exitNow(log: RootLogger): Promise<never> {
  return exit(1, await log.flush(LAST_LINES));
}

/** @param lines what became of the last ones of the log */
function exit(code: number, lines: Flushed): never {
  // A thread that hangs in a write is waited for by every other way to exit.
  if (lines === 'stuck') process.kill(process.pid, 'SIGKILL');
  return process.exit(code);
}

function developmentDefaults(): PartialConfig {
  return {
    http_server: { address: '127.0.0.1' },
    http_api: { key: nanoid(32) },
    client: {
      insecure: true,
      allowed_origins: [
        ...['http', 'https'].flatMap((scheme) =>
          ['localhost:*', '127.0.0.1:*'].map((host) => `${scheme}://${host}`),
        ),
        'null',
      ],
      token: { hmac_secret_key: nanoid(32) },
    },
    channel: {
      without_namespace: {
        presence: true,
        join_leave: true,
        history_size: 100,
        history_ttl: 300_000,
        allow_tags_filter: true,
        allowed_delta_types: ['fossil'],
        allow_user_limited_channels: true,
      },
    },
    prometheus: { enabled: true },
    rpc: { ping: { enabled: true } },
    shutdown: { ready_wait: 0, drain_time: 0 },
  };
}

function developmentBanner(config: Config, { port }: Server, color: boolean): string {
  return banner(
    {
      version,
      address: config.http_server.address,
      port,
      apiKey: config.http_api.key,
      tokenSecret: config.client.token.hmac_secret_key,
      paths: {
        api: config.http_api.handler_prefix,
        websocket: config.websocket.handler_prefix,
        metrics: config.prometheus.handler_prefix,
        health: config.health.handler_prefix,
      },
    },
    color,
  );
}
