import { readObject, type Bytes } from '@gyre/protocol';

/**
 * Readers of single claims. `null` is the same as absent. All throw SyntaxError where a claim is not what it has to be.
 */
type Claims = Readonly<Record<string, unknown>>;

/** What a backend changes of a channel's options for one subscription. */
export interface Override {
  readonly presence?: boolean;
  readonly joinLeave?: boolean;
  readonly forcePushJoinLeave?: boolean;
  readonly forcePositioning?: boolean;
  readonly forceRecovery?: boolean;
}

/** A server-side subscription as a connection token has it. */
export interface TokenSubscription {
  readonly info?: Bytes;
  readonly data?: Bytes;
  readonly override?: Override;
}

function refuse(name: string, expected: string): never {
  throw new SyntaxError(`claim ${name} is not ${expected}`);
}

/** "" where absent. */
export function stringClaim(claims: Claims, name: string): string {
  const value = claims[name] ?? '';
  return typeof value === 'string' ? value : refuse(name, 'a string');
}

/** Undefined where absent; else finite. */
export function numberClaim(claims: Claims, name: string): number | undefined {
  const value = claims[name] ?? undefined;
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(name, 'a number');
}

/** A string is a list of one; an empty list where absent. */
export function stringsClaim(claims: Claims, name: string): readonly string[] {
  const value = claims[name] ?? [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return refuse(name, 'a list of strings');
  for (const item of value) if (typeof item !== 'string') refuse(name, 'a list of strings');
  return value as string[];
}

/** Where the values of an object stand in its text, by key. Of two with the same key the last one counts. */
export type Members = ReadonlyMap<string, readonly [start: number, end: number]>;

/** Reads the object that stands at `at`. */
export function membersAt(text: Buffer, at: number): Members {
  const members = new Map<string, readonly [number, number]>();
  readObject(text, at, (key, start, end) => {
    members.set(key, [start, end]);
  });
  return members;
}

/**
 * The claim user id, of another name than `sub`: a string, or a number exactly as it is written (a double would make
 * one user of several big ones). "" where absent.
 */
export function userClaim(claims: Claims, text: Buffer, name: string): string {
  if (typeof claims[name] !== 'number') return stringClaim(claims, name);
  const [start, end] = membersAt(text, 0).get(name) ?? [0, 0];
  return text.toString('utf8', start, end);
}

/** The JSON text of a member, byte for byte, in memory of its own. */
export function rawMember(text: Buffer, members: Members, name: string): Bytes | undefined {
  const [start, end] = members.get(name) ?? [0, 0];
  // A value beginning with n can only be null.
  if (start === end || text[start] === 0x6e) return undefined;
  const copy = new Uint8Array(end - start);
  copy.set(text.subarray(start, end));
  return copy;
}

/** A payload: `b64<name>` decoded, or else the JSON text of `<name>`. */
export function payloadClaim(
  claims: Claims,
  text: Buffer,
  members: Members,
  name: string,
): Bytes | undefined {
  const encoded = stringClaim(claims, `b64${name}`);
  return encoded === '' ? rawMember(text, members, name) : fromBase64(encoded, `b64${name}`);
}

function fromBase64(text: string, name: string): Bytes {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) refuse(name, 'base64');
  return new Uint8Array(Buffer.from(text, 'base64'));
}

const overrides: readonly (readonly [keyof Override, string])[] = [
  ['presence', 'presence'],
  ['joinLeave', 'join_leave'],
  ['forcePushJoinLeave', 'force_push_join_leave'],
  ['forcePositioning', 'force_positioning'],
  ['forceRecovery', 'force_recovery'],
];

/** The claim `override`: `{"presence": {"value": true}, …}`. */
export function overrideClaim(claims: Claims): Override | undefined {
  const value = objectClaim(claims, 'override');
  if (value === undefined) return undefined;
  const override: { -readonly [K in keyof Override]: Override[K] } = {};
  for (const [key, name] of overrides) {
    const choice = objectClaim(value, name)?.['value'];
    if (typeof choice === 'boolean') override[key] = choice;
    else if (choice !== undefined) refuse(`override.${name}`, 'true or false');
  }
  return override;
}

function objectClaim(claims: Claims, name: string): Claims | undefined {
  const value = claims[name] ?? undefined;
  if (value === undefined || (typeof value === 'object' && !Array.isArray(value)))
    return value as Claims | undefined;
  return refuse(name, 'an object');
}

/**
 * The server-side subscriptions of a connection token: `subs`, or else the names in `channels`.
 * @param members those of the whole token
 */
export function subscriptionsClaim(
  claims: Claims,
  text: Buffer,
  members: Members,
): ReadonlyMap<string, TokenSubscription> {
  const subscriptions = new Map<string, TokenSubscription>();
  const place = objectClaim(claims, 'subs') === undefined ? undefined : members.get('subs');
  if (place !== undefined) {
    for (const [channel, [start, end]] of membersAt(text, place[0])) {
      subscriptions.set(channel, tokenSubscription(text.subarray(start, end)));
    }
  }
  if (subscriptions.size === 0) {
    for (const channel of stringsClaim(claims, 'channels')) subscriptions.set(channel, {});
  }
  return subscriptions;
}

function tokenSubscription(text: Buffer): TokenSubscription {
  const claims = objectClaim({ subs: JSON.parse(text.toString()) }, 'subs');
  if (claims === undefined) return {};
  const members = membersAt(text, 0);
  const info = payloadClaim(claims, text, members, 'info');
  const data = payloadClaim(claims, text, members, 'data');
  const override = overrideClaim(claims);
  return {
    ...(info === undefined ? {} : { info }),
    ...(data === undefined ? {} : { data }),
    ...(override === undefined ? {} : { override }),
  };
}
