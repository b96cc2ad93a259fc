import { describe, expect, it } from 'vitest';
import { startSentinel, type OwnRedis, type TestSentinel } from '../../packages/redis/src/testing.ts';
import { until } from '../harness/index.ts';
import { toldInVain } from './cuts.ts';
import { readStreams } from './facts.ts';
import { quantile } from './figures.ts';
import { closes, sayEverywhere, subscriptions, timed } from './measures.ts';
import { full } from './seed.ts';
import { startStage, type Stage } from './stage.ts';

describe('Sentinel', { timeout: 600_000 }, () => {
  it('F20 the master is killed, and a replica takes its place', async () => {
    const rounds = full ? 10 : 1;
    const ground = await startSentinel(1000);
    const stage = await startStage({ ground, quiet: 5 });
    const back: number[] = [];
    await stage.run({
      name: 'F20',
      destroys: true,
      told: [0, rounds * subscriptions(stage)],
      inject: async () => {
        for (let n = 0; n < rounds; n++) {
          const old = await masterOf(ground);
          await stage.goOn();
          await old.crash();
          await replaced(ground, old);
          back.push(await served(stage));
          await join(ground, old);
        }
        stage.figure('back_p50', quantile(back, 0.5));
        stage.figure('back_worst', Math.max(...back));
      },
    });
    expect(toldInVain(stage.ledger, await readStreams(stage))).toEqual([]);
    expect(closes(stage)).toBe(0);
  });

  it('F21 the master is replaced as planned, while nothing is written to it', async () => {
    const ground = await startSentinel(1000);
    const stage = await startStage({ ground, quiet: 5 });
    await stage.run({
      name: 'F21-paused',
      inject: async () => {
        const old = await masterOf(ground);
        await old.admin.call('CLIENT', 'PAUSE', '30000', 'WRITE');
        await ground.sentinel.call('SENTINEL', 'FAILOVER', 'main');
        await replaced(ground, old);
        await timed(stage, 'back', () => sayEverywhere(stage));
        await join(ground, old);
      },
    });
    expect(closes(stage)).toBe(0);
  });

  it('F21 the master is replaced as planned, while it is written to: what it took too late is gone, and told', async () => {
    const ground = await startSentinel(1000);
    const stage = await startStage({ ground, quiet: 5 });
    await stage.run({
      name: 'F21',
      destroys: true,
      told: [0, subscriptions(stage)],
      inject: async () => {
        const old = await masterOf(ground);
        await ground.sentinel.call('SENTINEL', 'FAILOVER', 'main');
        await replaced(ground, old);
        await join(ground, old);
        stage.figure('back', await served(stage));
      },
    });
    expect(toldInVain(stage.ledger, await readStreams(stage))).toEqual([]);
    expect(closes(stage)).toBe(0);
  });
});

/** The server that the Sentinels name. */
async function masterOf({ servers, sentinel }: TestSentinel): Promise<OwnRedis> {
  const [, port] = (await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')) as string[];
  return servers.find((one) => one.port === Number(port))!;
}

/** Resolves when the Sentinels name another master. */
async function replaced(ground: TestSentinel, old: OwnRedis): Promise<void> {
  await until(async () => (await masterOf(ground)) !== old, { deadline: 60_000 });
}

/** Milliseconds until every quiet channel has been published in, and everybody has it. */
async function served(stage: Stage): Promise<number> {
  const began = performance.now();
  await sayEverywhere(stage);
  return performance.now() - began;
}

/** Makes a server that was the master a replica of the one that is, as it would be by its configuration file. */
async function join(ground: TestSentinel, old: OwnRedis): Promise<void> {
  if (old.admin.status !== 'ready') await old.restart();
  const { port } = await masterOf(ground);
  await old.admin.replicaof('127.0.0.1', port);
  await until(async () => (await old.admin.info('replication')).includes('master_link_status:up'), {
    deadline: 60_000,
  });
}
