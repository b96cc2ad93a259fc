import { disconnect, type RefreshRequest } from '@gyre/protocol';
import type { Session } from '../session.ts';
import { expiry } from '../timing.ts';

/** Gives the connection a longer life, by a new token. */
export async function refresh(session: Session, id: number, { token }: RefreshRequest): Promise<void> {
  if (token === '') throw disconnect('badRequest');
  const grant = await session.context.gate.refresh(session, token);
  if (grant.expired === true) throw disconnect('connectionExpired');
  if (grant.connInfo !== undefined) session.connInfo = grant.connInfo;
  session.timing.expires(grant.expireAt);
  session.reply({ id, method: 'refresh', result: expiry(grant.expireAt) });
}
