import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { house, type Findings } from './house.ts';

/** A tree with every station and no problem, by path below `packages`. */
const sound: Readonly<Record<string, string>> = {
  'server/src/http/listener.ts': '// road out 1/8: bytes arrive\nexport function listener() {}\n',
  'api/src/http.ts': '// road out 2/8: find the method\nexport async function http() {}\n',
  'api/src/methods/publish.ts': '// road out 3/8: resolve options\nexport const publish = () => {};\n',
  'broker/src/memory/index.ts': "export { publish } from './publish.ts';\n",
  'broker/src/memory/publish.ts': '// road out 4/8: one call\nexport function publish() {}\n',
  'broker/src/memory/stream.ts': '// road out 5/8: one step\n\nexport class Stream {}\n',
  'broker/src/memory/subscribe.ts': '// road out 6/8: back again\nexport function subscribe() {}\n',
  'node/src/hub/fanout.ts': '// road out 7/8: one encode\nexport function fanout() {}\n',
  'node/src/session/outbox.ts': '// road out 8/8: one frame\nexport class Outbox {}\n',
  'node/src/transports/websocket.ts': '// road in 1/5: frames arrive\nexport function websocket() {}\n',
  'node/src/session/session.ts': '// road in 2/5: decode\nexport class Session {}\n',
  'node/src/session/dispatch.ts': '// road in 3/5: by state\nexport function dispatch() {}\n',
  'node/src/session/commands/sub-refresh.ts':
    '// road in 4/5: ask the gate\nexport function subRefresh() {}\n',
  'server/src/gate/subscribe.ts': '// road in 5/5: grant or refusal\nexport function subscribe() {}\n',
};

const engine: Readonly<Record<string, string>> = {
  'broker/src/redis/index.ts': '',
  'broker/src/redis/publish.ts': '// road out 4/8: one script\nexport function publish() {}\n',
  'broker/src/redis/lua/publish_stream.lua': '-- road out 5/8: append and publish\n-- KEYS none\nreturn 1\n',
  'broker/src/redis/subscribe.ts': '// road out 6/8: bytes come back\nexport function subscribe() {}\n',
};

let root: string | undefined;

afterEach(() => {
  if (root !== undefined) rmSync(root, { recursive: true });
  root = undefined;
});

