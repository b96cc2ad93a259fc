import { clientError } from '@gyre/protocol';
import type { Namespace, Policy } from './policy.ts';

/**
 * The namespace of a channel that a client names.
 * @throws ClientError 102 where it is not configured, 107 where the name breaks the rules for clients
 */
export function namespaceOf(policy: Policy, channel: string): Namespace {
  const namespace = policy.channels.find(channel);
  if (namespace === undefined) throw clientError('unknownChannel');
  if (!policy.channels.isClientName(channel, namespace)) throw clientError('badRequest');
  return namespace;
}

/** Whether a user may subscribe without a token. Private channels are another question, asked before. */
export function maySubscribe(policy: Policy, user: string, channel: string, namespace: Namespace): boolean {
  if (policy.client.insecure) return true;
  // The list has the last word: a user that is not on it gets no second chance by another option.
  if (policy.channels.isUserLimited(channel, namespace)) return policy.channels.admitsUser(channel, user);
  const { allow_subscribe_for_client: all, allow_subscribe_for_anonymous: anonymous } = namespace.options;
  return all && (user !== '' || anonymous);
}

/** What the three options of a kind are about. */
export type Act = 'publish' | 'presence' | 'history';

/**
 * Whether a client may publish to a channel, see who is in it, or read its history.
 * @param subscribed to that channel
 */
export function may(
  act: Act,
  policy: Policy,
  user: string,
  subscribed: boolean,
  { options }: Namespace,
): boolean {
  if (policy.client.insecure) return true;
  if (user === '' && !options[`allow_${act}_for_anonymous`]) return false;
  return options[`allow_${act}_for_client`] || (subscribed && options[`allow_${act}_for_subscriber`]);
}

/**
 * When something that a token grants ends, in unix seconds; undefined for never, as everything under `insecure`.
 * @param expireAt unix seconds; 0: never
 * @throws ClientError 110 where it has ended already
 */
export function endOf(policy: Policy, expireAt: number): number | undefined {
  if (expireAt === 0 || policy.client.insecure) return undefined;
  if (expireAt <= policy.now() / 1000) throw clientError('expired');
  return expireAt;
}
