import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import { badRequest } from '../errors.ts';
import type { HistoryRequest, HistoryResult } from '../messages.ts';

/** Reads a channel's stream; no limit of the clients' applies. */
export async function history(request: HistoryRequest, { broker, rules }: Services): Promise<HistoryResult> {
  const { channel, limit, since, reverse } = request;
  checkChannel(channel);
  const options = rules.history(channel);
  // Nothing stands before the first publication: such a question is a mistake.
  if (reverse && since?.offset === 0) throw badRequest();
  const page = await broker.history(channel, { limit, reverse, ...(since && { since }) }, options);
  return { publications: page.publications, epoch: page.position.epoch, offset: page.position.offset };
}
