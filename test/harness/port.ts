import { createServer } from 'node:net';

// Below the range that the kernel takes ports of outgoing connections from: those come and go all the time. Each
// process begins elsewhere, so that test files running beside each other do not ask for the same ones.
let next = 20_000 + ((process.pid * 97) % 10_000);

/** A port of the loopback interface that nobody listens on, given once in this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next;
    next = next === 29_999 ? 20_000 : next + 1;
    if (await isFree(port)) return port;
  }
}

/** Nobody listens on this port of the loopback interface. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
