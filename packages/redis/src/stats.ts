import type { RedisError } from './errors.ts';
import type { ShardStats } from './types.ts';

export function newShardStats(): ShardStats {
  return {
    commands: { write: 0, read: 0, control: 0 },
    errors: {},
    breaks: { write: 0, read: 0, control: 0, pubsub: 0 },
    deaf: 0,
  };
}

/** Counts a failure by its {@link RedisError.code}, or by its outcome where Redis did not answer. */
export function countError({ errors }: ShardStats, { code, outcome }: RedisError): void {
  // A script may begin its refusal with any word.
  const word = /^[A-Z]+$/.test(code) ? code : code === '' ? outcome : 'ERR';
  errors[word] = (errors[word] ?? 0) + 1;
}
