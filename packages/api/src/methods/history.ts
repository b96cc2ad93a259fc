import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import { badRequest } from '../errors.ts';
import type { HistoryRequest, HistoryResult } from '../messages.ts';

/** Reads a channel's stream; no limit of the clients' applies. */
export async function history(request: HistoryRequest, { broker, rules }: Services): Promise<HistoryResult> {
  const { channel, limit, since, reverse } = request;
  checkChannel(channel);
  const options = rules.history(channel);
  if (reverse && since?.offset === 0) throw badRequest('nothing stands before offset 0');
  const page = await broker.history(channel, { limit, reverse, ...(since && { since }) }, options);
  return { publications: page.publications, epoch: page.position.epoch, offset: page.position.offset };
}
