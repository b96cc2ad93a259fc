import { api, until } from '../harness/index.ts';
import type { Stage } from './stage.ts';

/** Says how many milliseconds something took, on the line of the run. */
export async function timed(stage: Stage, name: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work();
  stage.figure(name, performance.now() - began);
}

/** One publication in each quiet channel. Resolves when all who are connected have it. */
export async function sayEverywhere(stage: Stage): Promise<void> {
  await Promise.all(stage.quiet.map((channel) => stage.say(channel)));
}

/** Subscriptions of all subscribers. */
export function subscriptions({ subscribers }: Pick<Stage, 'subscribers'>): number {
  return subscribers.reduce((all, { channels }) => all + channels.length, 0);
}

/** Connections that ended. */
export function closes({ ledger }: Stage): number {
  return ledger.seen.filter(({ kind }) => kind === 'closed').length;
}

/** Subscriptions that a server ended. */
export function unsubscribes({ ledger }: Stage): number {
  return ledger.seen.filter((event) => event.kind === 'left' && event.code >= 2000).length;
}

/** Resolves when so many subscriptions were told that they may have missed something. */
export async function whenTold({ ledger }: Stage, count: number): Promise<void> {
  const told = (): number =>
    ledger.seen.filter((e) => e.kind === 'subscribed' && e.wasRecovering && !e.recovered).length;
  await until(() => told() >= count, { deadline: 60_000, message: () => `${told()} told, to be ${count}` });
}

/** Milliseconds that a call of the server API may take. For hangs only. */
const PATIENCE = 30_000;

/**
 * Calls one method after the other on each node, until told to stop, and says how long the slowest answer of each took.
 * @throws Error where a call is never answered
 */
export async function askAll(stage: Stage, stop: AbortSignal): Promise<void> {
  const slowest = new Map<string, number>();
  const calls = [
    ['publish', { channel: 'probe', data: {} }],
    ['history', { channel: 'probe', limit: 1 }],
    ['presence', { channel: 'room:0' }],
    ['channels', {}],
    ['info', {}],
    ['disconnect', { user: 'nobody' }],
  ] as const;
  const ask = async (index: number): Promise<void> => {
    for (let n = index; !stop.aborted; n++) {
      const [method, params] = calls[n % calls.length]!;
      const asked = performance.now();
      await api(stage.nodes[index]!, method, params, PATIENCE);
      slowest.set(method, Math.max(slowest.get(method) ?? 0, performance.now() - asked));
    }
  };
  await Promise.all([...stage.nodes.keys()].map(ask));
  for (const [method, ms] of slowest) stage.figure(`slowest_${method}`, ms);
}
