// road in 5/5: rules, token → grant or refusal
import type { SubscriptionGrant } from '@gyre/broker';
import type { Client } from '@gyre/node';
import { clientError, type SubscribeRequest } from '@gyre/protocol';
import { endOf, may, maySubscribe, namespaceOf } from './access.ts';
import type { Asked, Namespace, Policy, SubscriptionToken } from './policy.ts';
import { boundToken } from './token.ts';

/** `SubscribeRequest.type` of a channel kind that is known and not served. */
const SHARED_POLL = 4;

/**
 * Whether a client may subscribe, and to what. With a token the token decides, without one the channel's options.
 * @throws ClientError 102, 103, 107, 108, 109, 110; Disconnect 3500 for a good token about somebody or something else
 */
export async function subscribe(
  policy: Policy,
  client: Client,
  request: SubscribeRequest,
): Promise<SubscriptionGrant> {
  const { channel } = request;
  if (request.type === SHARED_POLL) throw clientError('notAvailable');
  if (!policy.channels.isShortEnough(channel)) throw clientError('badRequest');
  const namespace = namespaceOf(policy, channel);
  if (request.type !== 0 || !namespace.streams) throw clientError('permissionDenied');

  if (request.token !== '') {
    const token = await tokenFor(policy, client, request);
    return tokenGrant(policy, namespace, askedModes(policy, client, request, namespace), token);
  }
  if (policy.channels.isPrivate(channel) || !maySubscribe(policy, client.user, channel, namespace)) {
    throw clientError('permissionDenied');
  }
  return namespace.grant(askedModes(policy, client, request, namespace));
}

async function tokenFor(
  policy: Policy,
  client: Client,
  request: SubscribeRequest,
): Promise<SubscriptionToken> {
  const token = await boundToken(policy, client, request.channel, request.token);
  if ('refused' in token)
    throw clientError(token.refused === 'expired' ? 'tokenExpired' : 'permissionDenied');
  return token;
}

function tokenGrant(
  policy: Policy,
  namespace: Namespace,
  asked: Asked,
  token: SubscriptionToken,
): SubscriptionGrant {
  const expireAt = endOf(policy, token.expireAt);
  return {
    ...namespace.grant(asked, token.override),
    ...(token.info === undefined ? {} : { chanInfo: token.info }),
    ...(token.data === undefined ? {} : { data: token.data }),
    ...(expireAt === undefined ? {} : { expireAt }),
  };
}

/**
 * The modes that the client wants and may have; others are passed over in silence, a tag filter aside. Who is about
 * to be subscribed counts as a subscriber.
 */
function askedModes(policy: Policy, client: Client, request: SubscribeRequest, namespace: Namespace): Asked {
  const { options } = namespace;
  const { user } = client;
  const filtered = request.tf !== undefined;
  if (filtered && !options.allow_tags_filter) throw clientError('badRequest');
  const history =
    (request.positioned || request.recoverable) && may('history', policy, user, true, namespace);
  return {
    positioned: request.positioned && (history || options.allow_positioning),
    recoverable: request.recoverable && (history || options.allow_recovery),
    joinLeave: request.joinLeave && options.join_leave && may('presence', policy, user, true, namespace),
    // A patch is made against what was sent before, and a filter decides anew each time what is sent.
    delta: request.delta !== '' && !filtered && options.allowed_delta_types.includes(request.delta),
  };
}
