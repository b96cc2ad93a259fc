import { describe, expect, it } from 'vitest';
import { openRedis } from './shards.ts';
import { redisKey } from './slots.ts';
import { useStage } from './stage.testing.ts';
import { startRedis, testOptions, until } from './testing.ts';
import type { OwnRedis } from './testing.ts';
import type { RedisShards, Reply } from './types.ts';

const quick = { connect_timeout: 300, io_timeout: 400 };

/** Sends one command on each lane. @returns what came of them */
function onAllLanes(redis: RedisShards): Promise<PromiseSettledResult<Reply>[]> {
  const { shard, tag } = redis.place('n');
  const set = ['SET', redisKey(redis.prefix, tag, 'test', 'n'), 'x'] as const;
  const publish = ['PUBLISH', 'anything', 'x'] as const;
  return Promise.allSettled([
    shard.call(tag, publish, 'write'),
    shard.call(tag, ['PING'], 'read'),
    shard.call(tag, set, 'control'),
  ]);
}

const refused = { status: 'rejected', reason: { name: 'RedisError', outcome: 'none', code: '' } };

async function works(redis: RedisShards): Promise<boolean> {
  const came = await onAllLanes(redis);
  return redis.verifiedAge() < 1000 && came.every(({ status }) => status === 'fulfilled');
}

/** So many connections were made to it. */
async function connections({ admin }: OwnRedis): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]);
}

describe('a database that Redis does not have', () => {
  const stage = useStage();

  it.each([false, true])('is not mistaken for another one, RESP2: %s', async (force_resp2) => {
    const server = stage.keep(await startRedis());
    const redis = await stage.open(server.url, { ...quick, db: 99, force_resp2 });
    // It is tried again and again.
    const before = await connections(server);
    await until(async () => (await connections(server)) >= before + 10);
    expect(await onAllLanes(redis)).toMatchObject([refused, refused, refused]);
    expect(redis.verifiedAge()).toBe(Infinity);
    expect(stage.warnings[0]).toMatch(/127\.0\.0\.1:.*"db":99.*DB index is out of range/);
    expect(await server.admin.info('keyspace')).not.toContain('db');
  });

  it('is another matter than one that it has', async () => {
    const server = stage.keep(await startRedis());
    const redis = await stage.open(server.url, { ...quick, db: 5 });
    await until(() => works(redis));
    expect(await server.admin.info('keyspace')).toMatch(/db5:keys=1\b/);
    expect(stage.warnings).toEqual([]);
    expect(stage.infos).toEqual([]);
  });
});

describe('a replica that takes no writes', () => {
  const stage = useStage();

  it('is of no use, says the log, until it is a master', async () => {
    const master = stage.keep(await startRedis());
    const replica = stage.keep(await startRedis(['--replicaof', '127.0.0.1', `${master.port}`]));
    const redis = await stage.open(replica.url, quick);
    const before = await connections(replica);
    await until(async () => (await connections(replica)) >= before + 10);
    expect(await onAllLanes(redis)).toMatchObject([refused, refused, refused]);
    expect(redis.verifiedAge()).toBe(Infinity);
    expect(stage.warnings[0]).toContain(`"127.0.0.1:${replica.port} is a read-only replica"`);
    expect(stage.infos).toEqual([]);
    await replica.admin.call('REPLICAOF', 'NO', 'ONE');
    await until(() => works(redis));
    expect(stage.infos.join()).toContain(`Redis is there {"shard":"127.0.0.1:${replica.port}"`);
  });

  it('is left by all connections when one of them is told so', async () => {
    const [server, other] = [stage.keep(await startRedis()), stage.keep(await startRedis())];
    const redis = await stage.open(server.url, quick);
    await until(() => works(redis));
    await server.admin.call('REPLICAOF', '127.0.0.1', other.port);
    const { shard, tag } = redis.place('n');
    const set = shard.call(tag, ['SET', redisKey(redis.prefix, tag, 'test', 'n'), 'y'], 'control');
    await expect(set).rejects.toMatchObject({ name: 'RedisError', outcome: 'none' });
    await until(() => redis.verifiedAge() === Infinity);
    await until(async () => (await onAllLanes(redis)).every(({ status }) => status === 'rejected'));
    expect(stage.warnings.join()).toContain(`127.0.0.1:${server.port} is a read-only replica`);
    await server.admin.call('REPLICAOF', 'NO', 'ONE');
    await until(() => works(redis));
    expect(stage.infos.join()).toContain('Redis is back');
  });
});

describe('a server that is no Cluster', () => {
  const stage = useStage();

  it('says so in the log, and is waited for once only', async () => {
    const server = stage.keep(await startRedis());
    const seed = `127.0.0.1:${server.port}`;
    const options = { ...quick, cluster_address: [seed] };
    const redis = await stage.open([], options);
    await until(() => stage.warnings.length > 0);
    expect(stage.warnings[0]).toContain(`"${seed}: ERR This instance has cluster support disabled"`);
    expect(await onAllLanes(redis)).toMatchObject([refused, refused, refused]);
    // Compared with one that has just begun, and waits.
    const settled: string[] = [];
    const fresh = stage.keep(openRedis(testOptions([], options)));
    const ofFresh = onAllLanes(fresh).then(() => settled.push('fresh'));
    await onAllLanes(redis).then(() => settled.push('long known'));
    await ofFresh;
    expect(settled).toEqual(['long known', 'fresh']);
  });
});

describe('the log', () => {
  const stage = useStage();

  it('says when a Redis is back, and for how long it was away', async () => {
    const server = stage.keep(await startRedis());
    const redis = await stage.open(server.url, quick);
    await until(() => works(redis));
    await server.crash();
    await until(() => stage.warnings.length > 0);
    await server.restart();
    await until(() => works(redis));
    const address = `127.0.0.1:${server.port}`;
    const [line = ''] = stage.infos;
    expect(line).toMatch(/^Redis is back \{.*"newProcess":true\}$/);
    expect(line).toContain(`"server":"${address}"`);
    expect(Number(/"awayMs":(\d+)/.exec(line)?.[1])).toBeGreaterThan(0);
    expect(stage.infos).toHaveLength(1);
  });

  it('says so, too, where it stood still and only one connection was used meanwhile', async () => {
    const server = stage.keep(await startRedis());
    const redis = await stage.open(server.url, quick);
    await until(() => works(redis));
    const { shard, tag } = redis.place('n');
    await server.pause();
    try {
      const ping = shard.call(tag, ['PING'], 'control');
      await expect(ping).rejects.toMatchObject({ name: 'RedisError', outcome: 'unknown' });
      await until(() => stage.warnings.length > 0);
    } finally {
      await server.resume();
    }
    await until(() => works(redis));
    await until(() => stage.infos.length > 0);
    expect(stage.infos).toHaveLength(1);
    expect(stage.infos[0]).toMatch(/^Redis is back \{.*"newProcess":false\}$/);
  });

  it('says what Sentinels say, and not what the client library says about it', async () => {
    const sentinel = stage.keep(await startRedis(['--sentinel']));
    await stage.open(`redis+sentinel://127.0.0.1:${sentinel.port}?sentinel_master_name=nobody`, quick);
    await until(() => stage.warnings.length > 0);
    expect(stage.warnings[0]).toMatch(
      /sentinel 127.*nobody".*"no Sentinel names a master: ERR No such master/,
    );
  });
});
