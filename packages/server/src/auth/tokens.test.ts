import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TokenOptions, TokenSection } from './options.ts';
import { judges, keyPair, noTokens, SECRET, sign, tokenOptions } from './testing.ts';
import { createTokens, type Tokens } from './tokens.ts';

/** Unix seconds that the tests live at. */
const T = 1_800_000_000;

function tokensWith(token: Partial<TokenSection> = {}, rest: Partial<TokenOptions> = {}): Tokens {
  return createTokens(
    tokenOptions(token, rest),
    judges(() => T * 1000),
  );
}
const tokens = tokensWith();

const utf8 = (bytes: unknown): unknown =>
  bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : bytes;

describe('keys', () => {
  const kinds = {
    rsa: keyPair('rsa'),
    p256: keyPair('P-256'),
    p384: keyPair('P-384'),
    p521: keyPair('P-521'),
  };

  it.each(['HS256', 'HS384', 'HS512'])('%s', async (alg) => {
    expect(await tokens.connection(sign({ sub: '42' }, SECRET, { alg }))).toMatchObject({ user: '42' });
  });

  it.each(['RS256', 'RS384', 'RS512'])('%s', async (alg) => {
    const { key, pem } = kinds.rsa;
    expect(
      await tokensWith({ rsa_public_key: pem }).connection(sign({ sub: '42' }, key, { alg })),
    ).toMatchObject({
      user: '42',
    });
  });

  it.each([
    ['ES256', kinds.p256],
    ['ES384', kinds.p384],
    ['ES512', kinds.p521],
  ])('%s', async (alg, { key, pem }) => {
    expect(
      await tokensWith({ ecdsa_public_key: pem }).connection(sign({ sub: '42' }, key, { alg })),
    ).toMatchObject({
      user: '42',
    });
  });

  it('come as PEM, as base64 of it, or as a path', async () => {
    const { key, pem } = kinds.p256;
    const folder = mkdtempSync(join(tmpdir(), 'gyre-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'key.pem');
    writeFileSync(path, pem);
    const token = sign({ sub: '42' }, key, { alg: 'ES256' });
    for (const ecdsa_public_key of [pem, `\n${pem}`, Buffer.from(pem).toString('base64'), path]) {
      expect(await tokensWith({ ecdsa_public_key }).connection(token)).toMatchObject({ user: '42' });
    }
  });

  const privatePem = kinds.rsa.key.export({ type: 'pkcs8', format: 'pem' }) as string;
  it.each<[string, Partial<TokenSection>, string]>([
    ['a public key for a secret', { hmac_secret_key: kinds.rsa.pem }, 'hmac_secret_key'],
    [
      'a public key for the previous secret',
      { hmac_previous_secret_key: kinds.rsa.pem },
      'hmac_previous_secret_key',
    ],
    ['an EC key for an RSA key', { rsa_public_key: kinds.p256.pem }, 'rsa_public_key'],
    ['an RSA key for an EC key', { ecdsa_public_key: kinds.rsa.pem }, 'ecdsa_public_key'],
    ['a curve that JWT does not have', { ecdsa_public_key: keyPair('secp256k1').pem }, 'ecdsa_public_key'],
    ['a private key', { rsa_public_key: privatePem }, 'rsa_public_key'],
    [
      'a broken key',
      { rsa_public_key: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' },
      'rsa_public_key',
    ],
    ['a path to nothing', { rsa_public_key: '/nowhere/key.pem' }, 'rsa_public_key'],
    ['a pattern that is none', { audience_regex: '(' }, 'audience_regex'],
    ['a pattern that is not RE2', { issuer_regex: '(?=a)' }, 'issuer_regex'],
  ])('%s ends the start and names the option', (_, section, option) => {
    let message = '';
    try {
      tokensWith(section);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(new RegExp(`^client\\.token\\.${option}: `));
    expect(message).not.toContain('MII');
  });

  it('are rotated: the previous secret counts until its time', async () => {
    const old = sign({ sub: '42' }, 'old');
    const previous = (until: number): Tokens =>
      tokensWith({ hmac_previous_secret_key: 'old', hmac_previous_secret_key_valid_until: until });
    expect(await tokens.connection(old)).toMatchObject({ refused: 'invalid' });
    expect(await previous(0).connection(old)).toMatchObject({ user: '42' });
    expect(await previous(T).connection(old)).toMatchObject({ user: '42' });
    expect(await previous(T - 1).connection(old)).toMatchObject({ refused: 'invalid' });
    expect(await previous(T - 1).connection(sign({ sub: '42' }))).toMatchObject({ user: '42' });
    // A broken token is no better for a second key.
    expect(await previous(0).connection(sign({ sub: '42' }, 'older'))).toMatchObject({ refused: 'invalid' });
  });

  it('are the same for both kinds of tokens, or not', async () => {
    const token = sign({ sub: '42', channel: 'x' });
    const other = sign({ sub: '42', channel: 'x' }, 'other');
    const separate = tokensWith(
      {},
      { subscription_token: { ...noTokens, hmac_secret_key: 'other', enabled: true } },
    );
    expect(await tokens.subscription(token)).toMatchObject({ channel: 'x' });
    expect(await separate.subscription(token)).toMatchObject({ refused: 'invalid' });
    expect(await separate.subscription(other)).toMatchObject({ channel: 'x' });
    expect(await separate.connection(sign({ sub: '42' }))).toMatchObject({ user: '42' });
    expect(await separate.connection(sign({ sub: '42' }, 'other'))).toMatchObject({ refused: 'invalid' });
    const closed = tokensWith({}, { subscription_token: { ...noTokens, enabled: true } });
    expect(await closed.subscription(token)).toMatchObject({ refused: 'invalid' });
  });

  it('are not asked where signatures are not to be verified, everything else is', async () => {
    const trusting = tokensWith({ audience: 'us' }, { insecure_skip_token_signature_verify: true });
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = (claims: object): string => `${part({ alg: 'none' })}.${part(claims)}.`;
    expect(await trusting.connection(unsigned({ sub: '42', aud: 'us' }))).toMatchObject({ user: '42' });
    expect(await trusting.connection(sign({ sub: '42', aud: 'us' }, 'whatever'))).toMatchObject({
      user: '42',
    });
    expect(await trusting.connection(unsigned({ sub: '42', aud: 'them' }))).toMatchObject({
      refused: 'invalid',
    });
    expect(await trusting.connection(unsigned({ sub: '42', aud: 'us', exp: T }))).toMatchObject({
      refused: 'expired',
    });
    expect(await trusting.connection('nonsense')).toMatchObject({ refused: 'invalid' });
  });
});

describe('time', () => {
  it.each([
    // claims, outcome, expireAt
    [{}, undefined, 0],
    [{ exp: T + 1 }, undefined, T + 1],
    [{ exp: T + 1.5 }, undefined, T + 1],
    [{ exp: T }, 'expired', undefined],
    [{ exp: T - 1 }, 'expired', undefined],
    [{ exp: 0 }, 'expired', undefined],
    [{ exp: -1 }, 'expired', undefined],
    [{ exp: null }, undefined, 0],
    [{ nbf: T }, undefined, 0],
    [{ nbf: T + 1 }, 'expired', undefined],
    [{ nbf: T + 1, exp: T + 2 }, 'expired', undefined],
    [{ iat: T + 1000 }, undefined, 0],
    [{ exp: T + 10, expire_at: T + 20 }, undefined, T + 20],
    [{ exp: T + 10, expire_at: 0 }, undefined, 0],
    [{ expire_at: T + 20 }, undefined, T + 20],
    [{ expire_at: T - 20 }, undefined, T - 20],
    [{ exp: T - 1, expire_at: T + 20 }, 'expired', undefined],
    [{ exp: T - 1, expire_at: 0 }, 'expired', undefined],
    [{ exp: String(T + 1) }, 'invalid', undefined],
    [{ nbf: true }, 'invalid', undefined],
    [{ expire_at: {} }, 'invalid', undefined],
  ])('%j', async (claims, refused, expireAt) => {
    const expected = refused === undefined ? { expireAt } : { refused };
    expect(await tokens.connection(sign({ sub: '42', ...claims }))).toMatchObject(expected);
    expect(await tokens.subscription(sign({ sub: '42', channel: 'x', ...claims }))).toMatchObject(expected);
  });

  it('refuses numbers that no time is', async () => {
    expect(await tokens.connection(sign('{"sub":"42","exp":1e999}'))).toMatchObject({ refused: 'invalid' });
  });

  it('ends a token that was good before', async () => {
    let seconds = T;
    const stepped = createTokens(
      tokenOptions(),
      judges(() => seconds * 1000),
    );
    const token = sign({ sub: '42', exp: T + 60 });
    expect(await stepped.connection(token)).toMatchObject({ user: '42' });
    seconds += 60;
    expect(await stepped.connection(token)).toMatchObject({ refused: 'expired' });
  });

  it('is said of good tokens only', async () => {
    for (const claims of [
      { exp: T - 1, aud: 'them' },
      { exp: T - 1, channel: 'x' },
      { exp: T - 1, info: 1, sub: 1 },
    ]) {
      expect(await tokensWith({ audience: 'us' }).connection(sign(claims))).toMatchObject({
        refused: 'invalid',
      });
    }
    expect(await tokens.connection(sign({ exp: T - 1 }, 'another secret'))).toMatchObject({
      refused: 'invalid',
    });
  });
});

describe('audience and issuer', () => {
  const evil = `${'a'.repeat(255)}!`;
  it.each<[Partial<TokenSection>, object, boolean]>([
    [{ audience: 'us' }, { aud: 'us' }, true],
    [{ audience: 'us' }, { aud: ['them', 'us'] }, true],
    [{ audience: 'us' }, { aud: 'them' }, false],
    [{ audience: 'us' }, { aud: 'us2' }, false],
    [{ audience: 'us' }, { aud: [] }, false],
    [{ audience: 'us' }, {}, false],
    [{ audience: 'us' }, { aud: 5 }, false],
    [{ audience: 'us' }, { aud: ['us', 5] }, false],
    [{ audience_regex: '^u(s|k)$' }, { aud: ['them', 'uk'] }, true],
    [{ audience_regex: '^u(s|k)$' }, { aud: 'usa' }, false],
    [{ audience_regex: '^u(s|k)$' }, {}, false],
    [{ audience_regex: '(a+)+$' }, { aud: evil }, false],
    [{ issuer: 'me' }, { iss: 'me' }, true],
    [{ issuer: 'me' }, { iss: 'you' }, false],
    [{ issuer: 'me' }, {}, false],
    [{ issuer: 'me' }, { iss: ['me'] }, false],
    [{ issuer_regex: '^https://[a-z]+\\.example$' }, { iss: 'https://a.example' }, true],
    [{ issuer_regex: '^https://[a-z]+\\.example$' }, { iss: 'https://a.example.evil' }, false],
    [{ issuer_regex: '(a+)+$' }, { iss: evil }, false],
    [{}, { aud: 5, iss: 5 }, true],
  ])('%j %j: %j', async (section, claims, good) => {
    const outcome = good ? { user: '42' } : { refused: 'invalid' };
    expect(await tokensWith(section).connection(sign({ sub: '42', ...claims }))).toMatchObject(outcome);
    expect(
      await tokensWith(section).subscription(sign({ sub: '42', channel: 'x', ...claims })),
    ).toMatchObject(outcome);
  });
});

describe('user', () => {
  it.each<[string, string, string | undefined]>([
    ['{"sub":"42"}', '', '42'],
    ['{}', '', ''],
    ['{"sub":null}', '', ''],
    ['{"sub":""}', '', ''],
    ['{"sub":42}', '', undefined],
    ['{"sub":{}}', '', undefined],
    ['{"sub":"1","sub":"2"}', '', '2'],
    ['{"sub":"1","uid":"42"}', 'uid', '42'],
    ['{"sub":"1"}', 'uid', ''],
    ['{"uid":42}', 'uid', '42'],
    ['{"uid": 12345678901234567890 }', 'uid', '12345678901234567890'],
    ['{"uid":12345678901234567891}', 'uid', '12345678901234567891'],
    ['{"uid":1.0}', 'uid', '1.0'],
    ['{"uid":true}', 'uid', undefined],
    ['{"uid":["42"]}', 'uid', undefined],
    ['{"sub":"42"}', 'constructor', undefined],
    ['{"__proto__":{"uid":"42"}}', 'uid', ''],
  ])('%s by claim %j: %j', async (payload, user_id_claim, user) => {
    const token = await tokensWith({ user_id_claim }).connection(sign(payload));
    expect(token).toMatchObject(user === undefined ? { refused: 'invalid' } : { user });
  });
});

describe('payloads of tokens', () => {
  it.each([
    // info as it stands in the token, as it comes out
    ['{"a":1.0,"b":12345678901234567890,"a":[ ]}', '{"a":1.0,"b":12345678901234567890,"a":[ ]}'],
    ['{"z":1,"a":{"\\u0041":"\\/é😀"}}', '{"z":1,"a":{"\\u0041":"\\/é😀"}}'],
    ['  [ 1 , 2 ]  ', '[ 1 , 2 ]'],
    ['"text"', '"text"'],
    ['1e2', '1e2'],
    ['false', 'false'],
    ['null', undefined],
  ])('%j stays as it is', async (raw, expected) => {
    const connection = await tokens.connection(sign(`{"sub":"42","info":${raw},"meta": ${raw}}`));
    expect(utf8((connection as { info?: Uint8Array }).info)).toBe(expected);
    expect(utf8((connection as { meta?: Uint8Array }).meta)).toBe(expected);
    const subscription = await tokens.subscription(sign(`{"channel":"x","data":${raw},"info":${raw}}`));
    expect(utf8((subscription as { info?: Uint8Array }).info)).toBe(expected);
    expect(utf8((subscription as { data?: Uint8Array }).data)).toBe(expected);
    const served = await tokens.connection(sign(`{"subs":{"x":{"info":${raw},"data":${raw}}}}`));
    const sub = (
      served as { subscriptions: ReadonlyMap<string, { info?: Uint8Array; data?: Uint8Array }> }
    ).subscriptions.get('x');
    expect(utf8(sub?.info)).toBe(expected);
    expect(utf8(sub?.data)).toBe(expected);
  });

  it('are taken from the top of the token, the last one of a name', async () => {
    const connection = await tokens.connection(sign('{"x":{"info":1},"info":2,"info":3,"info2":4}'));
    expect(utf8((connection as { info?: Uint8Array }).info)).toBe('3');
  });

  it('do not keep the whole token in memory', async () => {
    const { info } = (await tokens.connection(sign({ info: { a: 1 }, more: 'x'.repeat(1000) }))) as {
      info: Uint8Array;
    };
    expect(info.buffer.byteLength).toBe(info.length);
  });

  it('may be base64, which wins', async () => {
    const b64info = Buffer.from([0, 255, 1]).toString('base64');
    expect(await tokens.connection(sign({ info: { a: 1 }, b64info }))).toMatchObject({
      info: new Uint8Array([0, 255, 1]),
    });
    const subscription = await tokens.subscription(sign({ channel: 'x', b64data: 'AAE=', b64info: '' }));
    expect(subscription).toMatchObject({ data: new Uint8Array([0, 1]) });
    expect(subscription).not.toHaveProperty('info');
  });

  it.each(['AAE', 'A-_A', 'AA AA', 'AAE=\n', '====', 5])(
    'refuses base64 that is none: %j',
    async (b64info) => {
      expect(await tokens.connection(sign({ b64info }))).toMatchObject({ refused: 'invalid' });
    },
  );

  it('refuses what is nested too deep', async () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    expect(await tokens.connection(sign(`{"sub":"42","info":${deep}}`))).toMatchObject({
      refused: 'invalid',
    });
  });
});

describe('server-side subscriptions', () => {
  it.each<[object, Record<string, object> | undefined]>([
    [{}, {}],
    [{ channels: null, subs: null }, {}],
    [{ channels: [] }, {}],
    [{ channels: ['a', 'b', 'a'] }, { a: {}, b: {} }],
    [{ channels: ['a'], subs: {} }, { a: {} }],
    [{ channels: ['a'], subs: { b: {} } }, { b: {} }],
    [{ subs: { b: null } }, { b: {} }],
    [{ subs: { constructor: {} } }, { constructor: {} }],
    [
      { subs: { b: { override: { presence: { value: true }, join_leave: null, unknown: 1 } } } },
      { b: { override: { presence: true } } },
    ],
    [{ channels: 'a' }, { a: {} }],
    [{ channels: [1] }, undefined],
    [{ channels: {} }, undefined],
    [{ subs: [] }, undefined],
    [{ subs: 'a' }, undefined],
    [{ subs: { b: 1 } }, undefined],
    [{ subs: { b: { override: true } } }, undefined],
    [{ subs: { b: { override: { presence: true } } } }, undefined],
    [{ subs: { b: { override: { presence: { value: 1 } } } } }, undefined],
    [{ subs: { b: { b64info: '!' } } }, undefined],
  ])('%j', async (claims, expected) => {
    const outcome =
      expected === undefined ? { refused: 'invalid' } : { subscriptions: new Map(Object.entries(expected)) };
    expect(await tokens.connection(sign(claims))).toMatchObject(outcome);
  });

  it('has no special names', async () => {
    const token = await tokens.connection(sign('{"subs":{"__proto__":{"info":1}}}'));
    expect(token).toMatchObject({
      subscriptions: new Map([['__proto__', { info: new Uint8Array([0x31]) }]]),
    });
  });
});

describe('the two kinds of tokens', () => {
  it('are not taken for each other', async () => {
    expect(await tokens.connection(sign({ sub: '42', channel: 'x' }))).toMatchObject({ refused: 'invalid' });
    expect(await tokens.connection(sign({ sub: '42', channel: '' }))).toMatchObject({ user: '42' });
    expect(await tokens.connection(sign({ sub: '42', channel: 5 }))).toMatchObject({ refused: 'invalid' });
    expect(await tokens.subscription(sign({ sub: '42' }))).toMatchObject({ refused: 'invalid' });
    expect(await tokens.subscription(sign({ sub: '42', channel: '' }))).toMatchObject({ refused: 'invalid' });
  });

  it('say what they say', async () => {
    const override = {
      presence: { value: true },
      join_leave: { value: false },
      force_push_join_leave: { value: true },
      force_positioning: { value: false },
      force_recovery: { value: true },
    };
    const token = sign({ sub: '42', channel: 'x', client: 'c', override, exp: T + 5 });
    expect(await tokens.subscription(token)).toStrictEqual({
      user: '42',
      channel: 'x',
      client: 'c',
      expireAt: T + 5,
      override: {
        presence: true,
        joinLeave: false,
        forcePushJoinLeave: true,
        forcePositioning: false,
        forceRecovery: true,
      },
    });
    expect(await tokens.connection(sign({ sub: '42', caps: [], labels: {} }))).toStrictEqual({
      user: '42',
      expireAt: 0,
      subscriptions: new Map(),
    });
  });
});
