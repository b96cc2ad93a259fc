import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { api, gyre } from '../harness/index.ts';

/** The page for newcomers. Development mode has a fixed port: this server only has its channel options. */

const page = readFileSync(new URL('../../docs/server-api.md', import.meta.url), 'utf8');
const examples = [
  ...page.matchAll(/^curl -X POST http:\/\/127\.0\.0\.1:8000\/api\/(\w+) -H "X-API-Key: \$KEY" -d '(.*)'$/gm),
];

it('every example of docs/server-api.md works', async () => {
  const without_namespace = { presence: true, history_size: 100, history_ttl: '300s' };
  const server = await gyre.start({ config: { channel: { without_namespace } } });
  for (const [, method = '', params = ''] of examples) {
    const { status, text } = await api(server, method, params);
    expect(
      [status, method === 'rpc' ? text.includes('"code":104') : !text.includes('"error"')],
      text,
    ).toEqual([200, true]);
  }
  const shown = new Set(examples.map(([, method]) => method));
  const headings = [...page.matchAll(/^### ([a-z_]+)$/gm)].map(([, name]) => name);
  expect(headings).toHaveLength(14);
  expect(headings.filter((name) => !shown.has(name))).toEqual([]);
});
