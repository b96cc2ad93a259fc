import type { SubscribeRequest } from './messages.ts';

/** A message while it is being read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A subscribe request with nothing set, for every wire to fill in. */
export function newSubscribeRequest(): Draft<SubscribeRequest> {
  return {
    channel: '',
    token: '',
    recover: false,
    epoch: '',
    offset: 0,
    positioned: false,
    recoverable: false,
    joinLeave: false,
    delta: '',
    flag: 0,
    type: 0,
  };
}
