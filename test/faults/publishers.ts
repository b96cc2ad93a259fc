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
  const { channels, rate, nodes } = options;
  const stop = new AbortController();
  const abandon = new AbortController();
  const counts = new Map(channels.map((channel) => [channel, 0]));
  const last = sequences.get(ledger) ?? new Map<string, number>();
  sequences.set(ledger, last);
  const interval = (1000 * channels.length) / rate;

  const run = async (channel: string, index: number): Promise<void> => {
    // Spread over the interval, so that the load is even; each begins with a node of its own.
    let due = performance.now() + (interval * index) / channels.length;
    let node = index;
    const next = (): Gyre => nodes()[node % nodes().length]!;
    const failed = (): number => node++;
    for (;;) {
      const now = performance.now();
      if (due > now) await delay(due - now, undefined, { signal: stop.signal }).catch(() => {});
      due = Math.max(due, now) + interval;
      if (stop.signal.aborted) return;
      const seq = (last.get(channel) ?? 0) + 1;
      last.set(channel, seq);
      ledger.sent.push(await send(channel, seq, next, failed, abandon.signal));
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

/** Tries until the publication is acknowledged, or given up. */
async function send(
  channel: string,
  seq: number,
  node: () => Gyre,
  failed: () => void,
  abandoned: AbortSignal,
): Promise<Sent> {
  const id = `${channel}#${seq}`;
  const sentAt = performance.now();
  const waits = (): boolean => !abandoned.aborted && performance.now() - sentAt < GIVES_UP;
  let outcome = await attempt(node(), channel, id);
  let attempts = 1;
  for (; outcome.kind !== 'ok' && waits(); attempts++) {
    failed();
    await delay(PAUSE);
    outcome = await attempt(node(), channel, id);
  }
  return { channel, seq, id, sentAt, doneAt: performance.now(), attempts, outcome };
}

async function attempt(node: Gyre, channel: string, id: string): Promise<Outcome> {
  const params = { channel, data: { id }, idempotency_key: id };
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
