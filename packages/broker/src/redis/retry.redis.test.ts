import { openRedis, runId, script } from '@gyre/redis';
import type { Arg } from '@gyre/redis';
import { startRedis, testOptions } from '@gyre/redis/testing';
import { expect, it, onTestFinished } from 'vitest';
import { answerKey, channelKeys, findingsKey } from './keys.ts';

const publishStream = script<[what: number, epoch: Buffer, offset: Buffer]>(
  new URL('./lua/publish_stream.lua', import.meta.url),
  new URL('./lua/enter_stream.lua', import.meta.url),
);

/** Attempts to publish to one channel, by the id of the publication. */
async function stage() {
  const server = await startRedis();
  const { prefix, ...more } = testOptions(server.url);
  const redis = openRedis({ ...more, prefix });
  onTestFinished(async () => {
    await redis.close();
    await server.close();
  });
  await redis.start();
  const { shard, tag } = redis.place('c');
  const { meta, stream, bus } = channelKeys(prefix, tag, 'c');
  const findings = findingsKey(prefix, tag, 'c');
  const keys = [meta, stream, answerKey(prefix, tag, 'c', ''), bus];
  const attempt = async (id: string, epoch: string, again: boolean) => {
    const identity: Arg[] = [shard.publishCommand, runId, id, id, '0', again ? '1' : '0'];
    const all = again ? [...keys, findings] : keys;
    const line = [...identity, '', 0, 5000, 60_000, 60_000, epoch, '0', ''];
    const [what, of, offset] = await publishStream(shard, tag, all, line);
    return { what, epoch: of.toString(), offset: Number(offset.toString()) };
  };
  return {
    attempt,
    forget: () => server.admin.del(findings),
    beginAnew: () => server.admin.del(meta),
  };
}

const seed = Math.floor(Math.random() * 2 ** 31);

it(`an attempt finds the one before, wherever it lies and whoever looked before it (seed ${seed})`, async () => {
  const { attempt, forget, beginAnew } = await stage();
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  let life = 1;
  let count = 0;
  const publish = async (again: boolean): Promise<void> => {
    const offset = ++count;
    const id = `id ${life} ${offset}`;
    expect(await attempt(id, `epoch ${life}`, again)).toEqual({ what: 0, epoch: `epoch ${life}`, offset });
  };
  for (let round = 0; round < 80; round++) {
    if (below(25) === 0) {
      await beginAnew();
      life++;
      count = 0;
    }
    const others = [0, 1, below(20), 249, 250, 251, below(700)][below(7)] ?? 0;
    await Promise.all(Array.from({ length: others }, () => publish(false)));
    if (count === 0 || below(3) === 0) await publish(true);
    const depth = [0, below(10), below(300), below(Math.min(count, 4500))][below(4)] ?? 0;
    const offset = Math.max(1, count - depth);
    const found = await attempt(`id ${life} ${offset}`, 'another', true);
    expect(found).toEqual({ what: 1, epoch: `epoch ${life}`, offset });
    // As after a while.
    if (below(10) === 0) await forget();
  }
});
