import { isUtf8 } from 'node:buffer';
import { createDecoder, createVerifier, TokenError, type DecodedJwt } from 'fast-jwt';
import type { VerificationKey } from './keys.ts';

/** A token whose signature holds. Nothing that it claims has been looked at yet. */
export interface Verified {
  readonly claims: Readonly<Record<string, unknown>>;
  /** The JSON text that `claims` was parsed from, well-formed UTF-8. */
  readonly text: Buffer;
}

/** Why a token is not accepted. */
export interface Refused {
  readonly refused: 'invalid' | 'expired';
  /** For whoever runs the server; holds nothing of the token. */
  readonly because: string;
}

/** Checks the signature of a token. A promise where keys have to be fetched. */
export type SignatureCheck = (token: string) => Verified | Refused | Promise<Verified | Refused>;

/** Header members by which a token asks for a key of its own, or for rules that we do not know. */
const refusedHeaders = ['crit', 'jwk', 'jku', 'x5u', 'x5c'];

/** How an outcome is said that means no more than "not this key". */
export const OTHER_ALGORITHM = 'there is no key for its algorithm';

/**
 * A check against keys of the configuration. The algorithms are those that belong to the keys; without a key every
 * token is refused. Nothing is remembered from one token to the next.
 * @param now unix milliseconds
 */
export function checkByKeys(keys: readonly VerificationKey[], now: () => number): SignatureCheck {
  const verifiers = keys.map(({ algorithms, material, validUntil }) => ({
    validUntil,
    verify: createVerifier({
      key: material,
      algorithms: [...algorithms],
      complete: true,
      cache: false,
      // Times are judged with the other claims.
      ignoreExpiration: true,
      ignoreNotBefore: true,
    }) as (token: string) => DecodedJwt,
  }));

  return (token) => {
    let because = OTHER_ALGORITHM;
    for (const { verify, validUntil } of verifiers) {
      if (validUntil < now()) continue;
      try {
        return accept(verify(token));
      } catch (error) {
        if (!(error instanceof TokenError)) throw error;
        if (error.code !== TokenError.codes.invalidAlgorithm) because = error.message;
      }
    }
    return invalid(because);
  };
}

/** A check that believes every signature, none included: for development. */
export function checkNothing(): SignatureCheck {
  return (token) => {
    const decoded = decodeToken(token);
    return 'refused' in decoded ? decoded : accept(decoded);
  };
}

const decode = createDecoder({ complete: true }) as (token: string) => DecodedJwt;

/** Takes a token apart and looks at its header. The signature is not looked at: nothing in it may be relied on. */
export function decodeToken(token: string): DecodedJwt | Refused {
  try {
    const decoded = decode(token);
    return refusedHeader(decoded) ?? decoded;
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return invalid(error.message);
  }
}

function refusedHeader({ header }: DecodedJwt): Refused | undefined {
  const name = refusedHeaders.find((member) => member in header);
  return name === undefined ? undefined : invalid(`header ${name}`);
}

function accept(decoded: DecodedJwt): Verified | Refused {
  const { payload, input } = decoded;
  const refused = refusedHeader(decoded);
  if (refused !== undefined) return refused;
  const text = Buffer.from(input.slice(input.indexOf('.') + 1), 'base64url');
  if (!isUtf8(text)) return invalid('payload is not UTF-8');
  return { claims: payload as Record<string, unknown>, text };
}

/** A refusal of a token that is not right, now or ever. */
export function invalid(because: string): Refused {
  return { refused: 'invalid', because };
}
