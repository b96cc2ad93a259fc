import type { Executor } from '@gyre/api';
import type { Config } from '../config/schema.ts';
import type { GrpcListener } from '../grpc/listener.ts';
import { listener, type Listener, type ListenerOptions } from '../http/listener.ts';
import { notFoundRoute, type Mount } from '../http/routes.ts';
import type { Logger } from '../logger.ts';
import { tlsMaterial } from '../pem.ts';
import type { Doors } from './doors.ts';
import type { Live } from './live.ts';

/** Messages that callers of gRPC may send where the configuration does not say, in bytes. */
const GRPC_MESSAGE_SIZE = 4 * 1024 * 1024;

/** Every port that is open. */
export interface Ports {
  /** The external one, and the internal one where it is another. */
  readonly http: readonly [Listener, ...Listener[]];
  readonly grpc: GrpcListener | undefined;
}

/** Opens every port; none where one of them cannot be had. */
export async function openPorts(
  live: () => Live,
  doors: Doors,
  executor: Executor,
  log: Logger,
): Promise<Ports> {
  const { config } = live();
  const grpc = config.grpc_api.enabled ? await openGrpc(live, executor, log) : undefined;
  try {
    return { grpc, http: await openHttp(config, doors) };
  } catch (error) {
    await grpc?.close(0);
    throw error;
  }
}

/** Opens one port for everything, or two where the configuration keeps the internal routes apart. */
async function openHttp(config: Config, doors: Doors): Promise<[Listener, ...Listener[]]> {
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

/** The gRPC library is loaded where it is wanted only: it takes as much memory as all the rest. */
async function openGrpc(live: () => Live, executor: Executor, log: Logger): Promise<GrpcListener> {
  const [{ grpc }, { grpcListener }] = await Promise.all([
    import('@gyre/api/grpc'),
    import('../grpc/listener.ts'),
  ]);
  const section = live().config.grpc_api;
  const api = grpc({
    executor,
    get key() {
      return live().config.grpc_api.key;
    },
    get errorMode() {
      return live().config.grpc_api.error_mode;
    },
    reflection: section.reflection,
    log,
  });
  const { address, port, max_receive_message_size: maxSize } = section;
  const maxReceiveMessageSize = maxSize === 0 ? GRPC_MESSAGE_SIZE : maxSize;
  return grpcListener({ address, port, maxReceiveMessageSize, ...tls(section.tls, 'grpc_api.tls') }, api);
}
