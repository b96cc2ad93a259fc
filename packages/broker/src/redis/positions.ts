import type { Shard } from '@gyre/redis';
import type { ChannelPosition } from '../broker.ts';
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
): Promise<ReadonlyMap<string, ChannelPosition>> {
  assertRunning(engine);
  const known = new Map<string, ChannelPosition>();
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

async function position(shard: Shard, tag: string, meta: string): Promise<ChannelPosition> {
  const fields = await shard.call(tag, ['HMGET', meta, 'e', 's', 'pe', 'pt'], 'read');
  const [epoch, offset, previousEpoch, cut] = fields as readonly (Buffer | null)[];
  const current = { offset: numberOf(offset), epoch: epoch?.toString() ?? '' };
  if (!previousEpoch) return { position: current };
  return { position: current, previous: { offset: numberOf(cut), epoch: previousEpoch.toString() } };
}

const numberOf = (digits: Buffer | null | undefined): number => Number(digits?.toString() ?? 0);
