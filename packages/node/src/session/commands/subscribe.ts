// road in 4/5: ask the gate, then hub, broker, recovery
import { SubscribeFlag, clientError, compileFilter, disconnect, type SubscribeRequest } from '@gyre/protocol';
import { abandon, announceJoin, join, prepare } from '../membership.ts';
import type { Session } from '../session.ts';

/** Subscribes to a channel. The answer holds what the client missed; all that follows is pushed after it. */
export async function subscribe(session: Session, id: number, request: SubscribeRequest): Promise<void> {
  const { channel } = request;
  check(session, request);
  const grant = await session.context.gate.subscribe(session, request);
  const candidate = await prepare(session, {
    channel,
    grant,
    serverSide: false,
    filter: request.tf === undefined ? undefined : compileFilter(request.tf),
    since: request.recover ? { offset: request.offset, epoch: request.epoch } : undefined,
  });
  if ((request.flag & SubscribeFlag.rejectUnrecovered) !== 0 && request.recover && !recoverable(candidate)) {
    await abandon(candidate);
    throw clientError('unrecoverablePosition');
  }
  const { subscription, result } = join(candidate);
  session.reply({ id, method: 'subscribe', result });
  await announceJoin(subscription);
}

function recoverable({ recovery, channel }: Awaited<ReturnType<typeof prepare>>): boolean {
  return recovery?.publications !== undefined && channel.position?.after(recovery.top) !== undefined;
}

/** What needs no policy. */
function check(session: Session, { channel, delta }: SubscribeRequest): void {
  if (channel === '') throw disconnect('badRequest');
  if (delta !== '' && delta !== 'fossil') throw disconnect('badRequest');
  if (session.subscriptions.has(channel) || session.subscribing.has(channel))
    throw clientError('alreadySubscribed');
  const { channelLimit } = session.context.options;
  if (session.subscriptions.size + session.subscribing.size >= channelLimit)
    throw clientError('limitExceeded');
}
