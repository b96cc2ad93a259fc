import { clientError, disconnect, type HistoryRequest } from '@gyre/protocol';
import type { Session } from '../session.ts';

/** Reads a channel's history, no more than one answer may hold. */
export async function history(session: Session, id: number, request: HistoryRequest): Promise<void> {
  const { channel, limit, since, reverse } = request;
  if (channel === '') throw disconnect('badRequest');
  const { gate, broker, options } = session.context;
  const kept = await gate.history(session, channel);
  if (reverse && since?.offset === 0) throw clientError('badRequest');
  const max = options.historyMaxPublicationLimit;
  const page = await broker.history(
    channel,
    { limit: limit < 0 ? max : Math.min(limit, max), ...(since === undefined ? {} : { since }), reverse },
    kept,
  );
  const { epoch, offset } = page.position;
  session.reply({ id, method: 'history', result: { publications: page.publications, epoch, offset } });
}
