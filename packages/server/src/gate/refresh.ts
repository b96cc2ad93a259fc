import type { Client, RefreshGrant, SubRefreshGrant } from '@gyre/node';
import { ClientError, clientError, disconnect, errorCodes } from '@gyre/protocol';
import { endOf } from './access.ts';
import { rememberSubscriptions } from './connect.ts';
import type { Policy } from './policy.ts';
import { boundToken, connectionToken } from './token.ts';

/**
 * Whether a connection may go on, by a new token.
 * @throws ClientError 110; Disconnect 3010 where the token has other server-side subscriptions (the client comes back
 *   and gets them), 3500, 3501
 */
export async function refresh(policy: Policy, client: Client, text: string): Promise<RefreshGrant> {
  if (text === '') throw disconnect('badRequest');
  const token = await connectionToken(policy, client, text);
  if ('refused' in token) {
    if (token.refused === 'expired') return { expired: true };
    throw disconnect('invalidToken');
  }
  if (token.user !== client.user) throw disconnect('invalidToken');
  if (rememberSubscriptions(token.subscriptions) !== client.remembered) throw disconnect('insufficientState');
  const expireAt = endOf(policy, token.expireAt);
  return {
    ...(expireAt === undefined ? {} : { expireAt }),
    ...(token.info === undefined ? {} : { connInfo: token.info }),
    ...(token.meta === undefined ? {} : { meta: token.meta }),
  };
}

/**
 * Whether a subscription, which the client has, may go on, by a new token.
 * @throws ClientError 107, 109, 110; Disconnect 3500
 */
export async function subRefresh(
  policy: Policy,
  client: Client,
  channel: string,
  text: string,
): Promise<SubRefreshGrant> {
  if (text === '') throw clientError('badRequest');
  const token = await boundToken(policy, client, channel, text);
  if ('refused' in token) {
    if (token.refused === 'invalid') throw disconnect('invalidToken');
    // Temporary, so that the client asks its backend for another token; the subscription stays until its own end.
    throw new ClientError(errorCodes.tokenExpired.code, errorCodes.tokenExpired.message, true);
  }
  const expireAt = endOf(policy, token.expireAt);
  return {
    ...(expireAt === undefined ? {} : { expireAt }),
    ...(token.info === undefined ? {} : { chanInfo: token.info }),
  };
}
