import { clientError } from '@gyre/protocol';
import type { StreamPosition } from '@gyre/protocol';
import type { BrokerEvents } from '../broker.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { Expiring } from './expiry-queue.ts';
import { Stream } from './stream.ts';

/** What became of a publication that had an idempotency key. It is forgotten at `lookAt`. */
export interface Answer extends Expiring {
  readonly id: string;
  /** Of the data, which a repetition has to agree with. */
  readonly digest: string;
  readonly position: StreamPosition | undefined;
}

/** All that the memory broker knows. */
export interface Engine {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
  /** Present from `start` to `close`. */
  events: BrokerEvents | undefined;
  readonly subscribed: Set<string>;
  readonly streams: Map<string, Stream>;
  readonly streamEnds: ExpiryQueue<Stream>;
  /** By channel and idempotency key, see `answerId`. */
  readonly answers: Map<string, Answer>;
  readonly answerEnds: ExpiryQueue<Answer>;
  readonly suppressed: Record<'idempotency' | 'version', number>;
}

export function makeEngine(now: () => number, onError: (error: unknown) => void): Engine {
  return {
    now,
    onError,
    events: undefined,
    subscribed: new Set(),
    streams: new Map(),
    streamEnds: new ExpiryQueue(),
    answers: new Map(),
    answerEnds: new ExpiryQueue(),
    suppressed: { idempotency: 0, version: 0 },
  };
}

/** @throws ClientError 100 before `start` and after `close` */
export function assertRunning(engine: Engine): void {
  if (engine.events === undefined) throw clientError('internal', 'the broker is not running');
}

/** The channel's stream as it is now, a new one where there was none. Counts as a use. */
export function useStream(engine: Engine, channel: string, now: number, metaTtlMs: number): Stream {
  let stream = findStream(engine, channel, now);
  if (stream === undefined) {
    stream = new Stream(channel);
    engine.streams.set(channel, stream);
  }
  stream.metaEnd = now + metaTtlMs;
  engine.streamEnds.schedule(stream, stream.metaEnd);
  return stream;
}

/** The channel's stream without what is over by now, undefined where nothing is left of it. */
export function findStream(engine: Engine, channel: string, now: number): Stream | undefined {
  const stream = engine.streams.get(channel);
  if (stream === undefined || now >= stream.metaEnd) return undefined;
  if (now >= stream.historyEnd && stream.length > 0) stream.clear();
  return stream;
}

/** Frees some of what is over, a bounded number of things. @returns there is more */
export function sweep(engine: Engine): boolean {
  const now = engine.now();
  const moreStreams = engine.streamEnds.sweep(now, sweepLimit, (stream) => {
    if (findStream(engine, stream.channel, now) === stream) return stream.nextEnd;
    // A stream that was found to be over when the channel was used has been replaced by another one.
    if (engine.streams.get(stream.channel) === stream) engine.streams.delete(stream.channel);
    return undefined;
  });
  const moreAnswers = engine.answerEnds.sweep(now, sweepLimit, (answer) => {
    if (engine.answers.get(answer.id) === answer) engine.answers.delete(answer.id);
    return undefined;
  });
  return moreStreams || moreAnswers;
}

/** Things of a kind looked at in one go: well under a millisecond. */
const sweepLimit = 1000;

/** Forgets everything. */
export function clearEngine(engine: Engine): void {
  engine.events = undefined;
  engine.subscribed.clear();
  engine.streams.clear();
  engine.streamEnds.clear();
  engine.answers.clear();
  engine.answerEnds.clear();
}
