import { createServer } from 'node:net';

// Below the range that the kernel takes ports of outgoing connections from: those come and go all the time. Each
// process begins elsewhere, so that test files running beside each other do not ask for the same ones. Those of a Redis lie
// below (packages/redis/src/server.testing.ts).
const [lowest, count] = [25_000, 7_000] as const;
let next = (process.pid * 97) % count;

/** A port of the loopback interface that nobody listens on, given once in this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + next;
    next = (next + 1) % count;
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
