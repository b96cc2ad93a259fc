import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { OwnRedis } from '../../packages/redis/src/testing.ts';
import { until } from '../harness/index.ts';
import { firstUnseen, toldInVain } from './cuts.ts';
import { readStreams } from './facts.ts';
import { quantile } from './figures.ts';
import { askAll, closes, sayEverywhere, subscriptions, timed, unsubscribes, whenTold } from './measures.ts';
import { full } from './seed.ts';
import { startStage } from './stage.ts';

describe('Redis', { timeout: 600_000 }, () => {
  it('F10 is killed, and comes back with everything', async () => {
    const stage = await startStage({
      redisArgs: ['--appendonly', 'yes', '--appendfsync', 'always'],
      quiet: 5,
    });
    await stage.run({
      name: 'F10',
      inject: async () => {
        await sayEverywhere(stage);
        await stage.redis.crash();
        await delay(2000);
        await stage.redis.restart();
        await timed(stage, 'caught_up', () => sayEverywhere(stage));
      },
    });
    expect(closes(stage)).toBe(0);
  });

  it('F11 is killed, and comes back with nothing: each subscription is told once', async () => {
    const stage = await startStage({ quiet: 5 });
    await stage.run({
      name: 'F11',
      destroys: true,
      told: subscriptions(stage),
      inject: async () => {
        await sayEverywhere(stage);
        await stage.redis.crash();
        await stage.redis.restart();
        await timed(stage, 'told_all', () => whenTold(stage, subscriptions(stage)));
        await sayEverywhere(stage);
      },
    });
    expect(closes(stage)).toBe(0);
  });

  it('F11 loses everything while it runs: what shows that is delivered', async () => {
    const stage = await startStage({ quiet: 5 });
    await stage.run({
      name: 'F11-flush',
      destroys: true,
      told: subscriptions(stage),
      inject: async () => {
        await sayEverywhere(stage);
        await stage.redis.admin.flushall();
        await sayEverywhere(stage);
        await whenTold(stage, subscriptions(stage));
      },
    });
    expect(firstUnseen(stage.ledger, await readStreams(stage))).toEqual([]);
    expect(closes(stage)).toBe(0);
  });

  it('F12 comes back with an older copy: who had more is told, who had not goes on', async () => {
    const stage = await startStage({ quiet: 5 });
    const away = stage.subscribers.filter((_, n) => n % 2 === 1);
    const there = stage.subscribers.filter((_, n) => n % 2 === 0);
    await stage.run({
      name: 'F12',
      destroys: true,
      told: subscriptions({ subscribers: there }),
      inject: async () => {
        await sayEverywhere(stage);
        for (const { client } of away) client.disconnect();
        await until(() => away.every((one) => one.id() === ''));
        await stage.redis.admin.save();
        await Promise.all([stage.goOn(5), sayEverywhere(stage)]);
        await stage.redis.crash();
        await stage.redis.restart();
        // More than were lost, so that places are taken that others had before.
        await stage.goOn(10);
        for (const { client } of away) client.connect();
        await until(() => away.every((one) => one.settled()), { deadline: 60_000 });
      },
    });
    expect(toldInVain(stage.ledger, await readStreams(stage))).toEqual([]);
    expect(closes(stage)).toBe(away.length);
  });

  it('F13 loses the pub/sub connections again and again', async () => {
    const stage = await startStage({ quiet: 10 });
    const repairs: number[] = [];
    await stage.run({
      name: 'F13',
      inject: async () => {
        const repaired: Promise<unknown>[] = [];
        for (let n = 0; n < (full ? 200 : 20); n++) {
          await stage.redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
          const killed = performance.now();
          // In the blind time, and nothing follows it.
          const said = stage.say(stage.quiet[n % stage.quiet.length]!);
          repaired.push(said.then(() => repairs.push(performance.now() - killed)));
          await delay(stage.random.int(1000));
        }
        await Promise.all(repaired);
        stage.figure('repair_p50', quantile(repairs, 0.5));
        stage.figure('repair_p99', quantile(repairs, 0.99));
      },
    });
    expect(closes(stage)).toBe(0);
    expect(unsubscribes(stage)).toBe(0);
  });

  it.each(full ? [1, 5, 20] : [1, 5])('F14 stands still for %i s and goes on', async (seconds) => {
    const stage = await startStage({ quiet: 5 });
    await stage.run({
      name: `F14-${seconds}`,
      inject: async () => {
        const asking = new AbortController();
        const answers = askAll(stage, asking.signal);
        await standStill(stage.redis, seconds * 1000);
        await timed(stage, 'caught_up', () => sayEverywhere(stage));
        asking.abort();
        await answers;
      },
    });
    expect(closes(stage)).toBe(0);
  });
});

async function standStill({ admin }: OwnRedis, ms: number): Promise<void> {
  const pid = Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1]);
  process.kill(pid, 'SIGSTOP');
  await delay(ms);
  process.kill(pid, 'SIGCONT');
}
