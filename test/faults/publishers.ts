import { setTimeout as delay } from 'node:timers/promises';
import { api, type Gyre } from '../harness/index.ts';
import type { Ledger, Outcome, Sent } from './ledger.ts';

/** Milliseconds that a publisher waits for an answer. */
const PATIENCE = 10_000;
/** Milliseconds between two attempts. */
const PAUSE = 50;
/** Milliseconds after which it gives a publication up. */
const GIVES_UP = 120_000;

export interface PublisherOptions {
  readonly channels: readonly string[];
  /** Publications a second, of all channels together. */
  readonly rate: number;
  /** Those that are published through; the next one is taken when one fails. */
  readonly nodes: () => readonly Gyre[];
  /** Publications have idempotency keys. Default true; without, whoever tries again may publish twice. */
  readonly keyed?: boolean;
}

export interface Publishers {
  /** Publications with an outcome, of the channel that has the fewest. */
  done(): number;
  /** Ends them when each has the outcome of its last one. */
  stop(): Promise<void>;
  /** Ends them, whatever they are waiting for. */
  abandon(): void;
}

/** Numbers of the last publications by channel: they go on where an earlier load ended. */
const sequences = new WeakMap<Ledger, Map<string, number>>();

/** One publisher for each channel, sending one after the other, trying again under the same key until it knows. */
export function publish(ledger: Ledger, options: PublisherOptions): Publishers {
  const { channels, rate } = options;
  const stop = new AbortController();
  const abandon = new AbortController();
  const counts = new Map(channels.map((channel) => [channel, 0]));
  const interval = (1000 * channels.length) / rate;

  const run = async (channel: string, index: number): Promise<void> => {
    // Spread over the interval, so that the load is even; each begins with a node of its own.
    let due = performance.now() + (interval * index) / channels.length;
    let node = index;
    for (;;) {
      const now = performance.now();
      if (due > now) await delay(due - now, undefined, { signal: stop.signal }).catch(() => {});
      due = Math.max(due, now) + interval;
      if (stop.signal.aborted) return;
      const { attempts } = await publishOne(ledger, channel, options, node, abandon.signal);
      node += attempts - 1;
      counts.set(channel, (counts.get(channel) ?? 0) + 1);
    }
  };
  const running = Promise.all(channels.map(run));
  return {
    done: () => Math.min(...counts.values()),
    stop: async () => {
      stop.abort();
      await running;
    },
    abandon: () => {
      stop.abort();
      abandon.abort();
    },
  };
}

/**
 * Publishes in a channel, trying again under the same key, each time through another node, until the outcome is known.
 * @param node index of the first one
 */
export async function publishOne(
  ledger: Ledger,
  channel: string,
  { nodes, keyed = true }: Pick<PublisherOptions, 'nodes' | 'keyed'>,
  node: number,
  abandoned?: AbortSignal,
): Promise<Sent> {
  const next = sequences.get(ledger) ?? new Map<string, number>();
  sequences.set(ledger, next);
  const seq = (next.get(channel) ?? 0) + 1;
  next.set(channel, seq);
  const id = `${channel}#${seq}`;
  const sentAt = performance.now();
  const waits = (): boolean => abandoned?.aborted !== true && performance.now() - sentAt < GIVES_UP;
  let outcome: Outcome = { kind: 'unknown' };
  let attempts = 0;
  for (; outcome.kind !== 'ok' && waits(); attempts++) {
    if (attempts > 0) await delay(PAUSE);
    const all = nodes();
    outcome = await attempt(all[(node + attempts) % all.length]!, channel, id, keyed);
  }
  const sent = { channel, seq, id, sentAt, doneAt: performance.now(), attempts, outcome };
  ledger.sent.push(sent);
  return sent;
}

async function attempt(node: Gyre, channel: string, id: string, keyed: boolean): Promise<Outcome> {
  const params = { channel, data: { id }, ...(keyed ? { idempotency_key: id } : {}) };
  try {
    const { result, error } = await api<{ offset: number; epoch: string }>(node, 'publish', params, PATIENCE);
    if (error !== undefined) return { kind: 'error', code: error.code };
    return result === undefined ? { kind: 'unknown' } : { kind: 'ok', ...position(result) };
  } catch {
    // Refused, cut off or not in time.
    return { kind: 'unknown' };
  }
}

function position({ offset, epoch }: { offset: number; epoch: string }): { offset: number; epoch: string } {
  return { offset, epoch };
}
