import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Findings } from './findings.ts';
import type { Section } from './option.ts';
import { collectSettings } from './read.ts';
import { schema } from './schema.ts';
import { envName, scopeOf, valueAt, type Scope } from './table.ts';
import { load, loadErrors } from './testing.ts';

const scope = scopeOf(schema);

/** All slips of one letter in the middle of a name: another letter, one too many, one too few, two swapped. */
function slips(name: string): string[] {
  const at = name.length >> 1;
  const letter = name[at] ?? '';
  const other = letter === 'q' ? 'x' : 'q';
  const [before, after] = [name.slice(0, at), name.slice(at + 1)];
  const swapped = name.slice(0, at - 1) + letter + (name[at - 1] ?? '') + after;
  return [before + other + after, before + other + letter + after, before + after, swapped];
}

/** Every section that keys are written into, those within items too: its path, and how to write into it. */
function* sections(
  of: Scope,
  section: Section,
  prefix = '',
): Generator<{ of: Scope; section: Section; prefix: string }> {
  yield { of, section, prefix };
  for (const [key, field] of Object.entries(section.fields)) {
    if (field.type === 'section') yield* sections(of, field, `${prefix}${key}.`);
    if (field.type === 'objects') yield* sections(scopeOf(field.item), field.item);
  }
}

function findingsOf(of: Scope, tree: Record<string, unknown>): Findings {
  const findings: Findings = { errors: [], warnings: [] };
  collectSettings(of, tree, { prefix: '', source: 'x.json', findings });
  return findings;
}

const nested = (prefix: string, key: string): Record<string, unknown> =>
  prefix
    .split('.')
    .filter(Boolean)
    .reduceRight<Record<string, unknown>>((inner, name) => ({ [name]: inner }), { [key]: 'x' });

describe('near misses', () => {
  test('of every key of every section', () => {
    const untold: string[] = [];
    let tried = 0;
    for (const { of, section, prefix } of sections(scope, schema)) {
      for (const key of Object.keys(section.fields)) {
        for (const slip of slips(key)) {
          if (Object.hasOwn(section.fields, slip) || slip === '' || (prefix === '' && of.flat.has(slip)))
            continue;
          const { errors } = findingsOf(of, nested(prefix, slip));
          const told =
            errors.length === 1 &&
            errors[0]?.startsWith(`x.json: unknown key "${prefix}${slip}", the nearest is `);
          if (!told || !errors[0]?.includes(`"${prefix}${key}"`)) untold.push(`${prefix}${slip}`);
          tried++;
        }
      }
    }
    expect(untold).toEqual([]);
    expect(tried).toBeGreaterThan(5000);
  });

  test('of every flat name', () => {
    const untold: string[] = [];
    for (const name of [...scope.flat.keys(), ...scope.flatSections.keys()]) {
      for (const slip of slips(name)) {
        if (Object.hasOwn(schema.fields, slip) || scope.flat.has(slip) || slip.includes('.')) continue;
        const { errors } = findingsOf(scope, { [slip]: 'x' });
        // A name that is a section's too leads to the section.
        const path = Object.hasOwn(schema.fields, name) ? undefined : scope.flat.get(name)?.path;
        const told = path === undefined ? `"${name}"` : `"${name}" (${path})`;
        if (errors.length !== 1 || !errors[0]?.includes(told)) untold.push(slip);
      }
    }
    expect(untold).toEqual([]);
  });

  // One load with them all: an error each.
  test('of every variable', () => {
    const slipped = new Map(
      [...scope.env].map(([name, { path }]) => [`GYRE_${slips(name)[0] ?? ''}`, path] as const),
    );
    const errors = loadErrors({ env: Object.fromEntries([...slipped.keys()].map((name) => [name, 'x'])) });
    const untold = [...slipped].filter(
      ([name, path]) =>
        !errors.some((error) => error.startsWith(`unknown variable ${name},`) && error.includes(`(${path})`)),
    );
    expect(untold).toEqual([]);
    expect(errors).toHaveLength(slipped.size);
  });

  test('of every flag', () => {
    const names = [...scope.rows.keys(), ...scope.flat.keys()];
    const slipped = new Map(names.map((name) => [`--${slips(name)[0] ?? ''}`, name] as const));
    const errors = loadErrors({ argv: [...slipped.keys()].map((flag) => `${flag}=x`) });
    const untold = [...slipped].filter(
      ([flag, name]) =>
        !errors.some((error) => error.startsWith(`unknown flag ${flag},`) && error.includes(`--${name}`)),
    );
    expect(untold).toEqual([]);
    expect(errors).toHaveLength(slipped.size);
  });

  test('of two letters', () => {
    expect(loadErrors({ file: { client: { token: { hmac_secretkeys: 'x' } } } })).toEqual([
      'config.json: unknown key "client.token.hmac_secretkeys", the nearest is "client.token.hmac_secret_key"',
    ]);
  });
});

