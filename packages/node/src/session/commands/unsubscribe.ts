import { disconnect, type ChannelRequest } from '@gyre/protocol';
import { leave } from '../membership.ts';
import type { Session } from '../session.ts';

/** Ends a subscription, server-side ones too. Succeeds where there is none. */
export async function unsubscribe(session: Session, id: number, { channel }: ChannelRequest): Promise<void> {
  if (channel === '') throw disconnect('badRequest');
  const pending = session.subscribing.get(channel);
  // Commands come one after the other: it is the server that is subscribing the client.
  if (pending !== undefined) pending.revoked = true;
  const subscription = session.subscriptions.get(channel);
  if (subscription !== undefined) await leave(subscription);
  session.reply({ id, method: 'unsubscribe', result: {} });
}
