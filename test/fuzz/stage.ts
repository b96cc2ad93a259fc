import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { randomFrom, seedOfRun, type Random } from '../../packages/protocol/src/random.testing.ts';
import { api, gyre, until, within, type Gyre } from '../harness/index.ts';
import { inspectable, memoryOf, memoryWithin } from '../harness/memory.ts';
import { metrics } from '../harness/metrics.ts';
import { canary } from './canary.ts';
import { channels } from './names.ts';

/** Seconds that each target is fuzzed for: short enough that all of them together take less than a minute. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 12);

/** Longest time that a test of a target may take, in milliseconds. */
export const testTimeout = seconds * 1000 + 150_000;

/** Cases under way at a time. */
const lanes = 8;

/** Milliseconds in which a case has to be over. For hangs only. */
const patience = 20_000;

/** Event loop stalls longer than this are counted, in seconds. */
const stall = 0.05;

/** A stall that no noisy machine makes. */
const longestStall = 3;

/** What a server may hold more than at the beginning, once its garbage is collected. */
const growth = { rss: 250 * 2 ** 20, held: 24 * 2 ** 20 } as const;

const open = {
  presence: true,
  join_leave: true,
  force_push_join_leave: true,
  history_size: 20,
  // Short, so that what a case leaves in a channel is gone with it.
  history_ttl: '1s',
  history_meta_ttl: '2s',
  allow_positioning: true,
  allow_recovery: true,
  allowed_delta_types: ['fossil'],
  allow_tags_filter: true,
  allow_user_limited_channels: true,
  ...Object.fromEntries(
    ['subscribe', 'publish', 'presence', 'history'].flatMap((what) => [
      [`allow_${what}_for_client`, true],
      [`allow_${what}_for_anonymous`, true],
    ]),
  ),
};

/** One of everything that a client may meet. */
const config = {
  prometheus: { enabled: true },
  http_api: { max_request_size: 200_000 },
  rpc: { ping: { enabled: true } },
  client: { allow_anonymous_connect_without_token: true, allowed_origins: ['https://app.example'] },
  channel: {
    without_namespace: open,
    namespaces: [
      { name: 'canary', allow_subscribe_for_client: true },
      { name: 'closed' },
      {
        ...open,
        name: 'cache',
        force_recovery: true,
        force_recovery_mode: 'cache',
        auto_cache_recover: true,
      },
      { ...open, name: 'delta', force_positioning: true, delta_publish: true },
      { ...open, name: 'json', publication_data_format: 'json_object' },
      { ...open, name: 'regex', channel_regex: '^[a-z\u0430-\u044f]{1,20}$' },
    ],
  },
};

/** What a case is given. */
export interface Case {
  readonly server: Gyre;
  /** Its own: the same for the same seed and number. */
  readonly random: Random;
}

/**
 * Runs cases against a real server for as long as the budget lasts, and checks that it lives, that others are served
 * as if nothing were, and that nothing is left of the cases at the end.
 * @param target for the report
 * @param attack runs one case; what it throws is a finding
 * @returns how many cases there were
 */
export async function fuzz(target: string, attack: (one: Case) => Promise<void>): Promise<number> {
  const seed = seedOfRun();
  const first = Number(process.env['CASE'] ?? 0);
  console.log(`fuzz ${target}: SEED=${seed} CASE=${first}`);
  const server = await gyre.start({ config, env: inspectable });
  const bird = await canary(server);
  const watched = watch(server);
  const cases = runner(server, attack, `fuzz ${target}: SEED=${seed}`, seed, first);
  const begun = performance.now();
  // What is compiled and cached in the first third is not growth.
  await cases.run(begun + seconds * 333);
  await alone(server);
  const before = await memoryOf(server);
  await cases.run(begun + seconds * 1000);
  const took = (performance.now() - begun) / 1000;

  const loop = await watched.stop();
  const seen = await bird.verify();
  await alone(server);
  checkLog(server.logs());
  const after = await memoryWithin(server, {
    rss: before.rss + growth.rss,
    held: before.heapUsed + before.external + growth.held,
  });
  const mb = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
  console.log(
    `fuzz ${target}: SEED=${seed} ${cases.count()} cases, ${Math.round(cases.count() / took)}/s; ` +
      `canary ${seen.publications} publications, median ${seen.medianMs.toFixed(1)} ms, slowest ${Math.round(seen.slowestMs)} ms; ` +
      `loop stalls over 50 ms in ${loop.stalls} of ${loop.samples} samples, longest ${Math.round(loop.longest * 1000)} ms; ` +
      `rss ${mb(before.rss)} -> ${mb(after.rss)}, heap ${mb(before.heapUsed)} -> ${mb(after.heapUsed)}, ` +
      `outside ${mb(before.external)} -> ${mb(after.external)}`,
  );
  expect(loop.longest).toBeLessThan(longestStall);
  return cases.count();
}

