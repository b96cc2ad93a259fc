import { until } from './testing.ts';
import type { OwnRedis, TestCluster } from './testing.ts';

/** From now on nothing that a master is told reaches its replicas, as in the moment before a crash. */
export async function cutReplication(master: OwnRedis, replicas: readonly OwnRedis[]): Promise<void> {
  for (const { admin } of replicas) {
    await admin.config('SET', 'masteruser', 'nobody');
    await admin.config('SET', 'masterauth', 'wrong');
  }
  await master.admin.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await until(async () => {
    const infos = await Promise.all(replicas.map(({ admin }) => admin.info('replication')));
    return infos.every((info) => info.includes('master_link_status:down'));
  });
}

/** The server of a Cluster that holds a tag to begin with, and its replica. */
export async function holderOf(
  { servers }: TestCluster,
  tag: string,
): Promise<{ readonly master: OwnRedis; readonly replicas: readonly OwnRedis[] }> {
  const slot = Number(await servers[0]?.admin.cluster('KEYSLOT', `{${tag}}`));
  const index = slot < 5461 ? 0 : slot < 10_923 ? 1 : 2;
  const [master, replica] = [servers[index], servers[index + 3]];
  if (master === undefined || replica === undefined) throw new Error('no servers');
  return { master, replicas: [replica] };
}
