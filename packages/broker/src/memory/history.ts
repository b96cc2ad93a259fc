import { clientError, type StreamPosition } from '@gyre/protocol';
import type { HistoryFilter, HistoryOptions, HistoryPage } from '../broker.ts';
import { assertRunning, findStream, useStream } from './engine.ts';
import type { Engine } from './engine.ts';
import { tellRemoved } from './subscribe.ts';

/** @throws ClientError 112 for a position of another epoch, whatever the limit */
export async function history(
  engine: Engine,
  channel: string,
  filter: HistoryFilter,
  options: Pick<HistoryOptions, 'metaTtlMs'>,
): Promise<HistoryPage> {
  assertRunning(engine);
  const now = engine.now();
  const stream = useStream(engine, channel, now, options.metaTtlMs);
  const epoch = filter.since?.epoch;
  if (epoch && epoch !== stream.epoch) throw clientError('unrecoverablePosition');
  const publications = stream.read(filter);
  return {
    publications,
    position: stream.position,
    ...(publications.length > 0 ? { remainingMs: stream.historyEnd - now } : {}),
  };
}

export async function positions(
  engine: Engine,
  channels: readonly string[],
): Promise<ReadonlyMap<string, StreamPosition>> {
  assertRunning(engine);
  const now = engine.now();
  return new Map(
    channels.map((channel) => [
      channel,
      findStream(engine, channel, now)?.position ?? { offset: 0, epoch: '' },
    ]),
  );
}

export async function removeHistory(engine: Engine, channel: string): Promise<void> {
  assertRunning(engine);
  findStream(engine, channel, engine.now())?.clear();
  tellRemoved(engine, channel);
}
