/**
 * Runs every check and test, goes on after one that fails, and ends with one line: `N passed, N failed`, where N counts
 * the checks and the single tests. With `fast`: the checks and the unit tests beside the sources, none of which needs a
 * Redis. With `redis`: only the tests that need one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { howToGetOne } from '../packages/redis/src/program.testing.ts';

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

/** The part of vitest's JSON report that is counted. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { status: string }[];
  }[];
}

/** Milliseconds after which a step that hangs is ended, and has failed. */
const patience = 30 * 60_000;

const root = join(import.meta.dirname, '..');
const [mode = 'all'] = parseArgs({ allowPositionals: true }).positionals;

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['format', 'node_modules/.bin/prettier', '--check', '.'],
  ['lint', 'node_modules/.bin/oxlint', '--type-aware', '--deny-warnings'],
  ['types', 'node_modules/.bin/tsc', '-p', '.'],
  ...globSync('scripts/gen-*.ts', { cwd: root })
    .sort()
    .map((path) => [basename(path, '.ts'), process.execPath, path, '--check'] as const),
  ['house', process.execPath, 'scripts/house.ts'],
  ['spec', process.execPath, 'scripts/spec.ts'],
];

let running: ChildProcess | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    running?.kill(signal);
    process.exit(1);
  });
}

/**
 * Runs a command with its output shown. Gives its exit code, 1 where it ended otherwise or did not start.
 * @param env more of its environment
 */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve) => {
    running = spawn(command, args, {
      cwd: root,
      stdio: 'inherit',
      timeout: patience,
      env: { ...process.env, ...env },
    });
    running.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    running.on('exit', (code) => resolve(code ?? 1));
  });
}

async function check(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  console.log(`\n== ${name}`);
  const started = performance.now();
  const ok = (await run(command, args)) === 0;
  return { name, passed: Number(ok), failed: Number(!ok), seconds: (performance.now() - started) / 1000 };
}

/**
 * Whatever vitest says is wrong beside its failed tests (a file that does not load, a crash, no tests) is one failure more.
 * @param files parts of the paths of the files to run; none: all of them
 * @param redis those that need a Redis too
 */
async function tests(files: readonly string[], redis: boolean): Promise<Outcome> {
  console.log('\n== tests');
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'gyre-tests-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...files];
  const code = await run(process.execPath, args, { REDIS_TESTS: redis ? '1' : '0' });
  const { passed, failed } = count(file);
  rmSync(folder, { recursive: true });
  const unsaid = failed === 0 && (code !== 0 || passed === 0);
  return {
    name: 'tests',
    passed,
    failed: failed + Number(unsaid),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Counts a report; a file that failed without a failed test counts as one. No report: nothing passed, nothing failed. */
function count(file: string): { passed: number; failed: number } {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch (error) {
    console.error(`vitest left no report: ${String(error)}`);
    return { passed: 0, failed: 0 };
  }
  const broken = report.testResults.filter(
    (suite) => suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed'),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

const outcomes: Outcome[] = [];
if (mode !== 'redis') {
  for (const [name, command, ...args] of checks) outcomes.push(await check(name, command, args));
}
let redis = false;
if (mode !== 'fast') {
  const outcome = await check('redis', process.execPath, ['scripts/redis.ts']);
  redis = outcome.failed === 0;
  outcomes.push(outcome);
}
if (mode === 'fast') outcomes.push(await tests(['packages/', 'scripts/'], false));
else if (mode === 'all') outcomes.push(await tests([], redis));
else if (redis) outcomes.push(await tests(['.redis.test.ts'], true));

console.log('');
for (const { name, passed, failed, seconds } of outcomes) {
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s  ${passed} passed, ${failed} failed`,
  );
}
if (mode !== 'fast' && !redis) console.log(`\nNot run: what needs a Redis. ${howToGetOne}`);
const total = (key: 'passed' | 'failed') => outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
process.exitCode = total('failed') === 0 ? 0 : 1;
console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
