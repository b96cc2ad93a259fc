import type { SubscriptionGrant } from '@gyre/broker';
import type { Client, ConnectGrant, ConnectQuestion } from '@gyre/node';
import { clientError, disconnect, type SubscribeRequest } from '@gyre/protocol';
import { endOf, maySubscribe } from './access.ts';
import type { Asked, ConnectionToken, Namespace, Policy, TokenSubscription } from './policy.ts';
import { connectionToken } from './token.ts';

/** Everything that a client without a token gets. */
const nothing: ConnectionToken = { user: '', expireAt: 0, subscriptions: new Map() };

/**
 * Who connects, and with which server-side subscriptions.
 * @throws ClientError 102, 107, 109, 110; Disconnect 3500, 3501, 3507
 */
export async function connecting(
  policy: Policy,
  client: Client,
  question: ConnectQuestion,
): Promise<ConnectGrant> {
  const token =
    question.token === '' ? withoutToken(policy, client) : await withToken(policy, client, question.token);
  const { user, info, meta } = token;
  const expireAt = endOf(policy, token.expireAt);
  const personal = personalChannel(policy, user);
  const remember = rememberSubscriptions(token.subscriptions);
  return {
    user,
    subscriptions: serverSubscriptions(policy, token, personal, question.subs),
    ...(info === undefined ? {} : { connInfo: info }),
    ...(meta === undefined ? {} : { meta }),
    ...(expireAt === undefined ? {} : { expireAt, refreshBy: 'client' as const }),
    ...(remember === '' ? {} : { remember }),
    ...(personal !== undefined && policy.client.subscribe_to_user_personal_channel.single_connection
      ? { singleConnectionChannel: personal }
      : {}),
  };
}

/** The names of a token's server-side subscriptions, so that it can be told later whether another has the same. */
export function rememberSubscriptions(subscriptions: ReadonlyMap<string, unknown>): string {
  // No name has a newline: each of them was checked when its connection was opened.
  return subscriptions.size === 0 ? '' : [...subscriptions.keys()].sort().join('\n');
}

async function withToken(policy: Policy, client: Client, text: string): Promise<ConnectionToken> {
  const token = await connectionToken(policy, client, text);
  if ('refused' in token) {
    if (token.refused === 'expired') throw clientError('tokenExpired');
    throw disconnect('invalidToken');
  }
  if (token.user === '' && policy.client.disallow_anonymous_connection_tokens) {
    throw disconnect('permissionDenied');
  }
  return token;
}

function withoutToken(policy: Policy, client: Client): ConnectionToken {
  const {
    user_id_http_header: header,
    insecure,
    allow_anonymous_connect_without_token: anonymous,
  } = policy.client;
  // Real headers only: emulated ones are the client's own words.
  const user = header === '' ? '' : (client.headers.get(header.toLowerCase()) ?? '');
  if (user !== '') return { ...nothing, user };
  if (insecure || anonymous) return nothing;
  throw disconnect('badRequest', 'no token');
}

function personalChannel(policy: Policy, user: string): string | undefined {
  const { enabled, personal_channel_namespace: namespace } = policy.client.subscribe_to_user_personal_channel;
  return enabled && user !== '' ? policy.channels.personal(user, namespace) : undefined;
}

type Asks = ConnectQuestion['subs'];

/** What the token grants, then the personal channel, then those of the client's wishes that it may have. */
function serverSubscriptions(
  policy: Policy,
  token: ConnectionToken,
  personal: string | undefined,
  asks: Asks,
): ReadonlyMap<string, SubscriptionGrant> {
  const grants = new Map<string, SubscriptionGrant>();
  for (const [channel, options] of token.subscriptions) {
    grants.set(channel, serverGrant(policy, channel, options, asks));
  }
  if (personal !== undefined && !grants.has(personal)) {
    grants.set(personal, serverGrant(policy, personal, {}, asks));
  }
  for (const channel of Object.keys(asks)) {
    if (grants.has(channel)) continue;
    const namespace = policy.channels.find(channel);
    if (namespace === undefined) throw disconnect('badRequest');
    if (mayAsk(policy, token.user, channel, namespace)) {
      grants.set(channel, namespace.grant(askedModes(channel, namespace, asks)));
    }
  }
  return grants;
}

/** A subscription that a backend, or the configuration, wants: rules for names that clients say do not apply. */
function serverGrant(
  policy: Policy,
  channel: string,
  options: TokenSubscription,
  asks: Asks,
): SubscriptionGrant {
  const namespace = policy.channels.find(channel);
  if (namespace === undefined) throw clientError('unknownChannel');
  if (!policy.channels.isServerName(channel) || !namespace.streams) throw clientError('badRequest');
  const grant = namespace.grant(askedModes(channel, namespace, asks), options.override);
  const { info, data } = options;
  if (info === undefined && data === undefined) return grant;
  return {
    ...grant,
    ...(info === undefined ? {} : { chanInfo: info }),
    ...(data === undefined ? {} : { data }),
  };
}

/** Whether a client may name the channel when it connects: if it could subscribe by itself, without a token. */
function mayAsk(policy: Policy, user: string, channel: string, namespace: Namespace): boolean {
  const { channels } = policy;
  if (!namespace.streams || channels.isPrivate(channel) || !channels.isClientName(channel, namespace))
    return false;
  if (user === '' && channels.isUserLimited(channel, namespace)) return false;
  return maySubscribe(policy, user, channel, namespace);
}

/** Of what a client may ask about a server-side subscription, only deltas are not the server's to decide. */
function askedModes(channel: string, namespace: Namespace, asks: Asks): Asked {
  const request: SubscribeRequest | undefined = Object.hasOwn(asks, channel) ? asks[channel] : undefined;
  const delta =
    request !== undefined &&
    request.tf === undefined &&
    namespace.options.allowed_delta_types.includes(request.delta);
  return { positioned: false, recoverable: false, joinLeave: false, delta };
}
