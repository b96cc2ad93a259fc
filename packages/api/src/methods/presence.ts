import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import type { PresenceRequest, PresenceResult } from '../messages.ts';
import { checkPage } from '../page.ts';

/** Who is in a channel, all at once or by pages. */
export async function presence(request: PresenceRequest, services: Services): Promise<PresenceResult> {
  const { channel, limit, cursor } = request;
  checkChannel(channel);
  checkPage(request);
  services.rules.presence(channel);
  const page = await services.presence.members(channel, limit > 0 ? { limit, cursor } : undefined);
  return { presence: page.members, cursor: page.cursor };
}