/** Checks the sound tree with some files changed, added, or (null) left out. */
function check(files: Readonly<Record<string, string | null>>): Findings {
  root = mkdtempSync(join(tmpdir(), 'gyre-house-'));
  for (const [path, text] of Object.entries({ ...sound, ...files })) {
    if (text === null) continue;
    const file = join(root, 'packages', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return house(root);
}

test('a sound tree has no problem, and its roads are printed in the order of travel', () => {
  const { report, problems, warnings } = check(engine);
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  const travelled = report.split('\n').flatMap((line) => /^ {2}\d {2}(\S+)/.exec(line)?.[1] ?? []);
  expect(travelled).toEqual([
    'server/http/listener.ts',
    'api/http.ts',
    'api/methods/publish.ts',
    'broker/memory/publish.ts',
    'broker/memory/stream.ts',
    'broker/memory/subscribe.ts',
    'broker/redis/publish.ts',
    'broker/redis/lua/publish_stream.lua',
    'broker/redis/subscribe.ts',
    'node/hub/fanout.ts',
    'node/session/outbox.ts',
    'node/transports/websocket.ts',
    'node/session/session.ts',
    'node/session/dispatch.ts',
    'node/session/commands/sub-refresh.ts',
    'server/gate/subscribe.ts',
  ]);
});

const uws = "import { App } from 'uWebSockets.js';\n";

const broken: readonly (readonly [what: string, files: Record<string, string | null>, problem: string])[] = [
  ['a missing station', { 'node/src/hub/fanout.ts': null }, 'road out 7 is missing'],
  [
    'a doubled station',
    { 'node/src/hub/again.ts': '// road out 7/8: once more\nexport function again() {}\n' },
    'road out 7 is doubled: packages/node/src/hub/again.ts, packages/node/src/hub/fanout.ts',
  ],
  [
    'a marker below the head of its file',
    { 'node/src/hub/fanout.ts': 'export function fanout() {}\n// road out 7/8: one encode\n' },
    'road out 7 is missing',
  ],
  ['an engine without a station', { 'broker/src/redis/index.ts': '' }, 'road out 5 of redis is missing'],
  [
    "an engine's station outside an engine",
    { 'api/src/stray.ts': '// road out 5/8: here?\nexport function stray() {}\n' },
    'packages/api/src/stray.ts: there is no road out 5 here',
  ],
  [
    'a station that the road does not have',
    { 'api/src/stray.ts': '// road in 6/5: here?\nexport function stray() {}\n' },
    'packages/api/src/stray.ts: there is no road in 6 here',
  ],
  [
    'a station called other than its function',
    { 'api/src/http.ts': '// road out 2/8: find the method\nexport function handle() {}\n' },
    'packages/api/src/http.ts: exports no http, and is a station',
  ],
  [
    'an import against the arrows',
    { 'api/src/a.ts': "import type { Gate } from '@gyre/node';\n" },
    'packages/api/src/a.ts: imports @gyre/node: api may not import node',
  ],
  [
    'a path into another package',
    { 'api/src/a.ts': "export * from '../../node/src/gate.ts';\n" },
    'packages/api/src/a.ts: imports packages/node/src/gate.ts: reaches into another package',
  ],
  [
    'a protocol that imports something',
    { 'protocol/src/a.ts': "import { Buffer } from 'node:buffer';\n" },
    'packages/protocol/src/a.ts: imports node:buffer: protocol imports nothing',
  ],
  [
    'an adapter named outside server',
    { 'node/src/a.ts': "const broker = await import('@gyre/broker/memory');\n" },
    'packages/node/src/a.ts: imports @gyre/broker/memory: only server and tests name it',
  ],
  [
    'a contract named outside tests',
    { 'server/src/http/a.ts': "import { brokerContract } from '@gyre/broker/contract';\n" },
    'packages/server/src/http/a.ts: imports @gyre/broker/contract: only tests name it',
  ],
  [
    'siblings that meet',
    { 'server/src/gate/a.ts': "import { verify } from '../auth/jwt.ts';\n" },
    'packages/server/src/gate/a.ts: imports its sibling auth',
  ],
  [
    'a folder that imports the composition',
    { 'server/src/gate/a.ts': "import { compose } from '../compose.ts';\n" },
    'packages/server/src/gate/a.ts: imports its sibling compose.ts',
  ],
  [
    'siblings that meet in another file than compose.ts',
    { 'server/src/glue.ts': "import './auth/jwt.ts';\nimport './gate/subscribe.ts';\n" },
    'packages/server/src/glue.ts: joins auth and gate: only compose.ts does',
  ],
  [
    'uWebSockets.js outside its rooms',
    { 'node/src/hub/a.ts': uws },
    'packages/node/src/hub/a.ts: imports uWebSockets.js: only node/transports and server/http',
  ],
  [
    'a second reader of the environment',
    { 'server/src/auth/a.ts': '\nconst secret = process.env["SECRET"];\n' },
    'packages/server/src/auth/a.ts:2: reads the environment: only config/load.ts does',
  ],
];

test.each(broken)('%s is a problem', (_, files, problem) => {
  expect(check(files).problems).toContain(problem);
});

test('what the rules allow is no problem', () => {
  const { problems } = check({
    'broker/src/contract.ts': "import { test } from 'vitest';\n",
    'broker/src/memory/memory.test.ts': "import { brokerContract } from '../contract.ts';\n",
    'node/src/node.test.ts': "import { memoryBroker } from '@gyre/broker/memory';\n",
    'node/src/transports/a.ts': uws,
    'protocol/src/a.test.ts': "import { readFileSync } from 'node:fs';\n",
    'protocol/src/b.ts':
      "import './a.ts';\n// import { x } from 'node:fs';\n/**\n * reads process.env\n */\n",
    'server/src/compose.ts':
      "import './gate/subscribe.ts';\nimport './auth/jwt.ts';\nimport '@gyre/broker/memory';\n",
    'server/src/cli/main.ts':
      "import { compose } from '../compose.ts';\nimport '../config/load.ts';\nload(process.env);\n",
    'server/src/config/load.ts': 'export const load = () => process.env;\n',
    'server/src/http/a.ts': `${uws}process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = '65536';\n`,
    'server/src/auth/jwt.ts': "import type { Log } from '../log.ts';\n",
  });
  expect(problems).toEqual([]);
});

test('files over 400 lines and functions over 80 are warned of, tests and generated code are not', () => {
  const long = (lines: number) => '  step();\n'.repeat(lines);
  const fn = (name: string, lines: number) =>
    `export function ${name}(\n  a: number,\n): void {\n  if (a) {\n    stop();\n  }\n${long(lines - 7)}}\n\n`;
  const { warnings } = check({
    'node/src/a.ts': fn('small', 80) + fn('big', 81),
    'node/src/b.ts': `const many = {\n${long(399)}};\n`,
    'node/src/c.test.ts': long(500),
    'protocol/src/gen/codes.ts': long(500),
  });
  expect(warnings).toEqual([
    'packages/node/src/b.ts: 401 lines, more than 400',
    'packages/node/src/a.ts:82 big: 81 lines, more than 80',
  ]);
});

test('the share of comments leaves blank lines out', () => {
  const { report } = check({
    ...Object.fromEntries(Object.keys(sound).map((path) => [path, null])),
    'api/src/a.ts': '// why\n\na();\nb();\nc();\n',
  });
  expect(report).toContain('comments 25 %');
});
