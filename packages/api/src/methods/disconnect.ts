import { disconnectCodes, type Empty } from '@gyre/protocol';
import type { Services } from '../context.ts';
import type { DisconnectRequest } from '../messages.ts';
import { targetOf } from '../target.ts';

/** Closes a user's live connections. Code and reason go to the client as they are. */
export async function disconnect(request: DisconnectRequest, { control }: Services): Promise<Empty> {
  const { code, reason } = request.disconnect ?? disconnectCodes.forceDisconnect;
  await control.send({
    type: 'disconnect',
    target: targetOf(request),
    code,
    reason,
    whitelist: request.whitelist,
  });
  return {};
}
