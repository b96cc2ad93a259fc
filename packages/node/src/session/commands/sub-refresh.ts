import { clientError, disconnect, type SubRefreshRequest } from '@gyre/protocol';
import type { Session } from '../session.ts';
import { expiry } from '../timing.ts';

/** Gives a subscription a longer life, by a new token. */
export async function subRefresh(
  session: Session,
  id: number,
  { channel, token }: SubRefreshRequest,
): Promise<void> {
  if (channel === '') throw disconnect('badRequest');
  const subscription = session.subscriptions.get(channel);
  if (subscription === undefined) throw clientError('permissionDenied');
  const refreshed = await session.context.gate.subRefresh(session, channel, token);
  if (refreshed.expired === true) throw clientError('expired');
  const { expireAt: _, ...grant } = subscription.grant;
  subscription.grant = {
    ...grant,
    ...(refreshed.chanInfo === undefined ? {} : { chanInfo: refreshed.chanInfo }),
    ...(refreshed.expireAt === undefined ? {} : { expireAt: refreshed.expireAt }),
  };
  session.timing.subscriptionExpires(refreshed.expireAt);
  session.reply({ id, method: 'sub_refresh', result: expiry(refreshed.expireAt) });
}
