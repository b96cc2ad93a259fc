import type { Target } from '@gyre/broker';
import type { TargetFields } from './messages.ts';

/** Whose connections a request is about. */
export function targetOf({ user, client, session }: TargetFields): Target {
  return { user, ...(client !== '' && { client }), ...(session !== '' && { session }) };
}
