// road out 1/8: bytes of POST /api/publish arrive
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, SSLApp, us_listen_socket_close, us_socket_local_port, type TemplatedApp } from 'uWebSockets.js';

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`; the published types call it by a name that does not exist at run time. */
const EXCLUSIVE_PORT = 1;

export interface ListenerOptions {
  /** "" is every address. */
  readonly address: string;
  /** 0 is any free one. */
  readonly port: number;
  /** Certificate chain and key as PEM text. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A port that takes requests. */
export interface Listener {
  readonly port: number;
  /** Takes no new connections; those that exist go on. */
  stop(): void;
  /** Drops every connection. */
  close(): void;
}

/**
 * Opens a port and serves on it what `mount` puts there.
 * @throws Error where the port cannot be had, or the certificate cannot be used
 */
export async function listener(
  options: ListenerOptions,
  mount: (app: TemplatedApp) => void,
): Promise<Listener> {
  const app = options.tls === undefined ? App() : secureApp(options.tls);
  mount(app);
  const where = `${options.address === '' ? '*' : options.address}:${options.port}`;
  return new Promise((resolve, reject) => {
    const listening = (socket: Parameters<typeof us_listen_socket_close>[0] | false): void => {
      if (socket === false) {
        reject(
          new Error(`cannot listen on ${where}: the port is in use, or the address is not this machine's`),
        );
        return;
      }
      let open = true;
      const stop = (): void => {
        if (open) us_listen_socket_close(socket);
        open = false;
      };
      resolve({
        port: us_socket_local_port(socket as Parameters<typeof us_socket_local_port>[0]),
        stop,
        close() {
          stop();
          app.close();
        },
      });
    };
    listenExclusively(app, options, listening);
  });
}

type ListenCallback = Parameters<TemplatedApp['listen']>[2];

/**
 * Without the exclusive flag a second server on the same port would start as well, and silently take half of the
 * connections. The published types lack the overload with an address.
 */
function listenExclusively(
  app: TemplatedApp,
  { address, port }: ListenerOptions,
  listening: ListenCallback,
): void {
  if (address === '') app.listen(port, EXCLUSIVE_PORT, listening);
  else {
    const listen = app.listen.bind(app) as unknown as (
      host: string,
      port: number,
      options: number,
      cb: ListenCallback,
    ) => void;
    listen(address, port, EXCLUSIVE_PORT, listening);
  }
}

/** uWebSockets reads certificates from files only: they exist for as long as that takes, readable by nobody else. */
function secureApp({ cert, key }: { readonly cert: string; readonly key: string }): TemplatedApp {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-tls-'));
  try {
    const certFile = join(folder, 'cert.pem');
    const keyFile = join(folder, 'key.pem');
    writeFileSync(certFile, cert, { mode: 0o600 });
    writeFileSync(keyFile, key, { mode: 0o600 });
    return SSLApp({ cert_file_name: certFile, key_file_name: keyFile });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
