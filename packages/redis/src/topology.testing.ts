import type { Redis } from 'ioredis';
import { startRedis } from './server.testing.ts';
import type { OwnRedis, TestRedis } from './server.testing.ts';
import { until } from './until.testing.ts';

export interface TestSentinel extends TestRedis {
  /** The first one is the master to begin with. */
  readonly servers: readonly OwnRedis[];
  /** For talking to one of the Sentinels. */
  readonly sentinel: Redis;
}

/** A master, two replicas and three Sentinels, which notice a death after `downMs`. */
export async function startSentinel(downMs = 500): Promise<TestSentinel> {
  const master = await startRedis(['--repl-diskless-sync-delay', '0']);
  const replica = ['--replicaof', '127.0.0.1', `${master.port}`, '--repl-diskless-sync-delay', '0'];
  const replicas = await Promise.all([startRedis(replica), startRedis(replica)]);
  await until(async () => /connected_slaves:2/.test(await master.admin.info('replication')));
  const sentinels = await Promise.all([0, 1, 2].map(() => startSentinelProcess(master.port, downMs)));
  const [first] = sentinels;
  if (first === undefined) throw new Error('no Sentinels');
  await until(async () => {
    const known = (await first.admin.call('SENTINEL', 'MASTER', 'main')) as string[];
    const field = (name: string): number => Number(known[known.indexOf(name) + 1]);
    return field('num-slaves') === 2 && field('num-other-sentinels') === 2;
  });
  const addresses = sentinels.slice(1).map(({ port }) => `&addr=127.0.0.1:${port}`);
  return {
    url: `redis+sentinel://127.0.0.1:${first.port}?sentinel_master_name=main${addresses.join('')}`,
    servers: [master, ...replicas],
    sentinel: first.admin,
    close: async () => {
      await Promise.all(sentinels.map((one) => one.close()));
      await Promise.all([master, ...replicas].map((one) => one.close()));
    },
  };
}

async function startSentinelProcess(masterPort: number, downMs: number): Promise<OwnRedis> {
  const sentinel = await startRedis(['--sentinel']);
  const { admin } = sentinel;
  await admin.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', `${masterPort}`, '2');
  await admin.call('SENTINEL', 'SET', 'main', 'down-after-milliseconds', `${downMs}`);
  await admin.call('SENTINEL', 'SET', 'main', 'failover-timeout', '3000');
  return sentinel;
}

export interface TestCluster extends TestRedis {
  /** Three masters, then their replicas. */
  readonly servers: readonly OwnRedis[];
}

/** Three masters with a third of the slots each, and a replica of each. */
export async function startCluster(): Promise<TestCluster> {
  const line = [
    '--cluster-enabled',
    'yes',
    '--cluster-node-timeout',
    '1000',
    '--repl-diskless-sync-delay',
    '0',
  ];
  const servers = await Promise.all(Array.from({ length: 6 }, () => startRedis(line)));
  const [first] = servers;
  if (first === undefined) throw new Error('no servers');
  const bounds = [0, 5461, 10923, 16384];
  for (const [i, { admin }] of servers.entries()) {
    await admin.cluster('SET-CONFIG-EPOCH', i + 1);
    const from = bounds[i] ?? 0;
    // One by one, as Redis 6 wants them.
    if (i < 3)
      await admin.cluster(
        'ADDSLOTS',
        ...Array.from({ length: Number(bounds[i + 1]) - from }, (_, n) => from + n),
      );
    if (i > 0) await first.admin.cluster('MEET', '127.0.0.1', servers[i]?.port ?? 0);
  }
  const everyone = async (says: RegExp): Promise<boolean> => {
    const infos = await Promise.all(servers.map(({ admin }) => admin.cluster('INFO')));
    return infos.every((info) => says.test(info));
  };
  await until(() => everyone(/cluster_known_nodes:6\b/));
  for (const [i, { admin }] of servers.slice(3).entries()) {
    const id = String(await servers[i]?.admin.cluster('MYID'));
    await until(async () => String(await admin.cluster('NODES')).includes(id));
    await admin.call('CLUSTER', 'REPLICATE', id);
  }
  await until(() => everyone(/cluster_state:ok/));
  const linked = servers.slice(3).map(({ admin }) => admin);
  await until(async () => {
    const infos = await Promise.all(linked.map((admin) => admin.info('replication')));
    return infos.every((info) => info.includes('master_link_status:up'));
  });
  return {
    url: `redis+cluster://127.0.0.1:${first.port}?addr=127.0.0.1:${servers[1]?.port}`,
    servers,
    close: async () => {
      await Promise.all(servers.map((one) => one.close()));
    },
  };
}
