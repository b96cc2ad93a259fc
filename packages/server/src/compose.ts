import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createExecutor, http as httpApi } from '@gyre/api';
import { memoryBroker, memoryControlBus } from '@gyre/broker/memory';
import { Node, type NodeOptions } from '@gyre/node';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import { createTokens } from './auth/tokens.ts';
import { Namespaces } from './channels/namespaces.ts';
import { compilePattern } from './channels/regex.ts';
import { createRules } from './channels/rules.ts';
import type { Config } from './config/schema.ts';
import { createGate } from './gate/gate.ts';
import { createAdmission } from './http/admission.ts';
import { listener, type Listener, type ListenerOptions } from './http/listener.ts';
import { originRule } from './http/origin.ts';
import {
  apiRoutes,
  healthRoutes,
  metricsRoute,
  notFoundRoute,
  websocketRoute,
  type Mount,
} from './http/routes.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics/registry.ts';
import { version } from './version.ts';

/** A server that runs. */
export interface Server {
  /** Where clients connect. */
  readonly port: number;
  /** Where the server API, metrics and health are; the same port unless an internal listener is configured. */
  readonly internalPort: number;
  /**
   * Ends gracefully: refuses what is new, closes clients over `shutdown.drain_time`, lets what is under way finish.
   * Calling it again changes nothing.
   */
  stop(): Promise<void>;
}

/** Puts a server together from its configuration and starts it. */
export async function compose(config: Config, log: Logger): Promise<Server> {
  const broker = memoryBroker();
  const presence = memoryPresenceManager();
  const control = memoryControlBus();
  const namespaces = new Namespaces(config.channel);
  const tokens = createTokens(config.client, { now: Date.now, compilePattern });
  const policy = { client: config.client, rpc: config.rpc, channels: namespaces, tokens, now: Date.now, log };
  const node = new Node({
    options: nodeOptions(config),
    broker,
    presence,
    control,
    gate: createGate(() => policy),
    log,
  });
  const executor = createExecutor({ broker, presence, control, rules: createRules(namespaces) }, log);
  let stopping: Promise<void> | undefined;
  const accepting = (): boolean => stopping === undefined;
  const admission = createAdmission({
    connectionLimit: config.client.connection_limit,
    connectionRateLimit: config.client.connection_rate_limit,
    connections: () => node.gauges.open,
    accepting,
  });
  const metrics = createMetrics(config.prometheus.prefix, {
    node,
    api: executor,
    version,
    refusedConnections: admission.refused,
  });
  await node.start();

  const doors: Record<'external' | 'internal', Mount[]> = { external: [], internal: [] };
  if (!config.websocket.disabled) {
    doors.external.push(
      websocketRoute(config.websocket.handler_prefix, node, {
        messageSizeLimit: config.websocket.message_size_limit,
        idleTimeout: idleTimeout(config),
        keepHeaders: [config.client.user_id_http_header.toLowerCase()].filter((name) => name !== ''),
        originAllowed: originRule(config.client.allowed_origins),
        refuse: () => admission.refuse(),
      }),
    );
  }
  if (!config.http_api.disabled) {
    const { key, insecure, error_mode: errorMode, handler_prefix: prefix, external } = config.http_api;
    const api = httpApi({ executor, key, insecure, errorMode });
    doors[external ? 'external' : 'internal'].push(apiRoutes(prefix, api, config.http_api.max_request_size));
  }
  if (config.health.enabled) {
    doors.internal.push(healthRoutes(config.health.handler_prefix, '/ready', accepting));
  }
  if (config.prometheus.enabled) {
    doors.internal.push(metricsRoute(config.prometheus.handler_prefix, metrics));
  }
  const listeners = await open(config, doors);

  async function end(): Promise<void> {
    for (const port of listeners) port.stop();
    await node.drain(config.shutdown.drain_time);
    await control.close();
    await broker.close();
    await presence.close();
    for (const port of listeners) port.close();
  }
  return {
    port: listeners[0].port,
    internalPort: (listeners[1] ?? listeners[0]).port,
    stop: () => (stopping ??= end()),
  };
}

/** Opens one port for everything, or two where the configuration keeps the internal routes apart. */
async function open(
  config: Config,
  doors: { readonly external: readonly Mount[]; readonly internal: readonly Mount[] },
): Promise<[Listener, ...Listener[]]> {
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
  if (!split) {
    return [
      await listener({ ...external, ...tls(server.tls) }, mount([...doors.external, ...doors.internal])),
    ];
  }
  const first = await listener({ ...external, ...tls(server.tls) }, mount(doors.external));
  const ownTls = server.internal_tls.enabled ? server.internal_tls : server.tls;
  const internalTls = server.tls_external ? {} : tls(ownTls);
  try {
    return [first, await listener({ ...internal, ...internalTls }, mount(doors.internal))];
  } catch (error) {
    first.close();
    throw error;
  }
}

function tls(section: Config['http_server']['tls']): Pick<ListenerOptions, 'tls'> {
  return section.enabled ? { tls: { cert: section.cert_pem, key: section.key_pem } } : {};
}

/** Seconds: a net below the protocol's own pings, for sockets that do not even answer those. */
function idleTimeout({ client }: Config): number {
  if (client.ping_interval <= 0) return 0;
  const seconds = Math.ceil((client.ping_interval + Math.max(client.pong_timeout, 0)) / 1000) + 8;
  return Math.min(seconds, 960);
}

function nodeOptions({ client, http_server: server, node }: Config): NodeOptions {
  return Object.freeze({
    uid: randomUUID(),
    name: node.name === '' ? `${hostname()}_${server.port}` : node.name,
    version,
    pingInterval: Math.max(client.ping_interval, 0),
    pongTimeout: Math.max(client.pong_timeout, 0),
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
  });
}
