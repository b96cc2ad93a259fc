import type { Empty } from '@gyre/protocol';
import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import type { ChannelRequest } from '../messages.ts';

/** Forgets a channel's publications; offset and epoch stay, so that nobody has to start anew. */
export async function historyRemove(
  { channel }: ChannelRequest,
  { broker, rules }: Services,
): Promise<Empty> {
  checkChannel(channel);
  rules.history(channel);
  await broker.removeHistory(channel);
  return {};
}
