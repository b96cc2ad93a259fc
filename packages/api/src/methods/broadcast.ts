import type { Context } from '../context.ts';
import { badRequest } from '../errors.ts';
import { atOnce } from '../flow.ts';
import type { BroadcastRequest, BroadcastResult } from '../messages.ts';
import { payload } from '../payload.ts';
import { publishTo } from './publish.ts';

/** Publishes the same into many channels, each with an answer of its own. No order across channels. */
export async function broadcast(request: BroadcastRequest, context: Context): Promise<BroadcastResult> {
  if (request.channels.length === 0) throw badRequest();
  const data = payload(request.data, request.b64data);
  const responses = await atOnce(request.channels, (channel) =>
    context.settle(() => publishTo(channel, data, request, context)),
  );
  return { responses };
}
