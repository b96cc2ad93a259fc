import type { Shard } from '@gyre/redis';
import type { StreamPosition } from '@gyre/protocol';
import { assertRunning, refusal } from './engine.ts';
import type { Engine } from './engine.ts';
import { metaKey } from './keys.ts';

/**
 * Commands of one tick go to each Redis together. A shard that is down takes only its own channels away.
 * @throws ClientError 100 where no shard answers
 */
export async function positions(
  engine: Engine,
  channels: readonly string[],
): Promise<ReadonlyMap<string, StreamPosition>> {
  assertRunning(engine);
  const known = new Map<string, StreamPosition>();
  let failure: unknown;
  const read = async (channel: string): Promise<void> => {
    const { shard, tag } = engine.redis.place(channel);
    try {
      known.set(channel, await position(shard, tag, metaKey(engine.redis.prefix, tag, channel)));
    } catch (error) {
      failure = error;
    }
  };
  await Promise.all(channels.map(read));
  if (known.size === 0 && failure !== undefined) throw refusal(engine, failure);
  return known;
}

async function position(shard: Shard, tag: string, meta: string): Promise<StreamPosition> {
  const fields = await shard.call(tag, ['HMGET', meta, 'e', 's'], 'read');
  const [epoch, offset] = fields as readonly (Buffer | null)[];
  return { offset: Number(offset?.toString() ?? 0), epoch: epoch?.toString() ?? '' };
}
