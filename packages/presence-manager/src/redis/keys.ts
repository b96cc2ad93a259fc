import { redisKey } from '@gyre/redis';

/** The keys of a channel's members. */
export interface ChannelKeys {
  /** Sorted set of entries, all with score 0, so that they lie in the order of their bytes: client key first. */
  readonly members: string;
  /** Hash: user -> how many clients. */
  readonly users: string;
  /** Hash: holder -> how many clients. */
  readonly holders: string;
}

/** @param tag the channel's */
export function channelKeys(prefix: string, tag: string, channel: string): ChannelKeys {
  return {
    members: redisKey(prefix, tag, 'pm', channel),
    users: redisKey(prefix, tag, 'pu', channel),
    holders: redisKey(prefix, tag, 'ph', channel),
  };
}

/** What a holder wrote in the channels of one tag: a set of names, see `nameHead`. */
export function namesKey(prefix: string, tag: string, holder: string): string {
  return redisKey(prefix, tag, 'pn', holder);
}

/** Is there when members of this holder were taken away because it died. */
export function sweptKey(prefix: string, tag: string, holder: string): string {
  return redisKey(prefix, tag, 'px', holder);
}

/** Whoever has it clears up. @param tag the lease's */
export function sweeperKey(prefix: string, tag: string): string {
  return redisKey(prefix, tag, 'ps', '');
}
