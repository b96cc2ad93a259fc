import { afterEach } from 'vitest';
import type { RedisOptions } from './options.ts';
import { openRedis } from './shards.ts';
import { testOptions } from './testing.ts';
import type { Log, RedisShards } from './types.ts';

export interface Stage {
  /** Opened and started; closed after the test. */
  open(url: string | readonly string[], more?: Partial<RedisOptions>): Promise<RedisShards>;
  /** What was warned of in this test. */
  readonly warnings: string[];
  /** What else it was told. */
  readonly infos: string[];
  /** Closed after the test, in reverse order. */
  keep<T extends { close(): unknown }>(thing: T): T;
}

/** What a test stands on. */
export function useStage(): Stage {
  const warnings: string[] = [];
  const infos: string[] = [];
  const things: { close(): unknown }[] = [];
  const into = (lines: string[]) => (message: string, fields?: object) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log: Log = { info: into(infos), warn: into(warnings) };
  afterEach(async () => {
    for (const thing of things.splice(0).toReversed()) await thing.close();
    warnings.length = 0;
    infos.length = 0;
  });
  const keep = <T extends { close(): unknown }>(thing: T): T => {
    things.push(thing);
    return thing;
  };
  return {
    warnings,
    infos,
    keep,
    open: async (url, more) => {
      const redis = keep(openRedis(testOptions(url, more), log));
      await redis.start();
      return redis;
    },
  };
}
