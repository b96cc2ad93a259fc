import { clientError, type Bytes } from '@gyre/protocol';
import type { Policy } from './policy.ts';

/**
 * Answers a call of the client, with no data: the built-in ping is the only method.
 * @throws ClientError 104 for another one, 108 where not even that is switched on
 */
export function rpc(policy: Policy, method: string): Bytes | undefined {
  const { ping } = policy.rpc;
  if (!ping.enabled) throw clientError('notAvailable');
  if (method !== ping.method) throw clientError('methodNotFound');
  return undefined;
}
