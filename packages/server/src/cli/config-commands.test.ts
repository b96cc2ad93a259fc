import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { load } from '../config/testing.ts';
import { place } from './testing.ts';

describe('checkconfig', () => {
  const open = '{"client": {"insecure": true}}';
  const warning =
    'client.insecure (set by config.json): clients may do everything without a token, and every interface is not only this machine';

  test('a warning lets it pass, strictly it does not', async () => {
    const { cwd, gyre } = place({ 'config.json': open });
    expect(await gyre(['checkconfig'])).toEqual({
      code: 0,
      out: `warning: ${warning}\n${join(cwd, 'config.json')} can be served.\n`,
      err: '',
    });
    for (const flag of ['-s', '--strict']) {
      expect(await gyre(['checkconfig', flag])).toEqual({ code: 1, out: '', err: `gyre: ${warning}\n` });
    }
  });

  test('all that is wrong is told, each on a line', async () => {
    const { gyre } = place({ 'my.yaml': 'http_server: {prot: 1}\nlog: {level: loud}\n' });
    const { code, err } = await gyre(['checkconfig', '-c', 'my.yaml']);
    expect(code).toBe(1);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^gyre: my\.yaml: unknown key "http_server\.prot"/),
      expect.stringMatching(/^gyre: log\.level \(set by my\.yaml\): expected one of/),
      '',
    ]);
  });

  test('with what is wrong comes what is doubtful', async () => {
    const { gyre } = place({ 'my.json': '{"log": {"level": "loud"}, "nothing_we_know": 1}' });
    expect((await gyre(['checkconfig', '-c', 'my.json'])).err.split('\n')).toEqual([
      expect.stringMatching(/^gyre: log\.level/),
      'gyre: warning: my.json: unknown key "nothing_we_know"',
      '',
    ]);
  });

  test('files that TLS needs have to be there', async () => {
    const { gyre } = place();
    const tls = (path: string, file: string) => [`--${path}.enabled`, `--${path}.${file}`, '/none'];
    const redis = ['--engine.type', 'redis', ...tls('engine.redis.tls', 'server_ca_pem')];
    const flags = [...redis, ...tls('http_server.tls', 'cert_pem'), '--http_server.tls.key_pem', '/none'];
    expect((await gyre(['checkconfig', ...flags])).err).toBe(
      ['http_server.tls.cert_pem', 'engine.redis.tls.server_ca_pem']
        .map((path) => `gyre: ${path}: neither PEM, nor base64 of it, nor a file that can be read\n`)
        .join(''),
    );
  });

  test.each([
    ['rsa_public_key', 'no key', 'client.token.rsa_public_key: neither PEM'],
    ['jwks_public_endpoint', 'http://x/{{t}}', 'client.token.jwks_public_endpoint: {{t}} has to be'],
  ])('what only shows when it is put to use is told too: %s', async (option, value, message) => {
    const { gyre } = place();
    const { code, err } = await gyre(['checkconfig', `--client.token.${option}`, value]);
    expect(code).toBe(1);
    expect(err).toContain(`gyre: ${message}`);
  });
});

describe('genconfig', () => {
  test('writes a file that can be served as it is', async () => {
    const { cwd, gyre } = place();
    const { code, out } = await gyre(['genconfig']);
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot('testdata/genconfig.txt');
    expect(statSync(join(cwd, 'config.json')).mode & 0o777).toBe(0o600);
    expect(await gyre(['checkconfig', '--strict'])).toMatchObject({ code: 0 });
    const { config } = load({ cwd });
    expect(config.client.token.hmac_secret_key).toMatch(/^[\w-]{86}$/);
    expect(config.http_api.key).toMatch(/^[\w-]{86}$/);
    expect(config.http_api.key).not.toBe(config.client.token.hmac_secret_key);
  });

  test.each(['x.yaml', 'x.yml', 'x.toml', 'x.json'])('into %s', async (name) => {
    const { cwd, gyre } = place();
    expect(await gyre(['genconfig', '-c', name])).toMatchObject({ code: 0, err: '' });
    expect(load({ cwd, argv: ['-c', name], strict: true }).config.http_api.key).toHaveLength(86);
  });

  test('overwrites nothing, and writes nothing that cannot be read again', async () => {
    const { cwd, gyre } = place({ 'config.json': 'mine' });
    expect(await gyre(['genconfig'])).toEqual({
      code: 1,
      out: '',
      err: 'gyre: config.json is there already and is not overwritten\n',
    });
    expect(readFileSync(join(cwd, 'config.json'), 'utf8')).toBe('mine');
    expect(await gyre(['genconfig', '-c', 'x.ini'])).toMatchObject({
      code: 1,
      err: 'gyre: x.ini: the name must end in .json, .yaml, .yml or .toml\n',
    });
    expect(await gyre(['genconfig', '-c', 'no/such.json'])).toMatchObject({
      code: 1,
      err: 'gyre: no/such.json cannot be written (ENOENT)\n',
    });
  });
});

