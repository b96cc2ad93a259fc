import type { SubscriptionGrant } from '@gyre/broker';
import type { Empty } from '@gyre/protocol';
import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import type { SubscribeOptionOverride, SubscribeRequest } from '../messages.ts';
import { payload } from '../payload.ts';
import type { SubscribeOverride } from '../rules.ts';
import { targetOf } from '../target.ts';

function overrideOf(fields: SubscribeOptionOverride = {}): SubscribeOverride {
  const { presence, joinLeave, forcePushJoinLeave, forcePositioning, forceRecovery } = fields;
  return {
    ...(presence && { presence: presence.value }),
    ...(joinLeave && { joinLeave: joinLeave.value }),
    ...(forcePushJoinLeave && { forcePushJoinLeave: forcePushJoinLeave.value }),
    ...(forcePositioning && { forcePositioning: forcePositioning.value }),
    ...(forceRecovery && { forceRecovery: forceRecovery.value }),
  };
}

/** Subscribes a user's live connections. Nobody connected is no error, and nothing is kept for later. */
export async function subscribe(request: SubscribeRequest, { rules, control }: Services): Promise<Empty> {
  const { channel, recoverSince, expireAt } = request;
  checkChannel(channel);
  const chanInfo = payload(request.info, request.b64info);
  const data = payload(request.data, request.b64data);
  const grant: SubscriptionGrant = {
    ...rules.subscribe(channel, overrideOf(request.override)),
    ...(chanInfo.length > 0 && { chanInfo }),
    ...(data.length > 0 && { data }),
    ...(expireAt !== 0 && { expireAt }),
  };
  await control.send({
    type: 'subscribe',
    target: targetOf(request),
    channel,
    grant,
    ...(recoverSince && { recoverSince }),
  });
  return {};
}
