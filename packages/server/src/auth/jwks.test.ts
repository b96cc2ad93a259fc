import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClientError } from '@gyre/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KeySets } from './key-sets.ts';
import type { TokenSection } from './options.ts';
import { keyPair, noTokens, SECRET, sign, tokenOptions } from './testing.ts';
import { createTokens, type Tokens } from './tokens.ts';

const rsa = keyPair('rsa');
const otherRsa = keyPair('rsa');
const p256 = keyPair('P-256');
const p384 = keyPair('P-384');
const p521 = keyPair('P-521');
const ed25519 = keyPair('Ed25519');

const short = generateKeyPairSync('rsa', { modulusLength: 1024 });

const allKeys = [
  { ...rsa.jwk, kid: 'rsa', use: 'sig' },
  { ...p256.jwk, kid: 'p256', use: 'sig' },
  { ...p384.jwk, kid: 'p384', use: 'sig' },
  { ...p521.jwk, kid: 'p521', use: 'sig' },
  { ...ed25519.jwk, kid: 'ed', use: 'sig' },
];

/** A server of key sets: `keys` is what it has now, by path; `answer` takes its place. */
interface KeyServer {
  readonly url: string;
  readonly requests: string[];
  keys: Record<string, unknown[]>;
  answer: RequestListener | undefined;
}