describe('defaultconfig', () => {
  test('prints every option', async () => {
    const { cwd, gyre } = place();
    const { out } = await gyre(['defaultconfig']);
    expect(load({ files: { 'x.json': out }, argv: ['-c', 'x.json'], strict: true }).config).toEqual(
      load().config,
    );
    expect((await gyre(['defaultconfig', '-d', '-c', 'x.toml'])).out).toContain('[http_server]\n');
    expect(load({ cwd }).configured).toBe(false);
  });

  test('with what a file sets, into another one', async () => {
    const { cwd, gyre } = place({ 'base.yaml': 'client:\n  channel_limit: 7\n' });
    expect(await gyre(['defaultconfig', '-b', 'base.yaml', '-c', 'full.yaml'])).toEqual({
      code: 0,
      out: 'Wrote full.yaml, with every option.\n',
      err: '',
    });
    const full = load({ cwd, argv: ['-c', 'full.yaml'] }).config;
    expect(full).toEqual(load({ file: { client: { channel_limit: 7 } } }).config);
    expect((await gyre(['defaultconfig', '-c', 'full.yaml'])).err).toContain('is not overwritten');
    expect((await gyre(['defaultconfig', '-b', 'none.yaml'])).code).toBe(1);
  });
});

describe('defaultenv', () => {
  const base = {
    'base.json': '{"client": {"channel_limit": 7, "insecure": false}, "namespaces": [{"name": "ab"}]}',
  };

  test('prints every option, with what a file sets', async () => {
    const { gyre } = place(base);
    expect((await gyre(['defaultenv'])).out).toContain('\nGYRE_CLIENT_CHANNEL_LIMIT=128\n');
    const { out } = await gyre(['defaultenv', '-b', 'base.json']);
    expect(out).toContain('\nGYRE_CLIENT_CHANNEL_LIMIT=7\n');
    expect(out).toContain('\nGYRE_HTTP_SERVER_PORT=8000\n');
  });

  test('or that alone', async () => {
    const { gyre } = place(base);
    const { out } = await gyre(['defaultenv', '-b', 'base.json', '--base-non-zero-only']);
    const [first = '', second = '', ...rest] = out.split('\n');
    expect(first).toMatch(/^GYRE_CHANNEL_NAMESPACES=\[\{"name":"ab",/);
    expect(second).toBe('GYRE_CLIENT_CHANNEL_LIMIT=7');
    expect(rest).toEqual(['']);
    expect(await gyre(['defaultenv', '--base-non-zero-only'])).toMatchObject({
      code: 1,
      err: 'gyre: --base-non-zero-only needs --base\n',
    });
  });
});

describe('configdoc', () => {
  test('prints all sections, or one, with headings of a level', async () => {
    const { gyre } = place();
    const { out } = await gyre(['configdoc', '-m']);
    expect(out).toMatch(/^# Options\n/);
    expect(out).toContain('\n## log\n');
    await expect((await gyre(['configdoc', '-s', 'log', '-l', '1'])).out).toMatchFileSnapshot(
      'testdata/configdoc-log.txt',
    );
    expect(JSON.parse((await gyre(['configdoc', '--schema'])).out)).toHaveProperty('properties.http_server');
    expect(await gyre(['configdoc', '-s', 'logs', '-l', 'x'])).toEqual({
      code: 1,
      out: '',
      err: 'gyre: there is no section "logs"\ngyre: --level: expected a number from 0 to 4\n',
    });
  });
});
