import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { slotOf, tagOf } from '../../packages/redis/src/slots.ts';
import { startCluster, type OwnRedis, type TestCluster } from '../../packages/redis/src/testing.ts';
import { until } from '../harness/index.ts';
import { toldInVain } from './cuts.ts';
import { readStreams } from './facts.ts';
import { quantile } from './figures.ts';
import { closes, timed } from './measures.ts';
import { full } from './seed.ts';
import { startStage, type Stage } from './stage.ts';

const masters = 3;

describe('Cluster', { timeout: 600_000 }, () => {
  it('F24 a master is killed: its replica takes over, and other shards notice nothing', async () => {
    const { ground, stage, victim } = await start();
    const concerned = (channel: string): boolean => masterOf(channel) === victim;
    await stage.run({
      name: 'F24-kill',
      destroys: true,
      told: [0, Infinity],
      inject: async () => {
        const killed = performance.now();
        await ground.servers[victim]!.crash();
        const said = sayIn(stage, stage.quiet.filter(concerned));
        await timed(stage, 'promoted', () => promoted(ground.servers[masters + victim]!));
        await timed(stage, 'back', () => said);
        const back = performance.now();
        await ground.servers[victim]!.restart();
        await linked(ground.servers[victim]!);
        const others = stage.ledger.sent.filter(({ channel }) => !concerned(channel));
        const meanwhile = others.filter(({ sentAt }) => sentAt >= killed && sentAt <= back);
        const took = (some: typeof others): number =>
          quantile(
            some.map(({ sentAt, doneAt }) => doneAt - sentAt),
            0.99,
          );
        stage.figure('others_before_p99', took(others.filter(({ doneAt }) => doneAt < killed)));
        stage.figure('others_meanwhile_p99', took(meanwhile));
        expect(meanwhile.length).toBeGreaterThan(0);
      },
    });
    const { sent, seen } = stage.ledger;
    expect(sent.filter(({ channel, attempts }) => attempts > 1 && !concerned(channel))).toEqual([]);
    const left = seen.filter((event) => event.kind === 'left' && !concerned(event.channel));
    expect(left).toEqual([]);
    expect(toldInVain(stage.ledger, await readStreams(stage))).toEqual([]);
    expect(closes(stage)).toBe(0);
  });

  it('F24 a replica takes over as planned', async () => {
    const { ground, stage, victim } = await start();
    await stage.run({
      name: 'F24-failover',
      inject: async () => {
        const replica = ground.servers[masters + victim]!;
        await replica.admin.cluster('FAILOVER');
        await promoted(replica);
        await timed(stage, 'back', () => sayIn(stage, stage.quiet));
        await linked(ground.servers[victim]!);
      },
    });
    expect(closes(stage)).toBe(0);
  });

  it('F24 a slot moves while there are publications in it', async () => {
    const { ground, stage, victim } = await start();
    const [channel = ''] = stage.busy.filter((one) => masterOf(one) === victim);
    await stage.run({
      name: 'F24-move',
      inject: async () => {
        const slot = slotOf(tagOf(channel));
        const other = (victim + 1) % masters;
        for (let n = 0; n < (full ? 20 : 3); n++) {
          const way: Way = n % 2 === 0 ? [victim, other] : [other, victim];
          await move(ground, slot, way, () => delay(stage.random.int(300)));
          await stage.goOn(1);
        }
        await timed(stage, 'back', () => sayIn(stage, stage.quiet));
        const concerned = stage.ledger.sent.filter((sent) => slotOf(tagOf(sent.channel)) === slot);
        stage.figure('slowest_publish', Math.max(...concerned.map(({ sentAt, doneAt }) => doneAt - sentAt)));
      },
    });
    expect(closes(stage)).toBe(0);
  });
});

/** A stage over a Cluster, and the index of one of its masters, at random. */
async function start(): Promise<{ ground: TestCluster; stage: Stage; victim: number }> {
  const ground = await startCluster();
  // Or all of them refuse while one has no master.
  for (const { admin } of ground.servers) await admin.config('SET', 'cluster-require-full-coverage', 'no');
  const stage = await startStage({ ground, quiet: 12 });
  return { ground, stage, victim: stage.random.int(masters) };
}

/** Index of the server that has a channel to begin with. */
function masterOf(channel: string): number {
  return Math.floor((slotOf(tagOf(channel)) / 16_384) * masters);
}

/** One publication in each of these channels. Resolves when everybody has it. */
async function sayIn(stage: Stage, channels: readonly string[]): Promise<void> {
  await Promise.all(channels.map((channel) => stage.say(channel)));
}

/** Resolves when a replica has become the master. */
async function promoted({ admin }: OwnRedis): Promise<void> {
  await until(async () => (await admin.info('replication')).includes('role:master'), { deadline: 60_000 });
}

/** Resolves when a server has become a replica and has caught up. */
async function linked({ admin }: OwnRedis): Promise<void> {
  await until(async () => (await admin.info('replication')).includes('master_link_status:up'), {
    deadline: 60_000,
  });
}

/** Indexes of two masters. */
type Way = readonly [from: number, to: number];

/** Moves a slot from one master to another, a few keys at a time, as operators do. Scripts about keys on both sides have to wait. */
async function move(
  { servers }: TestCluster,
  slot: number,
  [from, to]: Way,
  pause: () => Promise<void>,
): Promise<void> {
  const source = servers[from]!;
  const target = servers[to]!;
  const [sourceId, targetId] = await Promise.all([source, target].map(({ admin }) => admin.cluster('MYID')));
  await target.admin.cluster('SETSLOT', slot, 'IMPORTING', String(sourceId));
  await source.admin.cluster('SETSLOT', slot, 'MIGRATING', String(targetId));
  await pause();
  for (let piece = 0; ; piece++) {
    const keys = (await source.admin.cluster('GETKEYSINSLOT', slot, 3)) as string[];
    if (keys.length === 0) break;
    await source.admin.migrate('127.0.0.1', target.port, '', 0, 5000, 'KEYS', ...keys);
    if (piece === 0) await pause();
  }
  await pause();
  for (const { admin } of [target, source, servers[3 - from - to]!]) {
    await admin.cluster('SETSLOT', slot, 'NODE', String(targetId));
  }
}
