import { clientError, disconnect, type PublishRequest } from '@gyre/protocol';
import type { Session } from '../session.ts';

/** Publishes what the gate lets pass. Answered once the broker has accepted it. */
export async function publish(
  session: Session,
  id: number,
  { channel, data, type }: PublishRequest,
): Promise<void> {
  if (channel === '') throw disconnect('badRequest');
  if (type !== 0) throw clientError('notAvailable');
  const { publication, options } = await session.context.gate.publish(session, channel, data);
  await session.context.broker.publish(channel, publication, options);
  session.reply({ id, method: 'publish', result: {} });
}
