import type { Program } from './program.ts';
import { until } from './until.ts';

/** Bytes. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  /** Buffers and what else lies outside the heap of JavaScript. */
  readonly external: number;
}

/** Start a server with this in its environment to be able to call {@link memoryOf}: any free port, opened when asked for. */
export const inspectable = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' } as const;

const listening = /Debugger listening on (ws:\S+)/;

/** Has a server collect its garbage, and gives what is left then. */
export async function memoryOf(server: Pick<Program, 'pid' | 'logs'>): Promise<Memory> {
  if (!listening.test(server.logs())) process.kill(server.pid, 'SIGUSR1');
  const address = await until(() => listening.exec(server.logs())?.[1], { message: 'the inspector' });
  const socket = new WebSocket(address ?? '');
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('the inspector does not answer'));
  });
  let id = 0;
  const call = (method: string, params: object = {}): Promise<Reply> => {
    const own = ++id;
    return new Promise((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        const reply = JSON.parse(String(data)) as Reply;
        if (reply.id === own) resolve(reply);
      });
      socket.send(JSON.stringify({ id: own, method, params }));
    });
  };
  // Twice: what finalizers let go of in the first round is collected in the second.
  await call('HeapProfiler.collectGarbage');
  await call('HeapProfiler.collectGarbage');
  const { result } = await call('Runtime.evaluate', {
    expression: 'process.memoryUsage()',
    returnByValue: true,
  });
  socket.close();
  return result.result.value;
}

/**
 * Waits until what a server holds is within bounds: what ended lately may be held on to for a while, until a timer that
 * it no longer needs would have run.
 * @throws Error with what it holds, where that stays out of bounds
 */
export async function memoryWithin(
  server: Pick<Program, 'pid' | 'logs'>,
  bounds: Pick<Memory, 'rss'> & { readonly held: number },
): Promise<Memory> {
  let now = await memoryOf(server);
  const fits = (): boolean => now.rss < bounds.rss && now.heapUsed + now.external < bounds.held;
  await until(async () => fits() || ((now = await memoryOf(server)), fits()), {
    deadline: 40_000,
    message: () => `memory within ${JSON.stringify(bounds)}: ${JSON.stringify(now)}`,
  });
  return now;
}

interface Reply {
  readonly id: number;
  readonly result: { readonly result: { readonly value: Memory } };
}
