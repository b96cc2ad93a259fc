import type { Client } from '@gyre/node';
import { disconnect } from '@gyre/protocol';
import type { ConnectionToken, Policy, Refused, SubscriptionToken } from './policy.ts';

/** A connection token, or why it is none; the reason is logged. */
export async function connectionToken(
  policy: Policy,
  client: Client,
  text: string,
): Promise<ConnectionToken | Refused> {
  const token = await policy.tokens.connection(text);
  if ('refused' in token) {
    policy.log.info?.('connection token refused', { client: client.id, because: token.because });
  }
  return token;
}

/**
 * A subscription token for this client and channel, or why it is none; the reason is logged.
 * @throws Disconnect 3500 where it is good, but about another user, client or channel
 */
export async function boundToken(
  policy: Policy,
  client: Client,
  channel: string,
  text: string,
): Promise<SubscriptionToken | Refused> {
  const token = await policy.tokens.subscription(text);
  const log = (because: string): void => {
    policy.log.info?.('subscription token refused', {
      client: client.id,
      user: client.user,
      channel,
      because,
    });
  };
  if ('refused' in token) {
    log(token.because);
    return token;
  }
  const bound =
    token.channel === channel &&
    token.user === client.user &&
    (token.client === '' || token.client === client.id);
  if (!bound) {
    log('of another channel, user or client');
    throw disconnect('invalidToken');
  }
  return token;
}
