import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { api, teardown, until, type Gyre } from '../harness/index.ts';
import { metrics } from '../harness/metrics.ts';
import { Member, newTally, type Tally } from './crowd.ts';
import { latencies, quantile } from './figures.ts';
import { departures, every, lacks, leaves, undisturbed } from './memberships.ts';
import { full } from './seed.ts';
import { startSilencer } from './silencer.ts';
import { startStage, type Stage } from './stage.ts';

describe('clients', { timeout: 300_000 }, () => {
  it('F34 clients fall silent without an end: they are dropped, and everybody is told once', async () => {
    const stage = await startStage({
      subscribers: 45,
      config: { client: { ping_interval: '4s', pong_timeout: '3s' } },
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
    const departed = departures(stage, witnesses, silent);
    const expected = () => undisturbed(stage.ledger, departed);
    const told = () => undisturbed(stage.ledger, leaves(stage.ledger, witnesses, silent));
    await stage.run({
      name: 'F34',
      inject: async () => {
        for (const silencer of silencers) silencer.silence();
        const began = performance.now();
        const gone = () => every(stage.nodes, (node) => lacks(stage, node, silent));
        await until(gone, { deadline: 60_000 });
        stage.figure('presence_gone', performance.now() - began);
        await until(() => told().length >= expected().length, { deadline: 60_000 });
        stage.figure('leaves', performance.now() - began);
      },
    });
    expect(told()).toEqual(expected());
    expect(await closedWith(stage, 3012)).toBeGreaterThanOrEqual(silent.length);
    await stage.informed();
    if (full) await stage.farewell();
  });

  it('F40 readers that do not read, or too slowly, cost only themselves and miss nothing', async () => {
    const stage = await startStage({
      subscribers: 30,
      rate: 40,
      // Who does not read answers no ping either, and takes nothing for a while: it is to end by its queue alone.
      config: {
        client: { ping_interval: '120s', pong_timeout: '60s' },
        websocket: { write_timeout: '20s' },
      },
    });
    const tally = newTally();
    const slow = crowd(tally, full ? 100 : 20, () => ['bulk']);
    await stage.run({
      name: 'F40',
      inject: async () => {
        for (const [n, member] of slow.entries()) {
          member.connect(
            () => stage.nodes[n % 3]!.port,
            () => 200,
          );
        }
        await have(slow, 0, tally);
        const before = await residentMemory(stage);
        const paused = performance.now();
        for (const [n, member] of slow.entries()) {
          if (n % 4 === 0) member.trickle(400);
          else member.pause();
        }
        let published = 0;
        let most = 0;
        const closedThem = async (): Promise<boolean> => {
          for (let i = 0; i < 10; i++) {
            const data = { n: ++published, text: 'x'.repeat(60_000) };
            expect((await api(stage.nodes[0]!, 'publish', { channel: 'bulk', data })).error).toBeUndefined();
            await delay(20);
          }
          most = Math.max(most, await residentMemory(stage));
          return (await closedWith(stage, 3008)) >= slow.length;
        };
        await until(closedThem, { deadline: 120_000, message: 'the end of all slow readers' });
        const closed = performance.now();
        stage.figure('closed_after_kb', published * 60);
        stage.figure('memory_kb', (most - before) / 1024);
        stage.figure('others_p99_before', quantile(latencies(stage.ledger, 0, paused), 0.99));
        stage.figure('others_p99', quantile(latencies(stage.ledger, paused, closed), 0.99));
        const back = performance.now();
        for (const member of slow) member.resume();
        await have(slow, published, tally);
        stage.figure('caught_up', performance.now() - back);
        dismiss(slow);
      },
    });
    expect(tally).toMatchObject({ told: 0, problems: [] });
    await stage.informed();
    if (full) await stage.farewell();
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
        let open = [0];
        for (const member of members) {
          member.connect(
            () => (open.length === 0 ? undefined : stage.nodes[stage.random.pick(open)]!.port),
            () => stage.random.int(1000),
          );
        }
        await have(members, 0, tally);
        await broadcast(stage.nodes[1]!, ['storm', ...own], 1);
        await have(members, 1, tally);
        open = [];
        await stage.nodes[0]!.stop('SIGKILL');
        await until(() => members.every((member) => !member.connected));
        for (let n = 0; n < missed; n++) await broadcast(stage.nodes[1]!, ['storm', ...own], n + 2);
        const before = await historyReads(stage);
        const began = performance.now();
        open = [1, 2];
        await have(members, missed + 1, tally);
        stage.figure('all_back', performance.now() - began);
        const reads = (await historyReads(stage)) - before;
        stage.figure('history_reads', reads);
        stage.figure('refused', tally.refused);
        // One for each channel on each node, and those that had to be made again.
        const channels = 1 + own.length + stage.channels.length;
        expect(reads).toBeLessThanOrEqual(channels * 2 + tally.refused);
        dismiss(members);
        await stage.startNode(0);
      },
    });
    expect(tally).toMatchObject({ told: 0, problems: [], recovered: size * 2 * missed });
    await stage.informed();
    if (full) await stage.farewell();
  });
});

function crowd(tally: Tally, size: number, channels: (index: number) => readonly string[]): Member[] {
  const members = Array.from({ length: size }, (_, n) => new Member(tally, channels(n)));
  teardown(async () => dismiss(members));
  return members;
}

function dismiss(members: readonly Member[]): void {
  for (const member of members) member.destroy();
}

/** Waits until all of them have everything up to this offset. */
async function have(members: readonly Member[], offset: number, tally: Tally): Promise<void> {
  const lacking = () => members.filter((member) => !member.has(offset)).length;
  const away = () => members.filter((member) => !member.connected).length;
  await until(() => lacking() === 0, {
    deadline: 120_000,
    message: () =>
      `${lacking()} of ${members.length} have not got to ${offset}, ${away()} are away; ${JSON.stringify(tally)}`,
  });
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

/** Connections that the nodes ended with this code. */
async function closedWith({ nodes }: Stage, code: number): Promise<number> {
  return sum(nodes, (values) => values.get(`gyre_client_num_server_disconnects{code="${code}"}`));
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
