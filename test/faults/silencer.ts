import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { teardown } from '../harness/index.ts';

/** A way to a server on which connections can fall silent without an end: what a cable that is pulled does. */
export interface Silencer {
  readonly port: number;
  /** Nothing passes any more on the connections of now, an end neither. New ones are made as before. */
  silence(): void;
}

/** Stands before a port of the loopback interface; closed with the test. */
export async function startSilencer(to: number): Promise<Silencer> {
  const silent = new WeakSet<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      const passes = (): boolean => !silent.has(from);
      from.on('data', (chunk) => passes() && into.write(chunk));
      from.on('end', () => passes() && into.end());
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        if (passes()) into.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => {
      for (const socket of sockets) silent.add(socket);
    },
  };
}
