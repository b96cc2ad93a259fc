import type { Empty } from '@gyre/protocol';
import type { Services } from '../context.ts';
import type { RefreshRequest } from '../messages.ts';
import { targetOf } from '../target.ts';

/**
 * Moves the end of a user's live connections. An end that lies behind us is decided here, by one clock, so that every
 * node closes the same connections.
 */
export async function refresh(request: RefreshRequest, { control }: Services): Promise<Empty> {
  const { expireAt, info } = request;
  const ahead = expireAt > Date.now() / 1000;
  await control.send({
    type: 'refresh',
    target: targetOf(request),
    expired: request.expired || (expireAt !== 0 && !ahead),
    expireAt,
    ...(ahead && info.length > 0 && { info }),
  });
  return {};
}
