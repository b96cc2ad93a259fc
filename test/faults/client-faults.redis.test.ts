import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { api, teardown, until, type Gyre } from '../harness/index.ts';
import { metrics } from '../harness/metrics.ts';
import { Member, newTally, type Tally } from './crowd.ts';
import { departures, every, lacks, leaves } from './memberships.ts';
import { full } from './seed.ts';
import { startSilencer } from './silencer.ts';
import { startStage, type Stage } from './stage.ts';

describe('clients', { timeout: 300_000 }, () => {
  it('F34 clients fall silent without an end: they are dropped, and everybody is told once', async () => {
    const stage = await startStage({
      subscribers: 45,
      config: { client: { ping_interval: '2s', pong_timeout: '1s' } },
    });
    const witnesses = stage.subscribers.slice();
    const silencers = await Promise.all(stage.nodes.map(({ port }) => startSilencer(port)));
    await stage.subscribe(15, () =>
      silencers.map(({ port }, n) => ({
        ...stage.nodes[n]!,
        wsUrl: `ws://127.0.0.1:${port}/connection/websocket`,
      })),
    );
    const silent = stage.subscribers.slice(witnesses.length).map((one) => one.id());
    const expected = departures(stage, witnesses, silent);
    const told = () => leaves(stage.ledger, witnesses, silent);
    await stage.run({
      name: 'F34',
      inject: async () => {
        for (const silencer of silencers) silencer.silence();
        const began = performance.now();
        const gone = () => every(stage.nodes, (node) => lacks(stage, node, silent));
        await until(gone, { deadline: 60_000 });
        stage.figure('presence_gone', performance.now() - began);
        await until(() => told().length >= expected.length, { deadline: 60_000 });
        stage.figure('leaves', performance.now() - began);
      },
    });
    expect(told().toSorted()).toEqual(expected.toSorted());
  });

  it('F40 readers that do not read cost only themselves, and miss nothing', async () => {
    const stage = await startStage({ subscribers: 30, rate: 40 });
    const tally = newTally();
    const slow = crowd(tally, full ? 100 : 20, () => ['bulk']);
    await stage.run({
      name: 'F40',
      inject: async () => {
        for (const [n, member] of slow.entries()) member.connect(stage.nodes[n % 3]!.port);
        await until(() => slow.every((member) => member.has(0)));
        const before = await residentMemory(stage);
        for (const member of slow) member.pause();
        let published = 0;
        let most = 0;
        while ((await closedAsSlow(stage)) < slow.length) {
          for (let i = 0; i < 20; i++) {
            const data = { n: ++published, text: 'x'.repeat(20_000) };
            expect((await api(stage.nodes[0]!, 'publish', { channel: 'bulk', data })).error).toBeUndefined();
          }
          most = Math.max(most, await residentMemory(stage));
        }
        stage.figure('closed_after_kb', published * 20);
        stage.figure('memory_kb', (most - before) / 1024);
        for (const [n, member] of slow.entries()) {
          member.onGone(() => member.connect(stage.nodes[n % 3]!.port));
          if (member.connected) member.resume();
          else member.connect(stage.nodes[n % 3]!.port);
        }
        const back = performance.now();
        await until(() => slow.every((member) => member.has(published)), { deadline: 60_000 });
        stage.figure('caught_up', performance.now() - back);
        dismiss(slow);
      },
    });
    expect(tally).toMatchObject({ told: 0, problems: [] });
  });

  it('F48 a storm: thousands lose their node, come back at once, and have missed a hundred publications', async () => {
    const size = full ? 5000 : 1500;
    const missed = 100;
    const own = Array.from({ length: 200 }, (_, n) => `storm${n}`);
    const stage = await startStage({ subscribers: 9, rate: 20 });
    const tally = newTally();
    const members = crowd(tally, size, (n) => ['storm', own[n % own.length]!]);
    await stage.run({
      name: 'F48',
      publishOn: [1, 2],
      inject: async () => {
        await arrive(stage, members, [0]);
        await until(() => members.every((member) => member.has(0)), { deadline: 60_000 });
        await broadcast(stage.nodes[1]!, ['storm', ...own], 1);
        await until(() => members.every((member) => member.has(1)), { deadline: 60_000 });
        await stage.nodes[0]!.stop('SIGKILL');
        await until(() => members.every((member) => !member.connected));
        for (let n = 0; n < missed; n++) await broadcast(stage.nodes[1]!, ['storm', ...own], n + 2);
        const before = await historyReads(stage);
        const began = performance.now();
        await arrive(stage, members, [1, 2]);
        await until(() => members.every((member) => member.has(missed + 1)), { deadline: 120_000 });
        stage.figure('all_back', performance.now() - began);
        stage.figure('history_reads', (await historyReads(stage)) - before);
        dismiss(members);
        await stage.startNode(0);
      },
    });
    expect(tally).toMatchObject({ told: 0, problems: [], recovered: size * 2 * missed });
  });
});

function crowd(tally: Tally, size: number, channels: (index: number) => readonly string[]): Member[] {
  const members = Array.from({ length: size }, (_, n) => new Member(tally, channels(n)));
  teardown(async () => dismiss(members));
  return members;
}

function dismiss(members: readonly Member[]): void {
  for (const member of members) {
    member.onGone(() => {});
    member.destroy();
  }
}

/** All connect within a second, each at a random time to a random one of these nodes. */
async function arrive(stage: Stage, members: readonly Member[], nodes: readonly number[]): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      const node = stage.nodes[stage.random.pick(nodes)]!;
      await delay(stage.random.int(1000));
      member.connect(node.port);
    }),
  );
}

async function broadcast(node: Gyre, channels: readonly string[], n: number): Promise<void> {
  const { result } = await api<{ responses: { error?: object }[] }>(node, 'broadcast', {
    channels,
    data: { n },
  });
  expect(result?.responses.filter(({ error }) => error !== undefined)).toEqual([]);
}

/** Reads of streams that Redis has carried out. */
async function historyReads({ redis }: Stage): Promise<number> {
  const stats = await redis.admin.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_x(?:rev)?range:calls=(\d+)/g)].map(([, count]) => Number(count));
  return calls.reduce((all, count) => all + count, 0);
}

/** Connections that the nodes ended because their queue was full. */
async function closedAsSlow({ nodes }: Stage): Promise<number> {
  return sum(nodes, (values) => values.get('gyre_client_num_server_disconnects{code="3008"}'));
}

/** Bytes, of all nodes. */
async function residentMemory({ nodes }: Stage): Promise<number> {
  return sum(nodes, (values) => values.get('gyre_process_resident_memory_bytes'));
}

async function sum(
  nodes: readonly Gyre[],
  pick: (values: ReadonlyMap<string, number>) => number | undefined,
): Promise<number> {
  const all = await Promise.all(nodes.map(async (node) => pick(await metrics(node)) ?? 0));
  return all.reduce((total, one) => total + one, 0);
}
