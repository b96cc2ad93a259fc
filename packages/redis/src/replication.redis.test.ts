import { describe, expect, it } from 'vitest';
import { cutReplication } from './failover.testing.ts';
import { startRedis } from './server.testing.ts';
import { useStage } from './stage.testing.ts';
import { startSentinel } from './topology.testing.ts';
import type { Place } from './shards.ts';
import type { RedisShards } from './types.ts';
import { until } from './until.testing.ts';

interface Written extends Place {
  /** Resolves when the master has answered for it. */
  readonly write: (value: string) => Promise<void>;
}

function written(redis: RedisShards): Written {
  const { shard, tag } = redis.place('c');
  const write = async (value: string): Promise<void> => {
    await shard.call(tag, ['SET', `${redis.prefix}{${tag}}:test`, value]);
  };
  return { shard, tag, write };
}

describe('what was written to a master', () => {
  const stage = useStage();

  it('is not confirmed by the one that took over without it', async () => {
    const { url, servers } = stage.keep(await startSentinel());
    const [master, ...replicas] = servers;
    if (master === undefined) throw new Error('no servers');
    const { shard, tag, write } = written(await stage.open(url, { io_timeout: 20_000 }));
    await write('1');
    await until(() => shard.replicated(tag));

    await cutReplication(master, replicas);
    await write('2');
    // The first question stays open until the connection breaks, so the second one comes to whoever is there then.
    await master.pause();
    const first = shard.replicated(tag);
    await new Promise(setImmediate);
    const second = shard.replicated(tag);
    for (const { admin } of replicas) {
      await admin.config('SET', 'masteruser', '');
      await admin.config('SET', 'masterauth', '');
    }
    await until(async () => {
      const infos = await Promise.all(replicas.map(({ admin }) => admin.info('replication')));
      return infos.some((info) => info.includes('state=online'));
    });
    await master.crash();
    expect(await Promise.all([first, second])).toEqual([false, false]);

    // What is written from now on is.
    await until(async () => {
      await write('3');
      return shard.replicated(tag);
    });
  });

  it('is confirmed also where the run_id is hidden, once the connection is there', async () => {
    const master = stage.keep(await startRedis(['--repl-diskless-sync-delay', '0']));
    stage.keep(await startRedis(['--replicaof', '127.0.0.1', `${master.port}`]));
    await until(async () => (await master.admin.info('replication')).includes('state=online'));
    await master.admin.call('ACL', 'SETUSER', 'gyre', 'on', '>secret', '~*', '&*', '+@all', '-info');
    const redis = await stage.open(`redis://gyre:secret@127.0.0.1:${master.port}`);
    const { shard, tag, write } = written(redis);
    await write('1');
    expect(await shard.replicated(tag)).toBe(false);
    await until(() => shard.replicated(tag));
  });
});
