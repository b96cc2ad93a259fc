import { expect, test } from 'vitest';
import { version } from '../version.ts';
import { usage } from './run.ts';
import { place } from './testing.ts';

test('help lists the commands', async () => {
  const head = usage().split('Main flags')[0]?.replace(version, '<version>');
  await expect(head).toMatchFileSnapshot('testdata/usage.txt');
  for (const argv of [['--help'], ['-h'], ['help'], ['serve', '-h']]) {
    expect(await place().gyre(argv)).toEqual({ code: 0, out: usage(), err: '' });
  }
});

test('help beside a command is about that alone', async () => {
  const { gyre } = place();
  const { out } = await gyre(['gentoken', '--help']);
  await expect(out).toMatchFileSnapshot('testdata/usage-gentoken.txt');
  for (const argv of [
    ['-h', 'gentoken'],
    ['help', 'gentoken'],
    ['gentoken', '-u', 'x', '-h'],
  ]) {
    expect(await gyre(argv)).toEqual({ code: 0, out, err: '' });
  }
  expect((await gyre(['checktoken', '-h'])).out).not.toContain('of its own');
});

test('a version', async () => {
  for (const name of ['version', '--version']) {
    expect((await place().gyre([name])).out).toMatch(/^Gyre \d+\.\d+\.\d+ \(Node\.js 22\..*\)\n$/);
  }
});

test.each([
  [['nonsense'], 'gyre: there is no command "nonsense"; gyre --help lists them\n', 2],
  [['gentoken', '--usr', 'x'], 'gyre: unknown flag --usr, the nearest is --user\n', 1],
  [['configdoc', '-z'], 'gyre: unknown flag -z\n', 1],
  [['checkconfig', 'x'], 'gyre: unexpected argument "x"\n', 1],
  [['checkconfig', '--http_server.port'], 'gyre: --http_server.port needs a value\n', 1],
  [['checkconfig', '-c', 'none.json'], 'gyre: none.json: cannot be read (ENOENT)\n', 1],
])('%j: says %j', async (argv, err, code) => {
  expect(await place().gyre(argv)).toEqual({ code, out: '', err });
});

test('a command may stand behind flags, and its name be the value of one', async () => {
  const { gyre } = place({ 'x.json': '{"grpc_stream": true}' });
  expect((await gyre(['-c', 'x.json', '--strict', 'checkconfig'])).code).toBe(1);
  const secret = ['--client.token.hmac_secret_key', 's'];
  expect((await gyre(['gentoken', '-u', 'gentoken', ...secret])).out).toContain('user "gentoken"');
});
