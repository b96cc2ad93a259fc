import { performance } from 'node:perf_hooks';
import type { Broker } from '../broker.ts';
import { clearEngine, makeEngine, sweep } from './engine.ts';
import { history, positions, removeHistory } from './history.ts';
import { publish } from './publish.ts';
import { announce, subscribe, unsubscribe } from './subscribe.ts';
import { startSweeper } from './sweeper.ts';
import { warn } from './warn.ts';

export { memoryControlBus } from './control.ts';

export interface MemoryBrokerOptions {
  /** Milliseconds of a clock that never goes back; default the process's monotonic one. */
  readonly now?: () => number;
  /** Told what a handler of events threw; default a warning of the process. */
  readonly onError?: (error: unknown) => void;
}

/** What the broker holds at this moment. */
export interface MemoryBrokerGauges {
  readonly subscriptions: number;
  readonly streams: number;
  /** Publications held, in all streams. Counting takes time in proportion to their number. */
  readonly publications: number;
  readonly idempotencyKeys: number;
  /** Streams and keys that wait for their end, those included that are over and not swept yet. */
  readonly expiring: number;
}

export interface MemoryBroker extends Broker {
  gauges(): MemoryBrokerGauges;
  /** Counters that only rise: publications that were answered and not published, by why. */
  readonly stats: { readonly suppressed: Readonly<Record<'idempotency' | 'version', number>> };
}

/**
 * A broker for one process, which forgets everything with it. It is the executable definition of {@link Broker}: where
 * an engine and this one differ, this one is right.
 *
 * Every call does its whole work before it returns its promise, so calls take effect, and events come, in the order of
 * the calls. What is over is not seen any more at once and freed a moment later.
 */
export function memoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const engine = makeEngine(options.now ?? (() => performance.now()), options.onError ?? warn);
  let stopSweeper = (): void => {};
  return {
    start: async (events) => {
      engine.events = events;
      stopSweeper = startSweeper(() => sweep(engine));
    },
    publish: (channel, publication, publishOptions) => publish(engine, channel, publication, publishOptions),
    announce: (channel, event, info) => announce(engine, channel, event, info),
    subscribe: (channel) => subscribe(engine, channel),
    unsubscribe: (channel) => unsubscribe(engine, channel),
    history: (channel, filter, historyOptions) => history(engine, channel, filter, historyOptions),
    positions: (channels) => positions(engine, channels),
    removeHistory: (channel) => removeHistory(engine, channel),
    close: async () => {
      stopSweeper();
      clearEngine(engine);
    },
    stats: { suppressed: engine.suppressed },
    gauges: () => ({
      subscriptions: engine.subscribed.size,
      streams: engine.streams.size,
      publications: [...engine.streams.values()].reduce((sum, stream) => sum + stream.held, 0),
      idempotencyKeys: engine.answers.size,
      expiring: engine.streamEnds.size + engine.answerEnds.size,
    }),
  };
}
