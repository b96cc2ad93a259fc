import { redisKey } from '@gyre/redis';

/**
 * The keys and bus channels of a channel. Built here and nowhere else:
 *
 * - `prefix{tag}:s:channel` stream
 * - `prefix{tag}:m:channel` meta of the stream
 * - `prefix{tag}:i:length:channel key` answer to an idempotency key; the length tells where the channel ends
 * - `prefix{tag}:f:channel` where publications lie that were looked for; kept for seconds
 * - `prefix{tag}:c:channel` bus channel
 */
export interface ChannelKeys {
  readonly stream: string;
  readonly meta: string;
  readonly bus: string;
}

export function channelKeys(prefix: string, tag: string, channel: string): ChannelKeys {
  return {
    stream: redisKey(prefix, tag, 's', channel),
    meta: metaKey(prefix, tag, channel),
    bus: busChannel(prefix, tag, channel),
  };
}

export function metaKey(prefix: string, tag: string, channel: string): string {
  return redisKey(prefix, tag, 'm', channel);
}

export function busChannel(prefix: string, tag: string, channel: string): string {
  return redisKey(prefix, tag, 'c', channel);
}

export function answerKey(prefix: string, tag: string, channel: string, idempotencyKey: string): string {
  return redisKey(prefix, tag, 'i', `${channel.length}:${channel}${idempotencyKey}`);
}

export function findingsKey(prefix: string, tag: string, channel: string): string {
  return redisKey(prefix, tag, 'f', channel);
}

/** The channel of a bus channel, undefined where it is none of this prefix. */
export function channelOf(prefix: string, bus: string): string | undefined {
  const open = prefix.length;
  const close = bus.indexOf('}', open);
  return bus.startsWith(`${prefix}{`) && bus.startsWith('}:c:', close) ? bus.slice(close + 4) : undefined;
}
