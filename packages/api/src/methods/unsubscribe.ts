import type { Empty } from '@gyre/protocol';
import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import type { UnsubscribeRequest } from '../messages.ts';
import { targetOf } from '../target.ts';

/** Ends a subscription of a user's live connections. An empty channel is taken as a name, and does not mean all. */
export async function unsubscribe(request: UnsubscribeRequest, { rules, control }: Services): Promise<Empty> {
  const { channel } = request;
  if (channel !== '') {
    checkChannel(channel);
    // Only for its refusals: what cannot be subscribed cannot be unsubscribed.
    rules.subscribe(channel, {});
  }
  await control.send({ type: 'unsubscribe', target: targetOf(request), channel });
  return {};
}
