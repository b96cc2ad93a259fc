import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import type { ChannelRequest, PresenceStatsResult } from '../messages.ts';

/** How many connections and users are in a channel. */
export async function presenceStats(
  { channel }: ChannelRequest,
  services: Services,
): Promise<PresenceStatsResult> {
  checkChannel(channel);
  services.rules.presence(channel);
  const { clients, users } = await services.presence.stats(channel);
  return { numClients: clients, numUsers: users };
}
