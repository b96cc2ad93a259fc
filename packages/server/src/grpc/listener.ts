import { networkInterfaces } from 'node:os';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  type ServerInterceptor,
} from '@grpc/grpc-js';

export interface GrpcListenerOptions {
  /** "" is every address. */
  readonly address: string;
  /** 0 is any free one. */
  readonly port: number;
  /** PEM texts. With `clientCa` only clients that show a certificate of it are let in. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** Bytes that a message to the server may have. */
  readonly maxReceiveMessageSize: number;
}

/** What is served: its methods, and what stands before each of them. */
export interface GrpcService {
  readonly interceptors: readonly ServerInterceptor[];
  addTo(server: Server): void;
}

/** A port that takes gRPC calls. */
export interface GrpcListener {
  readonly port: number;
  /**
   * Takes no new connections and no new calls, and waits until those that are under way have ended; ends them itself
   * after `patience` milliseconds. Calling it again changes nothing.
   */
  close(patience: number): Promise<void>;
}

/**
 * Opens a port and serves gRPC on it.
 * @throws Error where the port cannot be had, or the certificate cannot be used
 */
export async function grpcListener(
  options: GrpcListenerOptions,
  service: GrpcService,
): Promise<GrpcListener> {
  // What goes wrong is told by errors and statuses; its own lines on standard error are in no format of ours.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    interceptors: [...service.interceptors],
    'grpc.max_receive_message_length': options.maxReceiveMessageSize,
    // Without channelz, which is on by default, a server does not know its connections and cannot end them.
    'grpc.enable_channelz': 1,
  });
  service.addTo(server);
  const port = await bind(server, `${hostOf(options.address)}:${options.port}`, credentialsOf(options.tls));
  let closed: Promise<void> | undefined;
  return { port, close: (patience) => (closed ??= shutDown(server, patience)) };
}

function bind(server: Server, where: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(where, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`cannot listen on ${where} for gRPC: ${error.message}`, { cause: error }));
    });
  });
}

function shutDown(server: Server, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.forceShutdown(), patience);
    server.tryShutdown(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

function hostOf(address: string): string {
  if (address.includes(':') && !address.startsWith('[')) return `[${address}]`;
  if (address !== '') return address;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  // The IPv6 wildcard takes IPv4 too, but cannot be had on a machine without IPv6.
  return all.some(({ family }) => family === 'IPv6') ? '[::]' : '0.0.0.0';
}

function credentialsOf(tls: GrpcListenerOptions['tls']): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  const authority = tls.clientCa === undefined ? null : Buffer.from(tls.clientCa);
  return ServerCredentials.createSsl(authority, [pair], authority !== null);
}
