import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  createExecutor,
  grpc as grpcApi,
  http as httpApi,
  openapi,
  type Executor,
  type GrpcApi,
  type HttpApi,
} from '@gyre/api';
import { memoryBroker, memoryControlBus } from '@gyre/broker/memory';
import { Node, type NodeOptions } from '@gyre/node';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import { KeySets } from './auth/key-sets.ts';
import { createTokens } from './auth/tokens.ts';
import { Namespaces } from './channels/namespaces.ts';
import { createRules } from './channels/rules.ts';
import type { Config } from './config/schema.ts';
import { createGate } from './gate/gate.ts';
import type { Policy } from './gate/policy.ts';
import { grpcListener, type GrpcListener } from './grpc/listener.ts';
import { createAdmission, type Admission } from './http/admission.ts';
import { listener, type Listener, type ListenerOptions } from './http/listener.ts';
import { originRule } from './http/origin.ts';
import {
  apiRoutes,
  healthRoutes,
  metricsRoute,
  notFoundRoute,
  swaggerRoutes,
  websocketRoute,
  type Mount,
} from './http/routes.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics/registry.ts';
import { tlsMaterial } from './pem.ts';
import { version } from './version.ts';

/** A server that runs. */
export interface Server {
  /** Where clients connect. */
  readonly port: number;
  /** Where the server API, metrics and health are; the same port unless an internal listener is configured. */
  readonly internalPort: number;
  /** Where the server API over gRPC is, if it is served. */
  readonly grpcPort?: number;
  /**
   * Goes on by another configuration, as far as that is possible while the server runs (`config/reload.ts`).
   * @throws Error for a key, address or pattern that is none; nothing has changed then
   */
  reload(config: Config): void;
  /**
   * Ends gracefully: refuses what is new, closes clients over `shutdown.drain_time`, lets what is under way finish.
   * Calling it again changes nothing.
   */
  stop(): Promise<void>;
}

/** What is decided by the configuration alone. Never changed: a reload makes another one. */
interface Live {
  readonly config: Config;
  readonly namespaces: Namespaces;
  readonly policy: Policy;
  readonly originAllowed: (origin: string) => boolean;
  /** Of a handshake, lower case. */
  readonly keepHeaders: readonly string[];
}

/** @throws Error for a key, address or pattern that is none, naming the option */
export function makeLive(config: Config, log: Logger, keySets = new KeySets({ now: Date.now, log })): Live {
  const { client, rpc } = config;
  const namespaces = new Namespaces(config.channel);
  const tokens = createTokens(client, { now: Date.now, keySets });
  return {
    config,
    namespaces,
    policy: { client, rpc, channels: namespaces, tokens, now: Date.now, log },
    originAllowed: originRule(client.allowed_origins),
    keepHeaders: [client.user_id_http_header.toLowerCase()].filter((name) => name !== ''),
  };
}

/** Puts a server together from its configuration and starts it. */
export async function compose(config: Config, log: Logger): Promise<Server> {
  const broker = memoryBroker();
  const presence = memoryPresenceManager();
  const control = memoryControlBus();
  const keySets = new KeySets({ now: Date.now, log });
  let live = makeLive(config, log, keySets);
  const uid = randomUUID();
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
  let api = makeApi(config, executor);
  let stopping: Promise<void> | undefined;
  const accepting = (): boolean => stopping === undefined;
  const admission = makeAdmission(() => live, node, accepting);
  const metrics = createMetrics(config.prometheus.prefix, {
    node,
    api: executor,
    version,
    refusedConnections: admission.refused,
  });
  await node.start();

  const doors = doorsOf(() => live, {
    node,
    api: { open: (head) => api.open(head) },
    admission,
    metrics,
    accepting,
  });
  const grpc = makeGrpcApi(() => live, executor, log);
  const { rpc, listeners } = await openAll(config, doors, grpc).catch(async (error: unknown) => {
    await release(0);
    throw error;
  });

  /** @param calls what still needs the engines */
  async function release(drainTime: number, calls?: Promise<void>): Promise<void> {
    await node.drain(drainTime);
    await calls;
    await control.close();
    await broker.close();
    await presence.close();
  }

  async function end(): Promise<void> {
    for (const port of listeners) port.stop();
    // Half of the time that there is, so that what comes after has its own.
    const calls = rpc?.close(live.config.shutdown.timeout / 2);
    await release(live.config.shutdown.drain_time, calls);
    for (const port of listeners) port.close();
  }
  return {
    port: listeners[0].port,
    internalPort: (listeners[1] ?? listeners[0]).port,
    ...(rpc && { grpcPort: rpc.port }),
    reload(next) {
      live = makeLive(next, log, keySets);
      api = makeApi(next, executor);
      node.configure(nodeOptions(uid, next));
    },
    stop: () => (stopping ??= end()),
  };
}

