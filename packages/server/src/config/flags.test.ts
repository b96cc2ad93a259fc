import { describe, expect, test } from 'vitest';
import { parseFlags } from './flags.ts';

const values = (argv: string[]) => parseFlags(argv).settings.map(({ row, value }) => [row.path, value]);

test.each([
  [['--http_server.port', '8001'], 'http_server.port', '8001'],
  [['--http_server.port=8001'], 'http_server.port', '8001'],
  [['-p', '8001'], 'http_server.port', '8001'],
  [['-p=8001'], 'http_server.port', '8001'],
  [['-p8001'], 'http_server.port', '8001'],
  [['-a', '::1'], 'http_server.address', '::1'],
  [['--port', '8001'], 'http_server.port', '8001'],
  [['--engine', 'memory'], 'engine.type', 'memory'],
  [['--health'], 'health.enabled', 'true'],
  [['--client.insecure'], 'client.insecure', 'true'],
  [['--client.insecure=false'], 'client.insecure', 'false'],
  [['--client.insecure', 'false'], 'client.insecure', 'false'],
  [['--http_api.key', '-dash'], 'http_api.key', '-dash'],
  [['--http_api.key', '--dashes'], 'http_api.key', '--dashes'],
  [['--http_api.key', '-pass'], 'http_api.key', '-pass'],
  [['--http_api.key=a=b'], 'http_api.key', 'a=b'],
  [['--channel.namespaces', 'a b'], 'channel.namespaces', 'a b'],
])('%j', (argv, path, value) => {
  expect(values(argv)).toEqual([[path, value]]);
});

test('a switch leaves the next argument alone where it is no truth value', () => {
  const { settings, positional } = parseFlags(['--client.insecure', 'serve']);
  expect(settings).toHaveLength(1);
  expect(positional).toEqual(['serve']);
});

test.each([[['-c', 'a.json']], [['--config', 'a.json']], [['--config=a.json']], [['-ca.json']]])(
  'the file: %j',
  (argv) => {
    expect(parseFlags(argv)).toMatchObject({ file: 'a.json', settings: [] });
  },
);

test('what comes after -- is no flag', () => {
  expect(parseFlags(['--', '--client.insecure'])).toMatchObject({
    settings: [],
    positional: ['--client.insecure'],
  });
});

test.each([
  [['--http_server.port']],
  [['--http_server.port', '--client.insecure']],
  [['--http_server.port', '-p', '1']],
])('a missing value: %j', (argv) => {
  expect(parseFlags(argv).findings.errors).toEqual(['--http_server.port needs a value']);
});

describe('flags of a command', () => {
  const own = { '--user': 'value', '-u': 'value', '-q': 'switch' } as const;

  test('are taken apart from options', () => {
    const parsed = parseFlags(['gentoken', '-u', '42', '-q', '-c', 'a.json', '--client.insecure'], own);
    expect([...parsed.own]).toEqual([
      ['-u', '42'],
      ['-q', 'true'],
    ]);
    expect(parsed.positional).toEqual(['gentoken']);
    expect(parsed.options).toEqual(['--config=a.json', '--client.insecure=true']);
    expect(parsed.findings.errors).toEqual([]);
  });

  test('what is left for loadConfig says the same', () => {
    const { options, settings } = parseFlags(['-u', 'x', '-p', '1', '--health', '--api_key=k'], own);
    expect(values([...options])).toEqual(settings.map(({ row, value }) => [row.path, value]));
  });

  test('are near misses too', () => {
    expect(parseFlags(['--usser', '42'], own).findings.errors).toEqual([
      'unknown flag --usser, the nearest is --user',
    ]);
  });
});

test('unknown flags: short ones and near misses end the start, others do not', () => {
  expect(parseFlags(['-x']).findings.errors).toEqual(['unknown flag -x']);
  expect(parseFlags(['--http_server.prot', '1']).findings.errors).toEqual([
    'unknown flag --http_server.prot, the nearest is --http_server.port',
  ]);
  expect(parseFlags(['--api_kye', '1']).findings.errors).toEqual([
    'unknown flag --api_kye, the nearest is --api_key (http_api.key)',
  ]);
  expect(parseFlags(['--somewhere.else', '1'])).toMatchObject({
    findings: { errors: [], warnings: ['unknown flag --somewhere.else'] },
    positional: [],
    unknown: ['--somewhere.else'],
  });
});
