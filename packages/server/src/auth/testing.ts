import {
  createHmac,
  generateKeyPairSync,
  sign as signBytes,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { KeySets } from './key-sets.ts';
import type { TokenOptions, TokenSection } from './options.ts';
import type { Judges } from './tokens.ts';

export const SECRET = 'a secret of the tests';

export const noTokens: TokenSection = {
  hmac_secret_key: '',
  hmac_previous_secret_key: '',
  hmac_previous_secret_key_valid_until: 0,
  rsa_public_key: '',
  ecdsa_public_key: '',
  jwks_public_endpoint: '',
  audience: '',
  audience_regex: '',
  issuer: '',
  issuer_regex: '',
  user_id_claim: '',
  insecure_skip_jwks_endpoint_safety_check: false,
};

/** Options with one secret for both kinds of tokens, and what is given. */
export function tokenOptions(
  token: Partial<TokenSection> = {},
  rest: Partial<TokenOptions> = {},
): TokenOptions {
  return {
    token: { ...noTokens, hmac_secret_key: SECRET, ...token },
    subscription_token: { ...noTokens, enabled: false },
    insecure_skip_token_signature_verify: false,
    ...rest,
  };
}

/** @param now unix milliseconds */
export function judges(now: () => number): Judges {
  return { now, keySets: new KeySets({ now, log: {} }) };
}

/** A key pair, the public one as PEM and as JWK. */
export function keyPair(kind: 'rsa' | 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'Ed25519'): {
  pem: string;
  jwk: JsonWebKey;
  key: KeyObject;
} {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'Ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: kind });
  return {
    pem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    jwk: publicKey.export({ format: 'jwk' }),
    key: privateKey,
  };
}

function base64url(value: string | Buffer | object): string {
  if (value instanceof Buffer) return value.toString('base64url');
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/**
 * Makes a token. What it is about is decided by the caller alone, so that forged ones can be made too.
 * @param payload an object, or the text or bytes of the payload as they are
 * @param key a secret or a private key; the algorithm is the header's, unless `algorithm` says another
 */
export function sign(
  payload: string | Buffer | object,
  key: string | KeyObject = SECRET,
  header: object = { alg: 'HS256', typ: 'JWT' },
  algorithm: string = (header as { alg?: string }).alg ?? 'HS256',
): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  if (algorithm === 'EdDSA') {
    return `${input}.${signBytes(null, Buffer.from(input), key as KeyObject).toString('base64url')}`;
  }
  const hash = `sha${algorithm.slice(2)}`;
  if (typeof key === 'string') return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
  const padded = algorithm.startsWith('PS') ? { padding: 6, saltLength: Number(algorithm.slice(2)) / 8 } : {};
  const signature = signBytes(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363', ...padded });
  return `${input}.${signature.toString('base64url')}`;
}