/** Runs one case after the other in several lanes; a case that fails is told by its number. */
function runner(
  server: Gyre,
  attack: (one: Case) => Promise<void>,
  name: string,
  seed: number,
  first: number,
): { run(end: number): Promise<unknown>; count(): number } {
  let next = first;
  const lane = async (end: number): Promise<void> => {
    while (performance.now() < end) {
      const n = next++;
      const random = randomFrom(randomFrom(seed + n).int(2 ** 32));
      try {
        await within(attack({ server, random }), patience, 'the end of a case');
        if (server.endedByItself()) throw new Error('the server ended, in this case or one shortly before');
      } catch (cause) {
        const log = server.logs().slice(-5000);
        throw new Error(`${name} CASE=${n}: ${String(cause)}\nthe end of the log:\n${log}`, { cause });
      }
    }
  };
  return {
    run: (end) => Promise.all(Array.from({ length: lanes }, () => lane(end))),
    count: () => next - first,
  };
}

/** Waits until the canary is the only one left: every gauge shows its own one, and no channel holds a ghost. */
async function alone(server: Gyre): Promise<void> {
  let wrong: unknown;
  await until(
    async () => {
      const all = await metrics(server);
      const gauges = ['clients', 'users', 'channels', 'subscriptions', 'connections'].map(
        (name) => [name, all.get(`gyre_node_num_${name}`)] as const,
      );
      wrong = gauges.filter(([, value]) => value !== 1);
      return (wrong as unknown[]).length === 0;
    },
    // A connection that vanished without a word is found out by its stale timer, 10 s.
    { deadline: 20_000, message: () => `gauges of a lone canary; not so: ${JSON.stringify(wrong)}` },
  );
  for (const channel of channels) {
    const { result } = await api<{ num_clients: number }>(server, 'presence_stats', { channel });
    // A channel without presence, or of no namespace, has no result.
    expect(result?.num_clients ?? 0, `members of ${channel}`).toBe(0);
  }
}

/** Looks twice a second how long the server's event loop was held at most since the last time. */
function watch(server: Gyre) {
  const ending = new AbortController();
  const longest: number[] = [];
  const look = async (): Promise<void> => {
    const lag = (await metrics(server)).get('gyre_nodejs_eventloop_lag_max_seconds');
    if (lag !== undefined) longest.push(lag);
  };
  const watching = (async () => {
    // The first look is about the start of the server.
    await look();
    longest.pop();
    while (!ending.signal.aborted) {
      await delay(500, undefined, { signal: ending.signal }).catch(() => {});
      await look();
    }
  })();
  watching.catch(() => {});
  return {
    async stop() {
      ending.abort();
      await watching;
      return {
        samples: longest.length,
        stalls: longest.filter((lag) => lag > stall).length,
        longest: Math.max(0, ...longest),
      };
    },
  };
}

/** The inspector of {@link memoryOf} writes these. */
const inspector = /^(Debugger |For help, see: )/;

/** Every line of the log is one of the logger's, and none tells of an error: nothing that a peer does is one. */
export function checkLog(log: string): void {
  const lines = log.split('\n').filter((line) => line !== '' && !inspector.test(line));
  const bad = lines.filter((line) => {
    try {
      const { level } = JSON.parse(line) as { level?: unknown };
      return level !== 'info' && level !== 'warn';
    } catch {
      return true;
    }
  });
  expect(bad.slice(0, 20)).toEqual([]);
}
