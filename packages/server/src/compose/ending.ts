import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Node } from '@gyre/node';
import type { Config } from '../config/schema.ts';
import { endTimes } from '../config/shutdown.ts';
import type { Calls } from '../http/calls.ts';
import type { Logger } from '../logger.ts';
import type { Engines } from './engines.ts';
import type { Life } from './life.ts';
import type { Ports } from './ports.ts';

/** What is ended. */
export interface Ending {
  readonly options: Config['shutdown'];
  readonly life: Life;
  readonly node: Node;
  readonly calls: Calls;
  readonly ports: Ports;
  readonly engines: Engines;
  readonly log: Logger;
}

/**
 * Ends a server: first only `/ready` says so; then clients are closed one after the other while everything that is no
 * handshake is answered; then calls that are under way are waited for. Takes less than `shutdown.timeout`, whatever
 * Redis and clients do: what is not over when its share of the time is, is left behind, and the log says so.
 * @returns whether nothing was left behind
 */
export async function endServer(ending: Ending): Promise<boolean> {
  const { options, life, node, calls, ports, engines, log } = ending;
  const { readyWait, drainTime, rest } = endTimes(options);
  const end = performance.now() + options.timeout;
  let complete = true;
  /** Waits for something until the given part of the rest is left. */
  const finish = async (part: number, work: Promise<unknown>, undone: () => object): Promise<void> => {
    if (await within(Math.max(0, end - part * rest - performance.now()), work)) return;
    complete = false;
    log.warn?.('ended with work left undone', undone());
  };

  life.phase = 'leaving';
  if (readyWait > 0) await sleep(readyWait);

  life.phase = 'ending';
  calls.taken = 'last';
  let behind = 0;
  const drained = node.drain(drainTime).then((count) => (behind = count));
  await finish(0.7, drained, () => ({
    what: 'clients, their presence and leaves',
    clients: node.gauges.open,
  }));
  const closedAt = performance.now();

  calls.taken = 'none';
  for (const port of ports.http) port.stop();
  const grpc = ports.grpc?.close(Math.max(0, end - 0.5 * rest - performance.now()));
  await finish(0.4, Promise.all([calls.over(), grpc]), () => ({ what: 'API calls', calls: calls.underWay }));

  await finish(0.2, engines.close(), () => ({ what: 'presence and lease, which run out by themselves' }));
  // What was answered in this turn of the loop is written at its end.
  await turn();
  // Nobody says when a connection that was behind has got its last frame.
  if (behind > 0) await sleep(Math.max(0, closedAt + 0.2 * rest - performance.now()));
  for (const port of ports.http) port.close();
  return complete;
}

/** Whether `work` was over in so many milliseconds. What it throws is thrown. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = new AbortController();
  const timer = sleep(ms, false, { signal: late.signal });
  timer.catch(() => undefined);
  try {
    return await Promise.race([work.then(() => true), timer]);
  } finally {
    late.abort();
  }
}
