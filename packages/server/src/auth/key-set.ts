import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { Algorithm } from 'fast-jwt';
import { checkByKeys, type SignatureCheck } from './jwt.ts';

/** The algorithms that a key may be used with, by its type and curve. Secrets have no place in a public set. */
const algorithms: Readonly<Record<string, readonly Algorithm[]>> = {
  RSA: ['RS256', 'RS384', 'RS512'],
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA'],
};

const MIN_RSA_BITS = 2048;

type Jwk = Readonly<Record<string, unknown>>;

/** A JSON Web Key Set. */
export class KeySet {
  readonly #keys = new Map<string, Jwk[]>();
  /** Made when they are first asked for: a set may hold thousands of keys that nobody uses. */
  readonly #checks = new Map<string, SignatureCheck | undefined>();

  /** @throws Error where the document is no key set */
  constructor(document: Buffer) {
    const { keys } = JSON.parse(document.toString()) as { keys?: unknown };
    if (!Array.isArray(keys)) throw new Error('not a key set');
    for (const key of keys as readonly (Jwk | null)[]) {
      const kid = key?.['kid'];
      if (key === null || typeof kid !== 'string') continue;
      this.#keys.set(kid, [...(this.#keys.get(kid) ?? []), key]);
    }
  }

  /** A check against the keys of this id that are for signatures; undefined where there is none. */
  check(kid: string): SignatureCheck | undefined {
    if (!this.#keys.has(kid)) return undefined;
    if (!this.#checks.has(kid)) this.#checks.set(kid, this.#makeCheck(kid));
    return this.#checks.get(kid);
  }

  #makeCheck(kid: string): SignatureCheck | undefined {
    const keys = (this.#keys.get(kid) ?? []).flatMap((jwk) => {
      const allowed = algorithmsOf(jwk);
      const key = allowed.length === 0 ? undefined : publicKey(jwk);
      if (key === undefined) return [];
      const material = key.export({ type: 'spki', format: 'pem' }) as string;
      return [{ algorithms: allowed, material, validUntil: Infinity }];
    });
    return keys.length === 0 ? undefined : checkByKeys(keys, Date.now);
  }
}

/** What the key says of itself can only narrow what its type allows. */
function algorithmsOf({ kty, crv, use, alg }: Jwk): readonly Algorithm[] {
  if (use !== undefined && use !== 'sig') return [];
  const byType = `${String(kty)}${kty === 'RSA' ? '' : ` ${String(crv)}`}`;
  const allowed = (Object.hasOwn(algorithms, byType) ? algorithms[byType] : undefined) ?? [];
  return alg === undefined ? allowed : allowed.filter((name) => name === alg);
}

/** Undefined where the key is broken, or too short to be relied on. */
function publicKey(jwk: Jwk): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return (key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS ? undefined : key;
  } catch {
    return undefined;
  }
}
