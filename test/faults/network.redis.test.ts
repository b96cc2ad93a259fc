import { setTimeout as delay } from 'node:timers/promises';
import type { Centrifuge } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import { newClient, record, recordClient, until, type Gyre } from '../harness/index.ts';
import { canLoseRoutes, startBehindRoute, type BehindRoute } from './black-hole.ts';
import { askAll, closes, sayEverywhere, timed, unsubscribes } from './measures.ts';
import { publishOne } from './publishers.ts';
import { full } from './seed.ts';
import { startStage, type Stage } from './stage.ts';

describe('the network between nodes and Redis', { timeout: 600_000 }, () => {
  it('F15 loses answers to publications: up to three in a row, then one of twenty', async () => {
    const stage = await startStage({ proxied: true, quiet: 1 });
    const random = (): number => stage.random.int(1_000_000) / 1_000_000;
    await stage.run({
      name: 'F15',
      publishOn: [1, 2],
      // It is the servers who tell what was published before.
      keyed: false,
      inject: async () => {
        for (const losses of [1, 2, 3]) {
          let left = losses;
          // All of the piece: behind an answer there may be another one, and the cut between them.
          const whole = (): number => 0;
          stage.proxies[0]!.swallow(1, whole, (piece) => answersIn(piece) > 0 && left-- > 0);
          const only = { nodes: () => [stage.nodes[0]!], keyed: false };
          await publishOne(stage.ledger, stage.quiet[0]!, only, 0);
          expect(left).toBeLessThanOrEqual(0);
        }
        let swallowed = 0;
        for (const proxy of stage.proxies) {
          let times: number[] = [];
          proxy.swallow(1, random, (piece) => {
            // Attempts at a publication follow each other more quickly: none of them gets lost a fourth time.
            times = times.filter((time) => performance.now() - time < 2000);
            const lost = times.length < 3 && random() < 1 - 0.95 ** answersIn(piece);
            if (lost) times.push(performance.now());
            if (lost) swallowed++;
            return lost;
          });
        }
        await stage.goOn(full ? 200 : 20);
        for (const proxy of stage.proxies) proxy.swallow(0, random);
        stage.figure('swallowed', swallowed);
        expect(swallowed).toBeGreaterThan(0);
      },
    });
    // The servers tried again, so that nobody else had to.
    expect(stage.ledger.sent.filter(({ attempts }) => attempts > 1)).toEqual([]);
    expect(closes(stage)).toBe(0);
    expect(unsubscribes(stage)).toBe(0);
  });

  it('F16 delivers nothing on a pub/sub connection that looks sound', async () => {
    const stage = await startStage({ proxied: true, quiet: 5 });
    const repairs: number[] = [];
    await stage.run({
      name: 'F16',
      inject: async () => {
        for (let n = 0; n < (full ? 10 : 1); n++) {
          stage.proxies[n % 3]!.mute('subscriptions');
          const began = performance.now();
          await sayEverywhere(stage);
          repairs.push(performance.now() - began);
          await delay(stage.random.int(1000));
        }
        stage.figure('repair_worst', Math.max(...repairs));
      },
    });
    expect(closes(stage)).toBe(0);
    expect(unsubscribes(stage)).toBe(0);
  });

  it.each(full ? ['one node', 'all nodes'] : ['one node'])(
    'F30 is a black hole for 10 s: %s',
    async (who) => {
      const stage = await startStage({ proxied: true, quiet: 5 });
      const proxies = who === 'one node' ? stage.proxies.slice(0, 1) : stage.proxies;
      await blackHole(stage, `F30 ${who}`, {
        lose: () => {
          for (const proxy of proxies) proxy.hold();
        },
        mend: () => {
          for (const proxy of proxies) proxy.release();
        },
      });
      expect([closes(stage), unsubscribes(stage)]).toEqual([0, 0]);
    },
  );

  it.runIf(full && canLoseRoutes)('F30 is a black hole for 10 s: by the routes of the kernel', async () => {
    const ground = await startBehindRoute();
    const stage = await startStage({ ground, quiet: 5 });
    await blackHole(stage, 'F30 by routes', ground);
    expect([closes(stage), unsubscribes(stage)]).toEqual([0, 0]);
  });
});

/** Redis cannot be reached for ten seconds: connections are kept, who comes is told to try again, and all is made good. */
async function blackHole(stage: Stage, name: string, way: Pick<BehindRoute, 'lose' | 'mend'>): Promise<void> {
  await stage.run({
    name,
    inject: async () => {
      const asking = new AbortController();
      const answers = askAll(stage, asking.signal);
      way.lose();
      const began = performance.now();
      const said = sayEverywhere(stage);
      const { connection, client } = await refused(stage.nodes[0]!);
      await delay(10_000 - (performance.now() - began));
      way.mend();
      await timed(stage, 'caught_up', () => said);
      await welcome(client, stage.busy[0]!);
      expect(connection.connecting).toHaveLength(1);
      asking.abort();
      await answers;
    },
  });
}

/** How many publications a piece tells the outcome of: what became of it, epoch, offset. */
function answersIn(piece: Buffer): number {
  const answer = /\*3\r\n:\d\r\n\$8\r\n[a-zA-Z]{8}\r\n\$\d+\r\n\d+\r\n/g;
  return piece.toString('latin1').match(answer)?.length ?? 0;
}

/** Connects a client and subscribes to a channel that nobody has. Resolves when that was refused for now. */
async function refused(node: Gyre) {
  const client = newClient(node);
  const connection = recordClient(client);
  client.connect();
  const subscription = client.newSubscription('newcomer');
  const { error } = record(subscription);
  subscription.subscribe();
  await until(() => error.length > 0, { deadline: 60_000 });
  expect(error[0]!.error).toMatchObject({ code: 100, temporary: true });
  subscription.unsubscribe();
  return { client, connection };
}

/** Subscribes to a channel as if nothing had been, and goes. */
async function welcome(client: Centrifuge, channel: string): Promise<void> {
  const subscription = client.newSubscription(channel);
  subscription.subscribe();
  await subscription.ready(60_000);
  client.disconnect();
}
