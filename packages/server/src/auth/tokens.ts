import type { Bytes } from '@gyre/protocol';
import { compilePattern } from '../regex.ts';
import {
  checkByKeys,
  checkNothing,
  invalid,
  type Refused,
  type SignatureCheck,
  type Verified,
} from './jwt.ts';
import * as claim from './claims.ts';
import { checkByKeySets } from './jwks.ts';
import { loadKeys } from './keys.ts';
import type { KeySets } from './key-sets.ts';
import type { TokenOptions, TokenSection } from './options.ts';

/** A connection token that may be relied on. */
export interface ConnectionToken {
  /** "" for anonymous. */
  readonly user: string;
  /** Unix seconds at which the connection ends; 0: never. */
  readonly expireAt: number;
  readonly info?: Bytes;
  readonly meta?: Bytes;
  /** Server-side subscriptions, by channel. */
  readonly subscriptions: ReadonlyMap<string, claim.TokenSubscription>;
}

/** A subscription token that may be relied on, once it is seen to be about this user, client and channel. */
export interface SubscriptionToken {
  readonly user: string;
  /** "" where the token is for any client of the user. */
  readonly client: string;
  readonly channel: string;
  /** Unix seconds at which the subscription ends; 0: never. */
  readonly expireAt: number;
  readonly info?: Bytes;
  readonly data?: Bytes;
  readonly override?: claim.Override;
}

/** Tells good tokens from others. */
export interface Tokens {
  connection(token: string): Promise<ConnectionToken | Refused>;
  subscription(token: string): Promise<SubscriptionToken | Refused>;
}

/** What tokens are judged with. */
export interface Judges {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Keys that are fetched. */
  readonly keySets: KeySets;
}

/**
 * Token checks by the keys of the configuration.
 * @throws Error for a key or pattern that is none, naming the option
 */
export function createTokens(options: TokenOptions, judges: Judges): Tokens {
  const separate = options.subscription_token.enabled;
  const skip = options.insecure_skip_token_signature_verify;
  const connection = createCheck(options.token, 'client.token', skip, judges);
  const subscription = separate
    ? createCheck(options.subscription_token, 'client.subscription_token', skip, judges)
    : connection;
  return {
    connection: (token) => connection(token, connectionToken),
    subscription: (token) => subscription(token, subscriptionToken),
  };
}

type Read<T> = (verified: Verified, user: string) => T;
type Check = <T>(token: string, read: Read<T>) => Promise<T | Refused>;

/** Everything that is the same for both kinds of tokens: signature, audience, issuer, and last of all the time. */
function createCheck(section: TokenSection, path: string, skip: boolean, judges: Judges): Check {
  const signature = skip ? checkNothing() : signatureCheck(section, path, judges);
  const audience = textCheck(section.audience, section.audience_regex, `${path}.audience_regex`);
  const issuer = textCheck(section.issuer, section.issuer_regex, `${path}.issuer_regex`);
  const userClaim = section.user_id_claim;

  return async (token, read) => {
    const verified = await signature(token);
    if ('refused' in verified) return verified;
    const { claims, text } = verified;
    try {
      if (audience !== undefined && !claim.stringsClaim(claims, 'aud').some(audience))
        return invalid(`claim aud is not what ${path}.audience or audience_regex asks for`);
      if (issuer !== undefined && !issuer(claim.stringClaim(claims, 'iss'))) {
        return invalid(`claim iss is not what ${path}.issuer or issuer_regex asks for`);
      }
      const user =
        userClaim === '' ? claim.stringClaim(claims, 'sub') : claim.userClaim(claims, text, userClaim);
      const result = read(verified, user);
      return timely(verified, judges.now() / 1000) ?? result;
    } catch (error) {
      if (error instanceof SyntaxError) return invalid(error.message);
      throw error;
    }
  };
}

function signatureCheck(section: TokenSection, path: string, { now, keySets }: Judges): SignatureCheck {
  if (section.jwks_public_endpoint !== '') return checkByKeySets(section, path, keySets);
  return checkByKeys(loadKeys(section, path), now);
}

function textCheck(plain: string, regex: string, option: string): ((text: string) => boolean) | undefined {
  if (plain !== '') return (text) => text === plain;
  if (regex === '') return undefined;
  try {
    const pattern = compilePattern(regex);
    return (text) => pattern.test(text);
  } catch (cause) {
    throw new Error(`${option}: ${(cause as Error).message}`, { cause });
  }
}

/** Undefined where the token is neither over nor not yet begun. */
function timely({ claims }: Verified, seconds: number): Refused | undefined {
  const exp = claim.numberClaim(claims, 'exp');
  if (exp !== undefined && exp <= seconds) return { refused: 'expired', because: 'expired: exp has passed' };
  const nbf = claim.numberClaim(claims, 'nbf');
  if (nbf !== undefined && nbf > seconds)
    return { refused: 'expired', because: 'not yet valid: nbf is ahead' };
  return undefined;
}

/** `expire_at` has the word where it is said, else the token's own end is the end of what it grants. */
function expiry(claims: Verified['claims']): number {
  const at = claim.numberClaim(claims, 'expire_at');
  return Math.floor(at ?? claim.numberClaim(claims, 'exp') ?? 0);
}

const noMembers: claim.Members = new Map();
const noSubscriptions: ReadonlyMap<string, claim.TokenSubscription> = new Map();

function connectionToken({ claims, text }: Verified, user: string): ConnectionToken {
  // So that a token for one channel does not open a connection.
  if (claim.stringClaim(claims, 'channel') !== '')
    throw new SyntaxError('claim channel in a connection token');
  const { subs = null, channels = null } = claims;
  const members =
    'info' in claims || 'meta' in claims || subs !== null ? claim.membersAt(text, 0) : noMembers;
  const info = claim.payloadClaim(claims, text, members, 'info');
  const meta = claim.rawMember(text, members, 'meta');
  return {
    user,
    expireAt: expiry(claims),
    subscriptions:
      subs === null && channels === null ? noSubscriptions : claim.subscriptionsClaim(claims, text, members),
    ...(info === undefined ? {} : { info }),
    ...(meta === undefined ? {} : { meta }),
  };
}

function subscriptionToken({ claims, text }: Verified, user: string): SubscriptionToken {
  const channel = claim.stringClaim(claims, 'channel');
  if (channel === '') throw new SyntaxError('claim channel is missing');
  const members = 'info' in claims || 'data' in claims ? claim.membersAt(text, 0) : noMembers;
  const info = claim.payloadClaim(claims, text, members, 'info');
  const data = claim.payloadClaim(claims, text, members, 'data');
  const override = claim.overrideClaim(claims);
  return {
    user,
    client: claim.stringClaim(claims, 'client'),
    channel,
    expireAt: expiry(claims),
    ...(info === undefined ? {} : { info }),
    ...(data === undefined ? {} : { data }),
    ...(override === undefined ? {} : { override }),
  };
}