test('names that are near none only warn: PRO options, what others put beside ours', () => {
  const file = {
    clickhouse_analytics: { enabled: true },
    user_status: {},
    sockjs: true,
    client: { token_providers: [], labels: 1 },
    channel: { namespaces: [{ name: 'chat', batch_max_delay: '1s', allow_history: true }] },
    $schema: './schema.json',
  };
  expect(load({ file }).warnings).toEqual([
    'config.json: unknown key "clickhouse_analytics"',
    'config.json: unknown key "user_status"',
    'config.json: unknown key "sockjs"',
    'config.json: unknown key "client.token_providers"',
    'config.json: unknown key "client.labels"',
    'config.json: unknown key "channel.namespaces[chat].batch_max_delay"',
    'config.json: unknown key "channel.namespaces[chat].allow_history"',
  ]);
});

test('a key is looked for in its own section', () => {
  expect(load({ file: { client: { hmac_secret_key: 'x' } } }).warnings).toEqual([
    'config.json: unknown key "client.hmac_secret_key"',
  ]);
});

describe('flat names', () => {
  const pairs = readFileSync(new URL('testdata/flat-names.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);

  test.each(pairs)('%s is %s', (name, path) => {
    const inFile = collectSettings(
      scope,
      { [name]: 'x' },
      { prefix: '', source: '', findings: { errors: [], warnings: [] } },
    );
    expect(inFile.map(({ row }) => row.path)).toEqual([path]);
    expect(scope.env.get(envName(name))?.path).toBe(path);
  });

  test('none is the present name of another option', () => {
    for (const { of } of sections(scope, schema)) {
      const shared = [...of.flat].filter(([key, row]) => (of.rows.get(key) ?? row) !== row);
      expect(shared).toEqual([]);
    }
  });

  test.each(['grpc_api', 'admin', 'health', 'prometheus', 'debug', 'swagger', 'sse', 'uni_sse', 'uni_grpc'])(
    '%s may still be written as a switch',
    (name) => {
      for (const value of [true, { enabled: true }]) {
        expect(valueAt(load({ file: { [name]: value } }).config, `${name}.enabled`)).toBe(true);
      }
    },
  );

  test('the engine may still be written as a text, gRPC switched on by a variable', () => {
    expect(load({ file: { engine: 'memory' } }).config.engine.type).toBe('memory');
    expect(load({ env: { CENTRIFUGO_GRPC_API: '1' } }).config.grpc_api.enabled).toBe(true);
  });

  test('options that are no more: told of, and an end where ignoring them opens something', () => {
    expect(load({ file: { gomaxprocs: 4, granular_proxy_mode: false } }).warnings).toEqual([
      'config.json: "gomaxprocs" is an option no longer',
      'config.json: "granular_proxy_mode" is an option no longer',
    ]);
    expect(
      loadErrors({ file: { refresh_proxy_name: 'x' }, env: { CENTRIFUGO_GRANULAR_PROXY_MODE: 'true' } }),
    ).toEqual([
      'config.json: "refresh_proxy_name" is an option no longer; leaving it out would open something',
      'environment: "CENTRIFUGO_GRANULAR_PROXY_MODE" is an option no longer; leaving it out would open something',
    ]);
    expect(load({ env: { CENTRIFUGO_GRANULAR_PROXY_MODE: 'false' } }).warnings).toHaveLength(1);
  });
});
