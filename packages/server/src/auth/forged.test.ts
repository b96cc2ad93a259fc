import { describe, expect, it } from 'vitest';
import { createTokens, type Tokens } from './tokens.ts';
import { judges, keyPair, noTokens, SECRET, sign, tokenOptions } from './testing.ts';

const now = Date.now;
const rsa = keyPair('rsa');
const otherRsa = keyPair('rsa');
const p256 = keyPair('P-256');
const p384 = keyPair('P-384');
const claims = { sub: '42' };

const tokens = createTokens(
  tokenOptions({ rsa_public_key: rsa.pem, ecdsa_public_key: p256.pem }),
  judges(now),
);
const rsaOnly = createTokens(
  { ...tokenOptions(), token: { ...noTokens, rsa_public_key: rsa.pem, ecdsa_public_key: p256.pem } },
  judges(now),
);
const noKeys = createTokens({ ...tokenOptions(), token: noTokens }, judges(now));

const good = sign(claims);
const [header = '', payload = '', signature = ''] = good.split('.');
const b64 = (text: string): string => Buffer.from(text).toString('base64url');
const unsigned = (alg: string, end = ''): string => `${b64(JSON.stringify({ alg }))}.${payload}.${end}`;
const jwk = { kty: 'oct', k: b64('mine') };

describe('forged and broken tokens are refused', () => {
  const rows: readonly [string, string, Tokens?][] = [
    ['alg none', unsigned('none')],
    ['alg None', unsigned('None')],
    ['alg NONE', unsigned('NONE')],
    ['alg nOnE with a good signature', unsigned('nOnE', signature)],
    ['alg none where no key is configured', unsigned('none'), noKeys],
    ['alg empty', unsigned('')],
    ['alg missing', `${b64('{"typ":"JWT"}')}.${payload}.${signature}`],
    ['alg of another type', `${b64('{"alg":["HS256"]}')}.${payload}.${signature}`],
    ['alg hs256', sign(claims, SECRET, { alg: 'hs256' }, 'HS256')],
    ['alg HS1', unsigned('HS1', signature)],
    ['alg EdDSA', unsigned('EdDSA', signature)],
    ['no signature', `${header}.${payload}.`],
    ['no signature part', `${header}.${payload}`],
    ['another secret', sign(claims, 'another secret')],
    ['an empty secret', sign(claims, '')],
    ['a good token without any key', good, noKeys],
    ['another payload', `${header}.${b64('{"sub":"1"}')}.${signature}`],
    ['another header', `${b64('{"alg":"HS512"}')}.${payload}.${signature}`],
    ['a cut signature', good.slice(0, -2)],
    ['a longer signature', `${good}AA`],
    ['HS256 by the RSA public key', sign(claims, rsa.pem), tokens],
    ['HS256 by the RSA public key, where only that is configured', sign(claims, rsa.pem), rsaOnly],
    ['HS256 by the RSA public key without its last newline', sign(claims, rsa.pem.trim()), rsaOnly],
    ['HS256 by the ECDSA public key', sign(claims, p256.pem), rsaOnly],
    ['HS256 where only public keys are configured', good, rsaOnly],
    ['RS256 by another key', sign(claims, otherRsa.key, { alg: 'RS256' })],
    ['RS256 without an RSA key', sign(claims, rsa.key, { alg: 'RS256' }), noKeys],
    ['PS256 by the right key', sign(claims, rsa.key, { alg: 'PS256' })],
    ['ES384 by a key of another curve', sign(claims, p384.key, { alg: 'ES384' })],
    ['ES256 by a key of another curve', sign(claims, p384.key, { alg: 'ES256' })],
    ['ES384 by the P-256 key', sign(claims, p256.key, { alg: 'ES384' })],
    ['ES256 with zeros for a signature', unsigned('ES256', Buffer.alloc(64).toString('base64url'))],
    ['crit', sign(claims, SECRET, { alg: 'HS256', crit: ['exp'] })],
    ['crit empty', sign(claims, SECRET, { alg: 'HS256', crit: [] })],
    ['crit with a header of its own', sign(claims, SECRET, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['crit null', sign(claims, SECRET, { alg: 'HS256', crit: null })],
    ['a key in the header', sign(claims, 'mine', { alg: 'HS256', jwk })],
    ['a key in the header beside a good signature', sign(claims, SECRET, { alg: 'HS256', jwk })],
    [
      'the address of a key in the header',
      sign(claims, SECRET, { alg: 'HS256', jku: 'https://evil.example/keys' }),
    ],
    [
      'the address of a certificate in the header',
      sign(claims, SECRET, { alg: 'HS256', x5u: 'https://evil.example' }),
    ],
    ['an empty token', ''],
    ['dots', '..'],
    ['two tokens', `${good}.${good}`],
    ['a space before', ` ${good}`],
    ['a newline after', `${good}\n`],
    ['padding', `${header}=.${payload}.${signature}`],
    ['plain base64 in the signature', `${header}.${payload}.${signature.slice(0, -1)}+`],
    ['a header that is no object', `${b64('"HS256"')}.${payload}.${signature}`],
    ['a header that is no JSON', `${b64('{')}.${payload}.${signature}`],
    ['a payload that is an array', sign('[]')],
    ['a payload that is null', sign('null')],
    ['a payload that is no JSON', sign('{"sub":"42"')],
    ['a payload that is not UTF-8', sign(Buffer.from('{"sub":"\xff"}', 'latin1'))],
  ];

  it.each(rows)('%s', async (_, token, by = tokens) => {
    expect(await by.connection(token)).toMatchObject({ refused: 'invalid' });
    expect(await by.subscription(token)).toMatchObject({ refused: 'invalid' });
  });

  it('and the good ones are not', async () => {
    for (const by of [tokens, createTokens(tokenOptions(), judges(now))]) {
      expect(await by.connection(good)).toMatchObject({ user: '42' });
    }
    expect(await rsaOnly.connection(sign(claims, rsa.key, { alg: 'RS256' }))).toMatchObject({ user: '42' });
    expect(await rsaOnly.connection(sign(claims, p256.key, { alg: 'ES256' }))).toMatchObject({ user: '42' });
    expect(await tokens.connection(sign(claims, SECRET, { alg: 'HS256', kid: 'x', x5t: 'y' }))).toMatchObject(
      {
        user: '42',
      },
    );
  });

  it('says why without saying the token', async () => {
    const refused = await tokens.connection(sign({ sub: 'canary' }, 'canary'));
    expect(JSON.stringify(refused)).not.toContain('canary');
  });
});
