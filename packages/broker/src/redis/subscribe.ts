// road out 6/8: bytes come back from Redis, for the node if it is subscribed
import type { ClientInfo } from '@gyre/protocol';
import { assertRunning, refusal } from './engine.ts';
import type { Engine } from './engine.ts';
import { busChannel, channelOf } from './keys.ts';
import { decodeInfo, decodePublication, encodeInfo } from './stored.ts';

/** Resolves when Redis has confirmed it; from then on the node is told of the channel. */
export async function subscribe(engine: Engine, channel: string): Promise<void> {
  assertRunning(engine);
  const { shard, tag } = engine.redis.place(channel);
  engine.subscribed.add(channel);
  try {
    await shard.subscribe(tag, busChannel(engine.redis.prefix, tag, channel), (message) =>
      deliver(engine, channel, message),
    );
  } catch (error) {
    engine.subscribed.delete(channel);
    throw refusal(engine, error);
  }
}

export async function unsubscribe(engine: Engine, channel: string): Promise<void> {
  assertRunning(engine);
  await endSubscription(engine, channel);
}

async function endSubscription(engine: Engine, channel: string): Promise<void> {
  engine.subscribed.delete(channel);
  const { shard, tag } = engine.redis.place(channel);
  try {
    await shard.unsubscribe(tag, busChannel(engine.redis.prefix, tag, channel));
  } catch (error) {
    throw refusal(engine, error);
  }
}

/** A message for the subscribers of a channel, which whoever changes something in Redis may publish in the same step. */
export interface Announcement {
  readonly bus: string;
  readonly message: Uint8Array;
}

export function announcement(
  engine: Engine,
  channel: string,
  event: 'join' | 'leave',
  info: ClientInfo,
): Announcement {
  const { tag } = engine.redis.place(channel);
  return {
    bus: busChannel(engine.redis.prefix, tag, channel),
    message: Buffer.concat([event === 'join' ? joined : left, encodeInfo(info)]),
  };
}

/** At most once: where nothing is heard of it, it is not tried again. */
export async function announce(
  engine: Engine,
  channel: string,
  event: 'join' | 'leave',
  info: ClientInfo,
): Promise<void> {
  assertRunning(engine);
  const { shard, tag } = engine.redis.place(channel);
  const { bus, message } = announcement(engine, channel, event, info);
  try {
    await shard.call(tag, [shard.publishCommand, bus, message]);
  } catch (error) {
    throw refusal(engine, error);
  }
}

const joined = Buffer.from('j');
const left = Buffer.from('l');

/** What of this node's subscriptions broke and is whole again. @returns stops telling */
export function watchGaps(engine: Engine): () => void {
  const tell = (buses: readonly string[]): void => {
    const channels = buses.flatMap((bus) => channelOf(engine.redis.prefix, bus) ?? []);
    const ours = channels.filter((channel) => engine.subscribed.has(channel));
    if (ours.length === 0) return;
    engine.stats.uncertainChannels += ours.length;
    guarded(engine, () => engine.events?.uncertain?.(ours));
  };
  const stops = engine.redis.shards.map((shard) => shard.onGap(tell));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Ends all subscriptions. What Redis does not confirm ends with the connection. */
export async function endSubscriptions(engine: Engine): Promise<void> {
  const channels = [...engine.subscribed];
  await Promise.allSettled(channels.map((channel) => endSubscription(engine, channel)));
}

const letter = { kept: 0x6b, passing: 0x70, joined: 0x6a, left: 0x6c, removed: 0x72 } as const;
const one = 0x31;
const lineFeed = 0x0a;
const epochLength = 8;

/** Hands on what came: see `proto/stored.proto`. An error of a handler goes to `onError`, and nothing else changes. */
function deliver(engine: Engine, channel: string, message: Buffer): void {
  const { events } = engine;
  if (events === undefined) return;
  guarded(engine, () => {
    switch (message[0]) {
      case letter.kept:
        return deliverKept(engine, channel, message);
      case letter.passing: {
        const publication = decodePublication(message.subarray(2));
        return events.publication(channel, publication, undefined, message[1] === one);
      }
      case letter.joined:
        return events.join(channel, decodeInfo(message.subarray(1)));
      case letter.left:
        return events.leave(channel, decodeInfo(message.subarray(1)));
      case letter.removed:
        return events.historyRemoved?.(channel);
      default:
        engine.log.warn?.('a message of another release on the bus', { channel });
    }
  });
}

function deliverKept(engine: Engine, channel: string, message: Buffer): void {
  const epochEnd = 2 + epochLength;
  const end = message.indexOf(lineFeed, epochEnd);
  const epoch = message.toString('latin1', 2, epochEnd);
  const offset = Number(message.toString('latin1', epochEnd, end));
  const publication = decodePublication(message.subarray(end + 1));
  publication.offset = offset;
  if (offset === 1) publication.epoch = epoch;
  engine.events?.publication(channel, publication, { offset, epoch }, message[1] === one);
}

function guarded(engine: Engine, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    engine.onError(error);
  }
}
