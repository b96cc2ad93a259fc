import { Redis } from 'ioredis';
import type { RedisOptions as ClientOptions } from 'ioredis';
import { errorCode } from './errors.ts';
import type { Endpoint, RedisOptions, ShardAddress, TlsOptions } from './options.ts';

/** Milliseconds between reconnects: spread over the whole of a span that doubles from 50 ms to 2 s. */
export function backoff(attempt: number): number {
  return 50 + Math.random() * (Math.min(2000, 50 * 2 ** Math.min(attempt, 10)) - 50);
}

/**
 * A client for a server, or for the master that Sentinels name. It is not connected yet; once connected it connects
 * again for ever.
 *
 * No command is sent twice, none waits for a connection, and each has an end: what a lost connection leaves open fails
 * at once, what a silent one leaves open after `timeoutMs`.
 */
export function makeClient(
  address: Exclude<ShardAddress, { kind: 'cluster' }>,
  options: RedisOptions,
  timeoutMs: number,
): Redis {
  return new Redis({
    ...(address.kind === 'sentinel' ? viaSentinels(address, options) : place(address.endpoint)),
    ...(address.tls === undefined ? {} : { tls: nodeTls(address.tls) }),
    ...(address.user === '' ? {} : { username: address.user }),
    ...(address.password === '' ? {} : { password: address.password }),
    ...(options.client_name === '' ? {} : { connectionName: options.client_name }),
    db: address.db,
    protocol: options.force_resp2 ? 2 : 3,
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: options.connect_timeout,
    commandTimeout: timeoutMs,
    keepAlive: 5000,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    maxLoadingRetryTime: 1000,
    disconnectTimeout: 100,
    retryStrategy: backoff,
    // 1: connect again and do not send the command again. Whoever was a master before is no longer one.
    reconnectOnError: (error) => (errorCode(error.message) === 'READONLY' ? 1 : false),
  });
}

function viaSentinels(
  address: Extract<ShardAddress, { kind: 'sentinel' }>,
  options: RedisOptions,
): ClientOptions {
  return {
    sentinels: [...address.sentinels],
    name: address.master,
    role: 'master',
    ...(address.sentinelUser === '' ? {} : { sentinelUsername: address.sentinelUser }),
    ...(address.sentinelPassword === '' ? {} : { sentinelPassword: address.sentinelPassword }),
    ...(address.sentinelTls === undefined ? {} : { sentinelTLS: nodeTls(address.sentinelTls) }),
    enableTLSForSentinelMode: address.tls !== undefined,
    updateSentinels: true,
    sentinelCommandTimeout: options.io_timeout,
    sentinelRetryStrategy: backoff,
  };
}

/** Empty fields would stand above what Node.js does by itself. */
export function nodeTls(tls: TlsOptions): TlsOptions {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined && value !== ''));
}

function place(endpoint: Endpoint | { readonly path: string }): ClientOptions {
  return 'path' in endpoint ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
}

/** Connects, and again whatever ends it, until `closed` says so. Why it fails is told by events. */
export function keepConnected(client: Redis, closed: () => boolean): void {
  const connect = (): void => {
    if (!closed()) client.connect().catch(() => {});
  };
  // The library gives up where it is told that Sentinels know no master while it is connecting.
  client.on('end', () => setTimeout(connect, backoff(5)).unref());
  connect();
}

/** Connects now if it waits to do so: Redis is known to be there. */
export function hurry(client: Redis): void {
  if (client.status !== 'reconnecting') return;
  // The library would leave it behind, and connect once more when it is over: after the client was closed, if need be.
  clearTimeout(client['reconnectTimeout'] ?? undefined);
  client.connect().catch(() => {});
}

/** Ends a connection without waiting for anything; the client connects again. */
export function drop(client: Redis): void {
  // Absent before the first connection.
  (client.stream as Redis['stream'] | undefined)?.destroy();
}
