// road out 6/8: hand the publication to the node, if it is subscribed
import type { ClientInfo, Publication, StreamPosition } from '@gyre/protocol';
import { assertRunning } from './engine.ts';
import type { Engine } from './engine.ts';

/** From now on the node is told of the channel. */
export async function subscribe(engine: Engine, channel: string): Promise<void> {
  assertRunning(engine);
  engine.subscribed.add(channel);
}

export async function unsubscribe(engine: Engine, channel: string): Promise<void> {
  assertRunning(engine);
  engine.subscribed.delete(channel);
}

/**
 * Hands a publication to the node before it returns, so that the order of calls is the order of events. A handler that
 * throws has had its publication: the error goes to `onError`, and nothing else changes.
 */
export function deliver(
  engine: Engine,
  channel: string,
  publication: Publication,
  position: StreamPosition | undefined,
  delta: boolean,
): void {
  if (!engine.subscribed.has(channel)) return;
  try {
    engine.events?.publication(channel, publication, position, delta);
  } catch (error) {
    engine.onError(error);
  }
}

/** Like {@link deliver}, for who came or went. */
export async function announce(
  engine: Engine,
  channel: string,
  event: 'join' | 'leave',
  info: ClientInfo,
): Promise<void> {
  assertRunning(engine);
  if (!engine.subscribed.has(channel)) return;
  try {
    engine.events?.[event](channel, info);
  } catch (error) {
    engine.onError(error);
  }
}

/** Like {@link deliver}, for a history that is gone. */
export function tellRemoved(engine: Engine, channel: string): void {
  if (!engine.subscribed.has(channel)) return;
  try {
    engine.events?.historyRemoved?.(channel);
  } catch (error) {
    engine.onError(error);
  }
}
