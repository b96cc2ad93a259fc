import { disconnectCodes, type Empty } from '@gyre/protocol';
import type { Services } from '../context.ts';
import type { DisconnectRequest } from '../messages.ts';
import { badRequest } from '../errors.ts';
import { targetOf } from '../target.ts';

/** Codes for applications; what lies beyond reaches clients as another code, or as none. */
function isCloseCode(code: number): boolean {
  return code >= 3000 && code <= 4999;
}

/** Closes a user's live connections. Code and reason go to the client as they are. */
export async function disconnect(request: DisconnectRequest, { control }: Services): Promise<Empty> {
  const given = request.disconnect;
  const { code, reason } = given === undefined || given.code === 0 ? disconnectCodes.forceDisconnect : given;
  if (!isCloseCode(code))
    throw badRequest('a disconnect code is one that a close frame can carry: 3000 to 4999');
  await control.send({
    type: 'disconnect',
    target: targetOf(request),
    code,
    reason,
    whitelist: request.whitelist,
  });
  return {};
}
