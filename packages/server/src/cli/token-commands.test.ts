import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyPair, sign } from '../auth/testing.ts';
import { place, type Ran } from './testing.ts';

const config = (client: object) => ({ 'config.json': JSON.stringify({ client }) });
const plain = config({ token: { hmac_secret_key: 'secret' } });

/** The token that a command has printed, and its claims. */
function tokenOf({ out }: Ran): { token: string; claims: Record<string, unknown> } {
  const token = out.trimEnd().split('\n').at(-1) ?? '';
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return { token, claims: claims as Record<string, unknown> };
}

/** What was printed with everything that is another each time replaced. */
function golden({ code, out, err }: Ran): string {
  const text = `exit code ${code}\n${out}${err}`;
  return text
    .replaceAll(/^ey[\w-]+\.[\w-]+\.[\w-]+$/gm, '<token>')
    .replaceAll(/"(iat|exp)": \d+/g, '"$1": <time>')
    .replaceAll(/^(iat|exp) \d{4}-.*Z$/gm, '$1 <time>');
}

describe('gentoken and checktoken', () => {
  test('make a token, and say what is in it', async () => {
    const { gyre } = place(plain);
    const made = await gyre(['gentoken', '-u', '42']);
    const { token, claims } = tokenOf(made);
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(604_800);
    const checked = await gyre(['checktoken', token]);
    await expect(`${golden(made)}\n${golden(checked)}`).toMatchFileSnapshot('testdata/token.txt');
  });

  test('quietly, for ever, for nobody', async () => {
    const { gyre } = place(plain);
    const made = await gyre(['gentoken', '-t', '-1', '-q']);
    const { token, claims } = tokenOf(made);
    expect(made).toEqual({ code: 0, out: `${token}\n`, err: '' });
    expect(Object.keys(claims)).toEqual(['iat']);
    expect((await gyre(['gentoken', '--ttl=-1'])).out).toMatch(
      /^Connection token of nobody, good for ever:\n/,
    );
  });

  test('what the configuration asks of a token is in it', async () => {
    const section = { hmac_secret_key: 'secret', audience: 'me', issuer: 'you', user_id_claim: 'uid' };
    const { gyre } = place(config({ token: section }));
    const { token, claims } = tokenOf(await gyre(['gentoken', '-u', '42']));
    expect(claims).toMatchObject({ uid: '42', aud: 'me', iss: 'you' });
    expect((await gyre(['checktoken', token])).code).toBe(0);
  });

  test.each<[string, object, string[], string]>([
    ['no secret', {}, [], 'client.token.hmac_secret_key is not set'],
    ['a span that is none', { hmac_secret_key: 's' }, ['-t', '0'], '--ttl: expected seconds'],
    ['a span with a unit', { hmac_secret_key: 's' }, ['-t', '1h'], '--ttl: expected seconds'],
    [
      'a server that would refuse it',
      { hmac_secret_key: 's', audience_regex: '^me$' },
      [],
      'a server with this configuration refuses such a token: claim aud is not what client.token.audience',
    ],
    [
      'keys from elsewhere',
      { hmac_secret_key: 's', jwks_public_endpoint: 'http://x/' },
      [],
      'refuses such a token',
    ],
  ])('%s: none is made', async (_, token, flags, message) => {
    const { code, out, err } = await place(config({ token })).gyre(['gentoken', ...flags]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(message);
  });

  test('a refused token: why, and what it says', async () => {
    const { gyre } = place(config({ token: { hmac_secret_key: 'secret', audience: 'me' } }));
    const claims = { sub: '42', aud: 'me' };
    const key = keyPair('P-256').key;
    const rows: readonly [string, string][] = [
      ['expired', sign({ ...claims, exp: 1_600_000_000 }, 'secret')],
      ['not yet valid', sign({ ...claims, nbf: 4_000_000_000 }, 'secret')],
      ['of another secret', sign(claims, 'other')],
      ['of another kind of key', sign(claims, key, { alg: 'ES256' })],
      ['for somebody else', sign({ ...claims, aud: ['you'] }, 'secret')],
      ['for a channel', sign({ ...claims, channel: 'news' }, 'secret')],
      ['with a claim that is not what it has to be', sign({ ...claims, info: 1, b64info: 1 }, 'secret')],
      ['that is none', 'nonsense'],
    ];
    const said: string[] = [];
    for (const [name, token] of rows) {
      const ran = await gyre(['checktoken', token]);
      expect(ran.code, name).toBe(1);
      said.push(`${name}: ${golden(ran)}`);
    }
    await expect(said.join('\n')).toMatchFileSnapshot('testdata/refused.txt');
  });

  test('a token by fetched keys', async () => {
    const { key, jwk } = keyPair('Ed25519');
    const server = createServer((_, response) =>
      response.end(JSON.stringify({ keys: [{ ...jwk, kid: '1' }] })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { gyre } = place(config({ token: { jwks_public_endpoint: url } }));
    const by = (kid: string) => sign({ sub: '42' }, key, { alg: 'EdDSA', kid });
    expect((await gyre(['checktoken', by('1')])).code).toBe(0);
    expect((await gyre(['checktoken', by('2')])).out).toContain(
      'refused: the key set has no key of this kid',
    );
    server.close();
    server.closeAllConnections();
    const { code, out, err } = await gyre(['checktoken', by('1')]);
    expect(code).toBe(1);
    expect(out).toContain('refused: its key cannot be looked for now');
    expect(err).toContain('ECONNREFUSED');
  });

  test('a token is needed', async () => {
    expect((await place(plain).gyre(['checktoken'])).err).toBe('gyre: which token is missing\n');
    expect((await place(plain).gyre(['checktoken', 'a', 'b'])).err).toBe('gyre: unexpected argument "b"\n');
  });
});

describe('gensubtoken and checksubtoken', () => {
  test('make a token, and say what is in it', async () => {
    const { gyre } = place(plain);
    const made = await gyre(['gensubtoken', '-u', '42', '-s', 'news', '-t', '60']);
    const { token } = tokenOf(made);
    const checked = await gyre(['checksubtoken', token]);
    await expect(`${golden(made)}\n${golden(checked)}`).toMatchFileSnapshot('testdata/subtoken.txt');
    expect((await gyre(['checktoken', token])).out).toContain('refused: claim channel in a connection token');
    expect((await gyre(['gensubtoken'])).err).toBe('gyre: --channel: which one is missing\n');
  });

  test('by a section of its own, where there is one', async () => {
    const own = { enabled: true, hmac_secret_key: 'own', issuer: 'me' };
    const { gyre } = place(config({ token: { hmac_secret_key: 'secret' }, subscription_token: own }));
    const { token, claims } = tokenOf(await gyre(['gensubtoken', '-s', 'news']));
    expect(claims).toMatchObject({ channel: 'news', iss: 'me' });
    expect((await gyre(['checksubtoken', token])).code).toBe(0);
    expect((await gyre(['checksubtoken', sign({ channel: 'news', iss: 'me' }, 'secret')])).code).toBe(1);
  });
});
