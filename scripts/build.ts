/**
 * Builds what is deployed: a folder of its own that runs with nothing but Node.js, as `node dist/cli/main.js`. It holds
 * JavaScript instead of the sources, the dependencies at the versions of the lock file, and no development
 * dependencies. `npm run build`, or `node scripts/build.ts --out <folder>`; the folder is made anew.
 *
 * The compiler reads the workspace and writes to a staging folder that looks like it; `pnpm deploy` gathers from there.
 * So no package of the workspace ever has a `dist`, and nothing in development can run an old one.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const pnpm = 'pnpm@10.34.9';
const root = join(import.meta.dirname, '..');

const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist', 'gyre') } } });
const out = resolve(values.out);
const stage = mkdtempSync(join(tmpdir(), 'gyre-build-'));
try {
  compile();
  addAssets();
  gather();
} finally {
  rmSync(stage, { recursive: true });
}
console.log(`Built ${out}: run it with node dist/cli/main.js`);

/** One program for all packages, so each is checked against the sources of the others. */
function compile(): void {
  const compiled = join(stage, 'compiled');
  run(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', compiled], root);
  for (const name of readdirSync(compiled)) {
    mkdirSync(join(stage, 'packages', name), { recursive: true });
    renameSync(join(compiled, name, 'src'), join(stage, 'packages', name, 'dist'));
  }
  rmSync(compiled, { recursive: true });
}

/** What the packages read at run time beside their code, and what pnpm reads. */
function addAssets(): void {
  for (const path of globSync('packages/*/src/**/*.lua', { cwd: root })) {
    copy(path, path.replace('/src/', '/dist/'));
  }
  for (const path of globSync('packages/*/package.json', { cwd: root })) copy(path, path);
  for (const name of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']) copy(name, name);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(join(stage, to)), { recursive: true });
  cpSync(join(root, from), join(stage, to));
}

/**
 * Injected packages make `deploy` obey the lock file; switched on in the workspace itself they would put copies where
 * development needs links. Hoisted: plain folders without links. Copied: files of the result are nobody else's.
 */
function gather(): void {
  rmSync(out, { recursive: true, force: true });
  const how = ['inject-workspace-packages=true', 'node-linker=hoisted', 'package-import-method=copy'];
  const options = [...how.map((setting) => `--config.${setting}`), '--prefer-offline'];
  const args = ['deploy', '--filter=@gyre/server', '--prod', ...options, out];
  run('npm', ['exec', '--yes', pnpm, '--', ...args], stage);
  // Only pnpm has a use for these.
  for (const path of globSync('{pnpm-lock.yaml,node_modules/.*}', { cwd: out })) {
    rmSync(join(out, path), { recursive: true });
  }
}

/** @throws Error where the command fails, after its output */
function run(command: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${basename(command)} ended with ${status}`);
}
