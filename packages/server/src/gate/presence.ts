import type { Client } from '@gyre/node';
import { clientError } from '@gyre/protocol';
import { may, namespaceOf } from './access.ts';
import type { Policy } from './policy.ts';

/**
 * Returns where a client may see who is in a channel.
 * @throws ClientError 102, 103, 107, 108
 */
export function presence(policy: Policy, client: Client, channel: string): void {
  const namespace = namespaceOf(policy, channel);
  if (!namespace.options.presence) throw clientError('notAvailable');
  if (!may('presence', policy, client.user, client.isSubscribed(channel), namespace)) {
    throw clientError('permissionDenied');
  }
}
