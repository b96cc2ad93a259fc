import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RedisError } from './errors.ts';
import type { Arg, Lane, Reply, Shard } from './types.ts';

/**
 * Runs a script on the master that holds `tag`, with the guarantees of {@link Shard.call}.
 * @param keys all with the tag
 * @returns what the script returned
 */
export type Script<R extends Reply = Reply> = (
  shard: Shard,
  tag: string,
  keys: readonly string[],
  args: readonly Arg[],
  lane?: Lane,
) => Promise<R>;

/**
 * A `.lua` file as a function. It is read now; Redis gets the text when it says that it does not know the script.
 * @param file `new URL('./lua/verb_noun.lua', import.meta.url)`
 * @param before files of functions that it shares with others
 */
export function script<R extends Reply = Reply>(file: URL, ...before: readonly URL[]): Script<R> {
  const text = [...before, file].map((part) => readFileSync(part, 'utf8')).join('\n');
  const digest = createHash('sha1').update(text).digest('hex');
  return async (shard, tag, keys, args, lane) => {
    try {
      return (await shard.call(tag, ['EVALSHA', digest, keys.length, ...keys, ...args], lane)) as R;
    } catch (error) {
      if (!(error instanceof RedisError) || error.code !== 'NOSCRIPT') throw error;
      return (await shard.call(tag, ['EVAL', text, keys.length, ...keys, ...args], lane)) as R;
    }
  };
}