async function keyServer(keys: unknown[] = allKeys): Promise<KeyServer> {
  const served: KeyServer = { url: '', requests: [], keys: { '/': keys }, answer: undefined };
  const server = createServer((request, response) => {
    served.requests.push(request.url ?? '');
    if (served.answer !== undefined) return served.answer(request, response);
    const found = served.keys[request.url ?? ''];
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify({ keys: found }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return Object.assign(served, { url });
}

/** A clock that stands still unless it is told to go on. */
function clock() {
  let ms = 1_800_000_000_000;
  return { now: () => ms, advance: (seconds: number) => void (ms += seconds * 1000) };
}

function tokensBy(
  section: Partial<TokenSection>,
  now: () => number = Date.now,
  warnings: object[] = [],
): Tokens {
  const log = { warn: (_: string, fields?: object) => void warnings.push(fields ?? {}) };
  const keySets = new KeySets({ now, log });
  return createTokens({ ...tokenOptions(), token: { ...noTokens, ...section } }, { now, keySets });
}

const good = { user: '42' };
const invalid = { refused: 'invalid' };
const rs = (kid: unknown, key = rsa.key, claims: object = {}): string =>
  sign({ sub: '42', ...claims }, key, { alg: 'RS256', kid });

/** What a check came to, where it may not be told. */
async function outcome(tokens: Tokens, token: string): Promise<string> {
  try {
    const result = await tokens.connection(token);
    return 'refused' in result ? result.refused : 'good';
  } catch (error) {
    if (error instanceof ClientError) return `${error.code}${error.temporary ? ' temporary' : ''}`;
    throw error;
  }
}

describe('keys', () => {
  it.each([
    ['RS256', 'rsa', rsa],
    ['RS384', 'rsa', rsa],
    ['RS512', 'rsa', rsa],
    ['ES256', 'p256', p256],
    ['ES384', 'p384', p384],
    ['ES512', 'p521', p521],
    ['EdDSA', 'ed', ed25519],
  ])('%s', async (alg, kid, { key }) => {
    const { url } = await keyServer();
    const tokens = tokensBy({ jwks_public_endpoint: url });
    expect(await tokens.connection(sign({ sub: '42' }, key, { alg, kid }))).toMatchObject(good);
    const [header, , signature] = sign({ sub: '42' }, key, { alg, kid }).split('.');
    const forged = `${header}.${Buffer.from('{"sub":"1"}').toString('base64url')}.${signature}`;
    expect(await tokens.connection(forged)).toMatchObject(invalid);
  });

  it.each<[string, string]>([
    ['without kid', rs(undefined)],
    ['with an empty kid', rs('')],
    ['with a kid that is no text', rs(1)],
    ['with an endless kid', rs('x'.repeat(257))],
    ['of another key than its kid says', rs('rsa', otherRsa.key)],
    ['of another kind than its key', sign({ sub: '42' }, rsa.key, { alg: 'RS256', kid: 'p256' })],
    ['of another curve', sign({ sub: '42' }, p384.key, { alg: 'ES384', kid: 'p256' })],
    ['with the public key as a secret', sign({ sub: '42' }, rsa.pem, { alg: 'HS256', kid: 'rsa' })],
    ['with the configured secret', sign({ sub: '42' }, SECRET, { alg: 'HS256', kid: 'rsa' })],
    ['unsigned', `${rs('rsa').split('.').slice(0, 2).join('.')}.`],
    ['with a key of its own', sign({ sub: '42' }, rsa.key, { alg: 'RS256', kid: 'rsa', jwk: rsa.jwk })],
    ['with an address of its own', sign({ sub: '42' }, rsa.key, { alg: 'RS256', kid: 'rsa', jku: 'x' })],
  ])('a token %s is refused', async (_, token) => {
    const { url } = await keyServer();
    const tokens = tokensBy({ jwks_public_endpoint: url, hmac_secret_key: SECRET });
    expect(await tokens.connection(token)).toMatchObject(invalid);
  });

  it.each<[string, object]>([
    ['for encryption', { ...rsa.jwk, use: 'enc' }],
    ['of a use that is empty', { ...rsa.jwk, use: '' }],
    ['for another algorithm', { ...rsa.jwk, alg: 'RS512' }],
    ['for an algorithm that is not accepted', { ...rsa.jwk, alg: 'PS256' }],
    ['that is broken', { ...rsa.jwk, n: '' }],
    ['that is a secret', { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') }],
    ['of a kind from a prototype', { ...rsa.jwk, kty: 'constructor' }],
  ])('a key %s is no key', async (_, jwk) => {
    const { url } = await keyServer([null, 1, 'x', [], { ...jwk, kid: 'rsa' }]);
    const tokens = tokensBy({ jwks_public_endpoint: url });
    expect(await tokens.connection(rs('rsa'))).toMatchObject(invalid);
  });

  it('a short key is no key, though the signature is right', async () => {
    const { url } = await keyServer([{ ...short.publicKey.export({ format: 'jwk' }), kid: 'rsa' }]);
    const tokens = tokensBy({ jwks_public_endpoint: url });
    expect(await tokens.connection(rs('rsa', short.privateKey))).toMatchObject(invalid);
  });

  it('a key that does not say its use, and two of one id', async () => {
    const { url } = await keyServer([
      { ...p256.jwk, kid: 'x' },
      { ...rsa.jwk, kid: 'x', alg: 'RS256' },
    ]);
    const tokens = tokensBy({ jwks_public_endpoint: url });
    expect(await tokens.connection(rs('x'))).toMatchObject(good);
    expect(await tokens.connection(sign({ sub: '42' }, p256.key, { alg: 'ES256', kid: 'x' }))).toMatchObject(
      good,
    );
  });

  it('subscription tokens are checked by keys of their own', async () => {
    const { url } = await keyServer();
    const own = { ...noTokens, jwks_public_endpoint: url, enabled: true };
    const tokens = createTokens(tokenOptions({}, { subscription_token: own }), {
      now: Date.now,
      keySets: new KeySets({ now: Date.now, log: {} }),
    });
    const claims = { channel: 'news' };
    expect(await tokens.subscription(rs('rsa', rsa.key, claims))).toMatchObject({ channel: 'news' });
    expect(await tokens.subscription(sign({ sub: '42', ...claims }))).toMatchObject(invalid);
    expect(await tokens.connection(sign({ sub: '42' }))).toMatchObject(good);
  });
});

describe('[S04] how often an endpoint is asked', () => {
  it('a thousand tokens with kids out of the air: twice', async () => {
    const server = await keyServer();
    const tokens = tokensBy({ jwks_public_endpoint: server.url }, clock().now);
    for (let i = 0; i < 500; i++) expect(await outcome(tokens, rs(`random ${i}`))).not.toBe('good');
    await Promise.all(Array.from({ length: 500 }, (_, i) => outcome(tokens, rs(`more ${i}`))));
    expect(server.requests).toHaveLength(2);
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    expect(server.requests).toHaveLength(2);
  });

  it('who needs the same answer waits for the same request', async () => {
    const server = await keyServer();
    const tokens = tokensBy({ jwks_public_endpoint: server.url });
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(tokens, rs('rsa'))));
    expect(new Set(outcomes)).toEqual(new Set(['good']));
    expect(server.requests).toHaveLength(1);
  });

  it('an unknown kid: once in ten seconds; the same one: once in thirty', async () => {
    const server = await keyServer();
    const time = clock();
    const tokens = tokensBy({ jwks_public_endpoint: server.url }, time.now);
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    expect(await outcome(tokens, rs('a'))).toBe('invalid');
    expect(server.requests).toHaveLength(2);
    // Whether there is such a key by now cannot be told: a client may try again.
    expect(await outcome(tokens, rs('b'))).toBe('100 temporary');
    expect(await outcome(tokens, rs('a'))).toBe('invalid');
    time.advance(10);
    expect(await outcome(tokens, rs('a'))).toBe('invalid');
    expect(server.requests).toHaveLength(2);
    expect(await outcome(tokens, rs('b'))).toBe('invalid');
    expect(server.requests).toHaveLength(3);
    time.advance(21);
    expect(await outcome(tokens, rs('a'))).toBe('invalid');
    expect(server.requests).toHaveLength(4);
  });

  it('known keys: once an hour', async () => {
    const server = await keyServer();
    const time = clock();
    const tokens = tokensBy({ jwks_public_endpoint: server.url }, time.now);
    for (let minutes = 0; minutes < 60; minutes++) {
      expect(await outcome(tokens, rs('rsa'))).toBe('good');
      time.advance(60);
    }
    expect(server.requests).toHaveLength(1);
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    expect(server.requests).toHaveLength(2);
  });

  it('an endpoint that fails: two tries, then a pause of ten seconds', async () => {
    const server = await keyServer();
    server.answer = (_, response) => void response.writeHead(500).end();
    const time = clock();
    const warnings: object[] = [];
    const tokens = tokensBy({ jwks_public_endpoint: `${server.url}?key=canary` }, time.now, warnings);
    for (let i = 0; i < 3; i++) expect(await outcome(tokens, rs('rsa'))).toBe('100 temporary');
    expect(server.requests).toHaveLength(2);
    time.advance(10);
    server.answer = (_, response) => void response.end(JSON.stringify({ keys: allKeys }));
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    expect(server.requests).toHaveLength(3);
    expect(warnings).toMatchObject([{ because: 'Error: status 500', former_keys: false }]);
    expect(JSON.stringify(warnings)).not.toContain('canary');
  });

  it('one failure in between is not noticed', async () => {
    const server = await keyServer();
    server.answer = (request) => {
      server.answer = undefined;
      request.socket.destroy();
    };
    expect(await outcome(tokensBy({ jwks_public_endpoint: server.url }), rs('rsa'))).toBe('good');
  });

  it('a token that no key could be for: never', async () => {
    const server = await keyServer();
    const tokens = tokensBy({ jwks_public_endpoint: server.url });
    for (const token of [
      'x',
      sign({ sub: '42' }),
      rs(undefined),
      rs('x'.repeat(257)),
      sign({}, rsa.key, { alg: 'RS256', kid: 'rsa', jwk: {} }),
    ]) {
      expect(await outcome(tokens, token)).toBe('invalid');
    }
    expect(server.requests).toEqual([]);
  });
});

describe('[S04] rotation', () => {
  it('a new key is found when a token of it comes, the old one goes with its set', async () => {
    const server = await keyServer([{ ...rsa.jwk, kid: 'old' }]);
    const time = clock();
    const tokens = tokensBy({ jwks_public_endpoint: server.url }, time.now);
    expect(await outcome(tokens, rs('old'))).toBe('good');
    server.keys['/'] = [
      { ...rsa.jwk, kid: 'old' },
      { ...otherRsa.jwk, kid: 'new' },
    ];
    expect(await outcome(tokens, rs('new', otherRsa.key))).toBe('good');
    expect(await outcome(tokens, rs('old'))).toBe('good');
    server.keys['/'] = [{ ...otherRsa.jwk, kid: 'new' }];
    time.advance(3600);
    expect(await outcome(tokens, rs('old'))).toBe('invalid');
    expect(await outcome(tokens, rs('new', otherRsa.key))).toBe('good');
  });

  it('a key of the same id is replaced within the hour', async () => {
    const server = await keyServer([{ ...rsa.jwk, kid: 'x' }]);
    const time = clock();
    const tokens = tokensBy({ jwks_public_endpoint: server.url }, time.now);
    expect(await outcome(tokens, rs('x'))).toBe('good');
    server.keys['/'] = [{ ...otherRsa.jwk, kid: 'x' }];
    time.advance(3600);
    expect(await outcome(tokens, rs('x'))).toBe('invalid');
    expect(await outcome(tokens, rs('x', otherRsa.key))).toBe('good');
  });

  const failures: readonly [string, RequestListener][] = [
    ['is down', (request) => void request.socket.destroy()],
    ['fails', (_, response) => void response.writeHead(503).end()],
    ['says no key set', (_, response) => void response.end('<html>')],
    [
      'says too much',
      (_, response) => void response.end(JSON.stringify({ keys: [], x: 'x'.repeat(524_288) })),
    ],
    ['sends elsewhere', (_, response) => void response.writeHead(302, { Location: '/' }).end()],
  ];
  it.each(failures)('an endpoint that %s takes no good key away', async (_, answer) => {
    const server = await keyServer();
    const time = clock();
    const tokens = tokensBy({ jwks_public_endpoint: server.url }, time.now);
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    server.answer = answer;
    time.advance(7200);
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    expect(server.requests).toHaveLength(3);
    expect(await outcome(tokens, rs('rsa'))).toBe('good');
    expect(await outcome(tokens, rs('unknown'))).toBe('100 temporary');
    expect(server.requests).toHaveLength(3);
  });
});

it('[S05] a thousand endpoints are remembered, the one unused for longest is forgotten', async () => {
  const server = await keyServer();
  server.answer = (_, response) => void response.end(JSON.stringify({ keys: [{ ...rsa.jwk, kid: 'x' }] }));
  const keySets = new KeySets({ now: clock().now, log: {} });
  const find = (i: number) => keySets.find({ url: `${server.url}${i}`, guarded: false }, 'x');
  for (let i = 0; i < 1000; i++) await find(i);
  await find(0);
  await find(1000);
  expect(server.requests).toHaveLength(1001);
  await find(0);
  await find(1000);
  expect(server.requests).toHaveLength(1001);
  await find(1);
  expect(server.requests).toHaveLength(1002);
});

describe('[S05] tenants', () => {
  const tenants = (url: string): Partial<TokenSection> => ({
    jwks_public_endpoint: `${url}{{tenant}}`,
    issuer_regex: '^https://idp/(?P<tenant>one|two)$',
  });
  const iss = (tenant: string) => ({ iss: `https://idp/${tenant}` });

  it('with the same kid are kept apart', async () => {
    const server = await keyServer();
    server.keys = { '/one': [{ ...rsa.jwk, kid: 'x' }], '/two': [{ ...otherRsa.jwk, kid: 'x' }] };
    const tokens = tokensBy(tenants(server.url));
    for (let round = 0; round < 2; round++) {
      expect(await outcome(tokens, rs('x', rsa.key, iss('one')))).toBe('good');
      expect(await outcome(tokens, rs('x', otherRsa.key, iss('two')))).toBe('good');
      expect(await outcome(tokens, rs('x', rsa.key, iss('two')))).toBe('invalid');
      expect(await outcome(tokens, rs('x', otherRsa.key, iss('one')))).toBe('invalid');
    }
    expect(server.requests).toEqual(['/one', '/two']);
  });

  it.each(['three', '@evil', 'one@evil', '..', '../one', 'one/..', '%2fone', '[::1]', 'one\n', ''])(
    'an issuer ending in %j has nothing fetched',
    async (tenant) => {
      const server = await keyServer();
      const tokens = tokensBy(tenants(server.url));
      expect(await outcome(tokens, rs('rsa', rsa.key, iss(tenant)))).toBe('invalid');
      expect(server.requests).toEqual([]);
    },
  );

  it('a host that a token chooses is not looked for on this machine or in its networks', async () => {
    const server = await keyServer();
    const { port } = new URL(server.url);
    const warnings: object[] = [];
    const section = {
      jwks_public_endpoint: `http://{{host}}:${port}/`,
      issuer_regex: '^https://(?P<host>.+)$',
      insecure_skip_jwks_endpoint_safety_check: true,
    };
    const tokens = tokensBy(section, Date.now, warnings);
    for (const host of ['127.0.0.1', 'localhost', '2130706434']) {
      expect(await outcome(tokens, rs('rsa', rsa.key, { iss: `https://${host}` }))).toBe('100 temporary');
    }
    expect(server.requests).toEqual([]);
    expect(warnings).toHaveLength(3);
    expect(JSON.stringify(warnings)).toContain('not public');
  });
});
