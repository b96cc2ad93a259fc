import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { seedOfRun } from '../../packages/protocol/src/random.testing.ts';
import type { Report } from './cycles.ts';

const cycles = Number(process.env['SOAK_CYCLES'] ?? 4000);

/** Bytes that the second half of a run may hold more than the first. What is compiled and cached is some of it. */
const growth = 3 * 2 ** 20;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

test(`${cycles} connections with failing hooks leave nothing behind`, { timeout: 1_200_000 }, async () => {
  const seed = seedOfRun();
  console.log(`soak: SEED=${seed}`);
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=source',
    join(import.meta.dirname, 'cycles.ts'),
    String(cycles),
    String(seed),
  ]);
  const { gauges, heap, seconds, errors } = JSON.parse(stdout) as Report;
  const mb = heap.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ');
  console.log(
    `soak: SEED=${seed} ${cycles} cycles in ${seconds.toFixed(1)} s; heap ${mb} MB; failures ${JSON.stringify(errors)}`,
  );
  expect(Object.entries(gauges).filter(([, value]) => value !== 0)).toEqual([]);
  // Otherwise nothing was tried.
  expect(Object.keys(gauges).length).toBeGreaterThan(8);
  expect(errors['command failed']).toBeGreaterThan(0);
  const half = heap.length / 2;
  expect(mean(heap.slice(half))).toBeLessThan(mean(heap.slice(0, half)) + growth);
});