interface Parts {
  readonly node: Node;
  readonly api: HttpApi;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly accepting: () => boolean;
}

interface Doors {
  readonly external: readonly Mount[];
  readonly internal: readonly Mount[];
}

/** What is served over HTTP, by the listener that it belongs to. */
function doorsOf(live: () => Live, { node, api, admission, metrics, accepting }: Parts): Doors {
  const { config } = live();
  const doors: Record<'external' | 'internal', Mount[]> = { external: [], internal: [] };
  if (!config.websocket.disabled) {
    doors.external.push(websocketDoor(live, node, admission));
  }
  if (!config.http_api.disabled) {
    const { handler_prefix: prefix, external, max_request_size: maxSize } = config.http_api;
    doors[external ? 'external' : 'internal'].push(apiRoutes(prefix, api, maxSize));
  }
  if (config.health.enabled) {
    doors.internal.push(healthRoutes(config.health.handler_prefix, '/ready', accepting));
  }
  if (config.prometheus.enabled) {
    doors.internal.push(metricsRoute(config.prometheus.handler_prefix, metrics));
  }
  if (config.swagger.enabled) {
    const document = openapi(config.http_api.handler_prefix, version);
    doors.internal.push(swaggerRoutes(config.swagger.handler_prefix, document));
  }
  return doors;
}

function makeAdmission(live: () => Live, node: Node, accepting: () => boolean): Admission {
  return createAdmission({
    get connectionLimit() {
      return live().config.client.connection_limit;
    },
    get connectionRateLimit() {
      return live().config.client.connection_rate_limit;
    },
    connections: () => node.gauges.open,
    accepting,
  });
}

function websocketDoor(live: () => Live, node: Node, admission: Admission): Mount {
  const { config } = live();
  return websocketRoute(config.websocket.handler_prefix, node, {
    messageSizeLimit: config.websocket.message_size_limit,
    compression: config.websocket.compression,
    compressionMinSize: config.websocket.compression_min_size,
    idleTimeout: idleTimeout(config),
    get keepHeaders() {
      return live().keepHeaders;
    },
    originAllowed: (origin) => live().originAllowed(origin),
    refuse: () => admission.refuse(),
  });
}

function makeApi(
  { http_api: { key, insecure, error_mode: errorMode } }: Config,
  executor: Executor,
): HttpApi {
  return httpApi({ executor, key, insecure, errorMode });
}

function makeGrpcApi(live: () => Live, executor: Executor, log: Logger): GrpcApi {
  return grpcApi({
    executor,
    get key() {
      return live().config.grpc_api.key;
    },
    get errorMode() {
      return live().config.grpc_api.error_mode;
    },
    reflection: live().config.grpc_api.reflection,
    log,
  });
}

