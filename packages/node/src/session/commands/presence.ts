import { clientError, disconnect, type ChannelRequest } from '@gyre/protocol';
import type { Session } from '../session.ts';

/** Lists who is in a channel, unless they are too many for one answer. */
export async function presence(session: Session, id: number, { channel }: ChannelRequest): Promise<void> {
  if (channel === '') throw disconnect('badRequest');
  const { gate, presence: manager, options } = session.context;
  await gate.presence(session, channel);
  const page = await manager.members(channel, { limit: options.presenceMaxMembers, cursor: '' });
  if (page.cursor !== undefined) throw clientError('limitExceeded');
  session.reply({ id, method: 'presence', result: { presence: page.members } });
}

/** Counts who is in a channel. */
export async function presenceStats(
  session: Session,
  id: number,
  { channel }: ChannelRequest,
): Promise<void> {
  if (channel === '') throw disconnect('badRequest');
  const { gate, presence: manager } = session.context;
  await gate.presence(session, channel);
  const { clients, users } = await manager.stats(channel);
  session.reply({ id, method: 'presence_stats', result: { numClients: clients, numUsers: users } });
}
