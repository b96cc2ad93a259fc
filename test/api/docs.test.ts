import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { api, gyre } from '../harness/index.ts';

/** The page for newcomers against a server as `npm start` runs it. */

const page = readFileSync(new URL('../../docs/server-api.md', import.meta.url), 'utf8');
const examples = [
  ...page.matchAll(/^curl -X POST http:\/\/127\.0\.0\.1:8000\/api\/(\w+) -H "X-API-Key: \$KEY" -d '(.*)'$/gm),
];

it('every example of docs/server-api.md works', async () => {
  const server = await gyre.start({ config: false, args: [] });
  const apiKey = /API key\s+(\S+)/.exec(server.logs())?.[1] ?? '';
  for (const [, method = '', params = ''] of examples) {
    const { status, text } = await api({ ...server, apiKey }, method, params);
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