/** Opens every port; none where one of them cannot be had. */
async function openAll(
  config: Config,
  doors: Doors,
  api: GrpcApi,
): Promise<{ rpc: GrpcListener | undefined; listeners: [Listener, ...Listener[]] }> {
  const rpc = await openGrpc(config, api);
  try {
    return { rpc, listeners: await open(config, doors) };
  } catch (error) {
    await rpc?.close(0);
    throw error;
  }
}

/** Opens one port for everything, or two where the configuration keeps the internal routes apart. */
async function open(config: Config, doors: Doors): Promise<[Listener, ...Listener[]]> {
  const server = config.http_server;
  const external = { address: server.address, port: server.port };
  const internal = {
    address: server.internal_address === '' ? server.address : server.internal_address,
    port: server.internal_port === '' ? server.port : Number(server.internal_port),
  };
  const split = internal.address !== external.address || internal.port !== external.port;
  const mount = (mounts: readonly Mount[]): Mount => {
    return (app) => [...mounts, notFoundRoute()].forEach((put) => put(app));
  };
  const ownTls = tls(server.tls, 'http_server.tls');
  if (!split) {
    return [await listener({ ...external, ...ownTls }, mount([...doors.external, ...doors.internal]))];
  }
  const insideTls = server.internal_tls.enabled
    ? tls(server.internal_tls, 'http_server.internal_tls')
    : ownTls;
  const internalTls = server.tls_external ? {} : insideTls;
  const first = await listener({ ...external, ...ownTls }, mount(doors.external));
  try {
    return [first, await listener({ ...internal, ...internalTls }, mount(doors.internal))];
  } catch (error) {
    first.close();
    throw error;
  }
}

function tls(section: Config['http_server']['tls'], path: string): Pick<ListenerOptions, 'tls'> {
  const material = tlsMaterial(section, path);
  return material === undefined ? {} : { tls: material };
}

/** Messages that callers of gRPC may send where the configuration does not say, in bytes. */
const GRPC_MESSAGE_SIZE = 4 * 1024 * 1024;

/** Serves the server API over gRPC, where that is switched on. */
async function openGrpc({ grpc_api: section }: Config, api: GrpcApi): Promise<GrpcListener | undefined> {
  if (!section.enabled) return undefined;
  const { address, port, max_receive_message_size: maxSize } = section;
  const maxReceiveMessageSize = maxSize === 0 ? GRPC_MESSAGE_SIZE : maxSize;
  return grpcListener({ address, port, maxReceiveMessageSize, ...tls(section.tls, 'grpc_api.tls') }, api);
}

/** Seconds: a net below the protocol's own pings, for sockets that do not even answer those. */
function idleTimeout({ client }: Config): number {
  if (client.ping_interval <= 0) return 0;
  const seconds = Math.ceil((client.ping_interval + Math.max(client.pong_timeout, 0)) / 1000) + 8;
  return Math.min(seconds, 960);
}

function nodeOptions(uid: string, config: Config): NodeOptions {
  const { client, http_server: server, node, websocket } = config;
  return Object.freeze({
    uid,
    name: node.name === '' ? `${hostname()}_${server.port}` : node.name,
    version,
    pingInterval: Math.max(client.ping_interval, 0),
    pongTimeout: Math.max(client.pong_timeout, 0),
    writeTimeout: websocket.write_timeout,
    staleCloseDelay: client.stale_close_delay,
    expiredCloseDelay: client.expired_close_delay,
    expiredSubCloseDelay: client.expired_sub_close_delay,
    channelLimit: client.channel_limit,
    userConnectionLimit: client.user_connection_limit,
    queueMaxSize: client.queue_max_size,
    historyMaxPublicationLimit: client.history_max_publication_limit,
    recoveryMaxPublicationLimit: client.recovery_max_publication_limit,
    presenceMaxMembers: client.presence_max_members,
    connectIncludeServerTime: client.connect_include_server_time,
    ...(Object.values(client.command_rate_limit).some((rate) => rate > 0)
      ? { commandRates: client.command_rate_limit }
      : {}),
  });
}
