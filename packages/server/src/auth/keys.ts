import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Algorithm } from 'fast-jwt';
import { pemText } from '../pem.ts';
import type { TokenSection } from './options.ts';

/** A key and the only algorithms that it may be used with, whatever a token's header says. */
export interface VerificationKey {
  readonly algorithms: readonly Algorithm[];
  /** The secret, or the public key as PEM. */
  readonly material: string;
  /** Unix milliseconds after which it is not accepted any more. */
  readonly validUntil: number;
}

const HMAC: readonly Algorithm[] = ['HS256', 'HS384', 'HS512'];
const RSA: readonly Algorithm[] = ['RS256', 'RS384', 'RS512'];

/** ECDSA ties the hash to the curve. */
const ECDSA: Readonly<Record<string, Algorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/**
 * The keys of a section, in the order to try them.
 * @param path where the section stands in the configuration, for error messages
 * @throws Error where a key is not what its option asks for; the message names the option, never the key
 */
export function loadKeys(section: TokenSection, path: string): VerificationKey[] {
  const keys: VerificationKey[] = [];
  const add = (algorithms: readonly Algorithm[], material: string, validUntil = Infinity): void => {
    keys.push({ algorithms, material, validUntil });
  };
  const hmac = (option: 'hmac_secret_key' | 'hmac_previous_secret_key', validUntil?: number): void => {
    const secret = section[option];
    if (secret === '') return;
    // A public key used as a secret would let everybody sign.
    if (secret.includes('-----BEGIN ')) throw new Error(`${path}.${option}: a PEM key cannot be a secret`);
    add(HMAC, secret, validUntil);
  };

  hmac('hmac_secret_key');
  hmac('hmac_previous_secret_key', section.hmac_previous_secret_key_valid_until * 1000 || undefined);
  if (section.rsa_public_key !== '') {
    const key = publicKey(section.rsa_public_key, `${path}.rsa_public_key`);
    if (key.asymmetricKeyType !== 'rsa') throw new Error(`${path}.rsa_public_key: not an RSA key`);
    add(RSA, pem(key));
  }
  if (section.ecdsa_public_key !== '') {
    const key = publicKey(section.ecdsa_public_key, `${path}.ecdsa_public_key`);
    const algorithm = ECDSA[key.asymmetricKeyDetails?.namedCurve ?? ''];
    if (algorithm === undefined)
      throw new Error(`${path}.ecdsa_public_key: not a key of P-256, P-384 or P-521`);
    add([algorithm], pem(key));
  }
  return keys;
}

function pem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string;
}

/** Reads a key that is given as PEM, as base64 of PEM, or as the path of a PEM file. */
function publicKey(value: string, option: string): KeyObject {
  const text = pemText(value, option);
  if (text.includes('PRIVATE KEY-----')) {
    throw new Error(`${option}: a private key, the public one is needed`);
  }
  try {
    return createPublicKey(text);
  } catch (cause) {
    throw new Error(`${option}: not a public key in PEM`, { cause });
  }
}
