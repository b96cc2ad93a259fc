import type { Redis } from 'ioredis';
import type { OwnRedis, TestRedis } from './server.testing.ts';
import { startCluster, startSentinel } from './topology.testing.ts';
import { until } from './until.testing.ts';

interface Server {
  readonly admin: Redis;
}

/** From now on nothing that a master is told reaches its replicas, as in the moment before a crash. */
export async function cutReplication(master: Server, replicas: readonly Server[]): Promise<void> {
  for (const [i, { admin }] of replicas.entries()) {
    await admin.config('SET', 'masteruser', 'nobody');
    await admin.config('SET', 'masterauth', 'wrong');
    // The others can follow nobody any more: Sentinels would put them in the place of the one that they promoted.
    if (i > 0) await admin.config('SET', 'replica-priority', '0');
  }
  await master.admin.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await until(async () => {
    const infos = await Promise.all(replicas.map(({ admin }) => admin.info('replication')));
    return infos.every((info) => info.includes('master_link_status:down'));
  });
}

/** The server of a Cluster (three masters, then their replicas) that holds a tag to begin with, and its replica. */
export async function holderOf<S extends Server>(
  { servers }: { readonly servers: readonly S[] },
  tag: string,
): Promise<{ readonly master: S; readonly replicas: readonly S[] }> {
  const slot = Number(await servers[0]?.admin.cluster('KEYSLOT', `{${tag}}`));
  const index = slot < 5461 ? 0 : slot < 10_923 ? 1 : 2;
  const [master, replica] = [servers[index], servers[index + 3]];
  if (master === undefined || replica === undefined) throw new Error('no servers');
  return { master, replicas: [replica] };
}

/** A Redis whose master can be taken over. */
export interface Failover {
  readonly redis: TestRedis;
  /** Of the tag that was asked for. */
  readonly master: OwnRedis;
  readonly replicas: readonly OwnRedis[];
}

/** Every kind of Redis in which a replica takes over by itself; started for what lies under a tag. */
export const failovers: readonly [name: string, start: (tag: string) => Promise<Failover>][] = [
  [
    'Sentinel',
    async () => {
      const redis = await startSentinel();
      const [master, ...replicas] = redis.servers;
      if (master === undefined) throw new Error('no servers');
      return { redis, master, replicas };
    },
  ],
  [
    'a Cluster',
    async (tag) => {
      const redis = await startCluster();
      return { redis, ...(await holderOf(redis, tag)) };
    },
  ],
];
