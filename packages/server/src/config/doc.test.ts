import { describe, expect, test } from 'vitest';
import { configDoc, defaultConfig, defaultEnv, helpText, jsonSchema } from './doc.ts';
import { formatDuration } from './duration.ts';
import type { Leaf, Section } from './option.ts';
import { schema } from './schema.ts';
import { scopeOf, type TableRow } from './table.ts';
import { load } from './testing.ts';
import { readValue, Unfit } from './value.ts';

/** Every row of the table, those within items too. */
function allRows(section: Section): TableRow[] {
  return [...scopeOf(section).rows.values()].flatMap((row) =>
    row.leaf.type === 'objects' ? [row, ...allRows(row.leaf.item)] : [row],
  );
}

test('the table: every row has one sentence, and a default that it would accept', () => {
  const wrong = allRows(schema).filter(({ leaf }) => {
    if (!/^[A-Z`].*[^.]\.$/.test(leaf.doc)) return true;
    return (
      leaf.type !== 'objects' && readValue(leaf, { value: fileDefault(leaf), text: false }) instanceof Unfit
    );
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

const fileDefault = (leaf: Leaf) => (leaf.type === 'duration' ? formatDuration(leaf.default) : leaf.default);

describe('help', () => {
  test('is this', async () => {
    await expect(helpText()).toMatchFileSnapshot('testdata/help.txt');
  });

  test('has every option that is served, and fits into 100 columns', () => {
    const lines = helpText().split('\n');
    const shown = (path: string) =>
      lines.some((line) => line.startsWith(`  --${path} `) || line === `  --${path}`);
    const rows = [...scopeOf(schema).rows.values()];
    expect(rows.filter(({ path }) => shown(path))).toEqual(rows.filter(({ served }) => served === 'yes'));
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });
});

test('the page of options has every row', () => {
  const page = configDoc();
  for (const { path, aliases } of scopeOf(schema).rows.values()) {
    expect(page).toContain(`| \`${path}\` |`);
    for (const alias of aliases) expect(page).toContain(`\`${alias}\``);
  }
  expect(page).toContain(
    '| `channel.namespaces[].presence` | bool |  | `GYRE_CHANNEL_NAMESPACES_<NAME>_PRESENCE` |',
  );
  expect(page).toContain(
    '| `client.ping_interval` | duration | `25s` | `GYRE_CLIENT_PING_INTERVAL` | `ping_interval` |',
  );
  // A bar would end the cell.
  for (const line of page.split('\n').filter((text) => text.startsWith('| `')))
    expect(line.split(' | ')).toHaveLength(6);
});

describe('defaults', () => {
  test('as a file give the defaults and no warning', () => {
    const { config, warnings } = load({ file: defaultConfig() });
    expect(config).toEqual(load().config);
    expect(warnings).toEqual([]);
    expect(defaultConfig()).toMatchObject({
      client: { ping_interval: '25s', channel_limit: 128 },
      proxies: [],
    });
  });

  test('as variables give the defaults and no warning', () => {
    const env = Object.fromEntries(defaultEnv().map((line) => line.split(/=(.*)/s).slice(0, 2)));
    const { config, warnings } = load({ env });
    expect(config).toEqual(load().config);
    expect(warnings).toEqual([]);
    expect(Object.keys(env)).toHaveLength(scopeOf(schema).rows.size);
  });

  test('a loaded configuration is written and read again', () => {
    const { config } = load({
      file: {
        port: 1,
        allowed_origins: ['a', 'b'],
        namespaces: [{ name: 'chat', history_size: 1, history_ttl: '90s' }],
      },
    });
    expect(load({ file: defaultConfig(config) }).config).toEqual(config);
    const env = Object.fromEntries(defaultEnv(config).map((line) => line.split(/=(.*)/s).slice(0, 2)));
    expect(load({ env }).config).toEqual(config);
  });
});

describe('the schema of the file', () => {
  type Node = { properties?: Record<string, Node>; anyOf?: Node[]; [key: string]: unknown };
  const root = jsonSchema() as Node;
  const at = (path: string) =>
    path
      .split('.')
      .reduce<Node | undefined>((node, key) => (node?.anyOf?.[0] ?? node)?.properties?.[key], root);

  test('has every option, with its default', () => {
    const rows = [...scopeOf(schema).rows.values()];
    expect(rows.map(({ path }) => [path, at(path)?.['description']])).toEqual(
      rows.map(({ path, leaf }) => [path, leaf.doc]),
    );
    expect(at('http_server.port')).toMatchObject({ type: 'integer', default: 8000, maximum: 65_535 });
    expect(at('client.ping_interval')).toMatchObject({ default: '25s' });
    expect(at('channel.namespaces')).toMatchObject({ type: 'array', items: { additionalProperties: false } });
    expect(at('http_server')).toMatchObject({ type: 'object', additionalProperties: false });
  });

  test('has flat names as deprecated, a switch beside its section', () => {
    expect(at('api_key')).toMatchObject({
      type: 'string',
      deprecated: true,
      description: 'Now http_api.key.',
    });
    expect(root.properties?.['health']?.anyOf).toMatchObject([
      { type: 'object' },
      { type: 'boolean', deprecated: true },
    ]);
  });
});
