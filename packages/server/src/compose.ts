import { randomUUID } from 'node:crypto';
import { createExecutor, http as httpApi, type Executor, type HttpApi } from '@gyre/api';
import { Node } from '@gyre/node';
import { KeySets } from './auth/key-sets.ts';
import { createRules } from './channels/rules.ts';
import { doorsOf, makeAdmission } from './compose/doors.ts';
import { endServer } from './compose/ending.ts';
import { openEngines, type Engines } from './compose/engines.ts';
import { Life } from './compose/life.ts';
import { makeLive, nodeOptions } from './compose/live.ts';
import { openPorts, type Ports } from './compose/ports.ts';
import { watchLife } from './compose/watch.ts';
import type { Config } from './config/schema.ts';
import { createGate } from './gate/gate.ts';
import { Calls } from './http/calls.ts';
import { watchLoopLag } from './http/loop-lag.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics/registry.ts';
import { version } from './version.ts';

/** How a server is at a moment. */
export interface ServerState {
  /** Connections that are open. */
  readonly clients: number;
  /** Whether any Redis answers; true where none is asked. */
  readonly engineAnswers: boolean;
  /** Why load balancers should send nobody here, undefined while they should. */
  readonly unready: string | undefined;
}

/** A server that runs. */
export interface Server {
  /** Where clients connect. */
  readonly port: number;
  /** Where the server API, metrics and health are; the same port unless an internal listener is configured. */
  readonly internalPort: number;
  /** Where the server API over gRPC is, if it is served. */
  readonly grpcPort?: number;
  /** What this node is called. */
  readonly name: string;
  /** How it is now. */
  look(): ServerState;
  /**
   * Goes on by another configuration, as far as that is possible while the server runs (`config/reload.ts`).
   * @throws Error for a key, address or pattern that is none; nothing has changed then
   */
  reload(config: Config): void;
  /**
   * Ends gracefully: is not ready for `shutdown.ready_wait`, closes clients over `shutdown.drain_time`, lets what is under
   * way finish, all within `shutdown.timeout`. Calling it again changes nothing.
   * @returns whether nothing was left behind; what was may keep the process busy for a while
   */
  stop(): Promise<boolean>;
}

/** Puts a server together from its configuration and starts it. */
export async function compose(config: Config, log: Logger): Promise<Server> {
  const keySets = new KeySets({ now: Date.now, log });
  let live = makeLive(config, log, keySets);
  const uid = randomUUID();
  const { name } = nodeOptions(uid, config);
  const engines = await openEngines({
    config,
    uid,
    name,
    joinLeave: (channel) => live.namespaces.find(channel)?.options.join_leave ?? false,
    log,
  });
  const { broker, presence, control } = engines;
  const node = new Node({
    options: nodeOptions(uid, config),
    broker,
    presence,
    control,
    gate: createGate(() => live.policy),
    log,
  });
  const executor = createExecutor(
    { broker, presence, control, rules: createRules(() => live.namespaces) },
    log,
  );
  let api = makeApi(config, executor, log);
  let stopping: Promise<boolean> | undefined;
  const life = new Life(engines, () => live.config.health);
  const loopLag = watchLoopLag();
  const admission = makeAdmission(() => live, node, {
    loopLag: () => loopLag.now(),
    barred: () => life.barred(),
  });
  const calls = new Calls();
  const metrics = createMetrics(config.prometheus.prefix, {
    node,
    engines,
    api: executor,
    version,
    nodes: () => engines.nodes(),
    refusals: admission.refusals,
  });
  async function giveUp(error: unknown): Promise<never> {
    loopLag.close();
    await node.drain(0);
    await engines.close();
    throw error;
  }
  await node.start().catch(giveUp);

  const doors = doorsOf(() => live, {
    node,
    api: { open: (head) => api.open(head) },
    admission,
    calls,
    metrics,
    unready: () => life.unready(),
  });
  const ports = await openPorts(() => live, doors, executor, log).catch(giveUp);
  const watcher = watchLife(life, log);

  async function end(): Promise<boolean> {
    const options = live.config.shutdown;
    const complete = await endServer({ options, life, node, calls, ports, engines, log });
    watcher.close();
    loopLag.close();
    return complete;
  }
  return {
    ...numbersOf(ports),
    name,
    look: () => look(node, engines, life),
    reload(next) {
      live = makeLive(next, log, keySets);
      api = makeApi(next, executor, log);
      node.configure(nodeOptions(uid, next));
    },
    stop: () => (stopping ??= end()),
  };
}

function look(node: Node, engines: Engines, life: Life): ServerState {
  return { clients: node.gauges.open, engineAnswers: engines.verified(), unready: life.unready() };
}

function numbersOf({ http, grpc }: Ports): Pick<Server, 'port' | 'internalPort' | 'grpcPort'> {
  const [external, internal = external] = http;
  return { port: external.port, internalPort: internal.port, ...(grpc && { grpcPort: grpc.port }) };
}

function makeApi(
  { http_api: { key, insecure, error_mode: errorMode } }: Config,
  executor: Executor,
  log: Logger,
): HttpApi {
  const api = httpApi({ executor, key, insecure, errorMode });
  return {
    open(head) {
      const opened = api.open(head);
      if (typeof opened !== 'function' && opened.status === 401) {
        log.debug?.('server API call refused', {
          path: head.path,
          status: 401,
          because: 'no key, or another than http_api.key',
        });
      }
      return opened;
    },
  };
}
