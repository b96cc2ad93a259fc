import type { HistoryOptions } from '@gyre/broker';
import type { Client } from '@gyre/node';
import { clientError } from '@gyre/protocol';
import { may, namespaceOf } from './access.ts';
import type { Policy } from './policy.ts';

/**
 * How a channel is kept, where a client may read it.
 * @throws ClientError 102, 103, 107, 108
 */
export function history(policy: Policy, client: Client, channel: string): HistoryOptions {
  const namespace = namespaceOf(policy, channel);
  if (namespace.history === undefined) throw clientError('notAvailable');
  if (!may('history', policy, client.user, client.isSubscribed(channel), namespace)) {
    throw clientError('permissionDenied');
  }
  return namespace.history;
}
