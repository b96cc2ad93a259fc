import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { api, until, type Gyre } from '../harness/index.ts';
import { peakConnects } from './figures.ts';
import type { Ledger, Outcome } from './ledger.ts';
import { departures, every, lacks, leaves, undisturbed } from './memberships.ts';
import { full } from './seed.ts';
import { startStage, type Stage } from './stage.ts';

describe('nodes', { timeout: 300_000 }, () => {
  it('F01 a node is killed: its clients go elsewhere and have everything', async () => {
    const stage = await startStage({ serverSide: 20 });
    await stage.run({
      name: 'F01',
      publishOn: [1, 2],
      inject: async () => {
        await stage.nodes[0]!.stop('SIGKILL');
        await stage.goOn(10);
        await stage.startNode(0);
      },
    });
    await stage.informed();
    await stage.farewell();
  });

  it('F02 a node is killed before it can acknowledge: what is tried again elsewhere comes once', async () => {
    const stage = await startStage({ proxied: true });
    await stage.run({
      name: 'F02',
      inject: async () => {
        // Redis carries out what node 0 asks, and node 0 does not hear of it.
        stage.proxies[0]!.mute('commands');
        await until(() => unacknowledged(stage.ledger) >= 5);
        await stage.nodes[0]!.stop('SIGKILL');
        await stage.startNode(0);
      },
    });
    const retried = stage.ledger.sent.filter(
      ({ attempts, outcome }) => attempts > 1 && outcome.kind === 'ok',
    );
    expect(retried.length).toBeGreaterThanOrEqual(5);
    await stage.informed();
    if (full) await stage.farewell();
  });

  it('F03 a node is killed: whoever was on it has left, and everybody is told once', async () => {
    const stage = await startStage();
    const dead = stage.subscribers.filter((one) => one.node() === 0).map((one) => one.id());
    const witnesses = stage.subscribers.filter((one) => one.node() !== 0);
    const departed = departures(stage, witnesses, dead);
    const expected = () => undisturbed(stage.ledger, departed);
    const told = () => undisturbed(stage.ledger, leaves(stage.ledger, witnesses, dead));
    await stage.run({
      name: 'F03',
      publishOn: [1, 2],
      inject: async () => {
        await stage.nodes[0]!.stop('SIGKILL');
        const killed = performance.now();
        const asked = stage.nodes.slice(1);
        const sinceThen = async (name: string, condition: () => boolean | Promise<boolean>) => {
          await until(condition, { deadline: 60_000, message: name });
          stage.figure(name, performance.now() - killed);
        };
        await Promise.all([
          sinceThen('presence_gone', () => every(asked, (node) => lacks(stage, node, dead))),
          sinceThen('info_right', () => every(asked, async (node) => (await nodesOf(node)) === 2)),
          sinceThen('leaves', () => told().length >= expected().length),
          askForChannels(stage, asked),
        ]);
        await stage.startNode(0);
      },
    });
    expect(told()).toEqual(expected());
    await stage.informed();
    if (full) await stage.farewell();
  });

  it.each(full ? [3, 8, 20, 90] : [3])('F04 a node stands still for %i s and goes on', async (seconds) => {
    const stage = await startStage();
    const others = stage.subscribers.filter((one) => one.node() !== 0).map(({ name }) => name);
    await stage.run({
      name: `F04-${seconds}`,
      inject: async () => {
        process.kill(stage.nodes[0]!.pid, 'SIGSTOP');
        await delay(seconds * 1000);
        process.kill(stage.nodes[0]!.pid, 'SIGCONT');
      },
    });
    const closed = stage.ledger.seen.filter((event) => event.kind === 'closed');
    expect(closed.filter(({ subscriber }) => others.includes(subscriber))).toEqual([]);
    await stage.informed();
    if (full) await stage.farewell();
  });

  it('F05 every node is restarted in turn', async () => {
    const drain = full ? 10 : 2;
    const stage = await startStage({
      subscribers: full ? 300 : 60,
      config: { shutdown: { drain_time: `${drain}s` } },
    });
    const began = performance.now();
    let slowest = 0;
    await stage.run({
      name: 'F05',
      inject: async () => {
        for (const index of stage.nodes.keys()) {
          const told = performance.now();
          expect(await stage.nodes[index]!.stop()).toEqual({ code: 0, signal: null });
          slowest = Math.max(slowest, performance.now() - told);
          await stage.startNode(index);
        }
        stage.figure('slowest_exit', slowest);
        stage.figure('peak_reconnects', peakConnects(stage.ledger, began));
      },
    });
    await stage.informed();
    if (full) await stage.farewell();
  });

  it('F53 clocks are wrong by minutes, and one jumps by an hour', async () => {
    const skew = [0, 120_000, -120_000];
    const preload = pathToFileURL(join(import.meta.dirname, 'skewed-clock.ts')).href;
    const stage = await startStage({
      node: (index) => ({
        env: { NODE_OPTIONS: `--import=${preload}`, CLOCK_SKEW: `${skew[index]}` },
      }),
    });
    await stage.run({
      name: 'F53',
      inject: async () => {
        await stage.goOn(20);
        process.kill(stage.nodes[1]!.pid, 'SIGUSR2');
        await stage.goOn(30);
      },
    });
    // The time of a key, of a stream, is measured by Redis.
    for (const node of stage.nodes) {
      const { channel, id, outcome } = stage.ledger.sent[0]!;
      const again = await api(node, 'publish', { channel, data: { id }, idempotency_key: id });
      expect(again.result).toMatchObject({ duplicate: true, ...position(outcome) });
      const { result } = await api<{ offset: number; publications: object[] }>(node, 'history', {
        channel,
        limit: -1,
      });
      expect(result?.publications).toHaveLength(result!.offset);
    }
    const times = stage.nodes.map((node) => Date.parse(/"time":"([^"]+)"/.exec(node.logs())?.[1] ?? ''));
    expect(times[1]! - times[0]!).toBeGreaterThan(100_000);
    expect(times[2]! - times[0]!).toBeLessThan(-100_000);
    await stage.informed();
    if (full) await stage.farewell();
  });
});

function position(outcome: Outcome): object {
  return outcome.kind === 'ok' ? { offset: outcome.offset, epoch: outcome.epoch } : {};
}

/** Publications that subscribers have got and their publishers know nothing of. */
function unacknowledged({ sent, seen }: Ledger): number {
  const done = new Set(sent.map(({ id }) => id));
  return new Set(seen.flatMap((e) => (e.kind === 'publication' && !done.has(e.id) ? [e.id] : []))).size;
}

async function nodesOf(node: Gyre): Promise<number | undefined> {
  return (await api<{ nodes: object[] }>(node, 'info')).result?.nodes.length;
}

/** Asks for the channels until no node is missing in the answer, and says how long the slowest answer took. */
async function askForChannels(stage: Stage, nodes: readonly Gyre[]): Promise<void> {
  let slowest = 0;
  const complete = async (node: Gyre): Promise<boolean> => {
    const asked = performance.now();
    const { result, text } = await api<{ channels: object; missing_nodes?: string[] }>(node, 'channels');
    slowest = Math.max(slowest, performance.now() - asked);
    if (result === undefined) throw new Error(`channels: ${text}`);
    // Whatever is missing: those of the nodes that live are there.
    expect(Object.keys(result.channels)).toHaveLength(stage.channels.length);
    return result.missing_nodes === undefined;
  };
  await until(() => every(nodes, complete), { deadline: 60_000, message: 'all channels' });
  stage.figure('channels_slowest', slowest);
}
