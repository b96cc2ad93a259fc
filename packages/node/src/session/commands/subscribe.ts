// road in 4/5: ask the gate, then hub, broker, recovery
import type { SubscriptionGrant } from '@gyre/broker';
import { SubscribeFlag, clientError, compileFilter, disconnect, type SubscribeRequest } from '@gyre/protocol';
import { abandon, hasRoom, join, missed, prepare, reserve, settle, unreserve } from '../membership.ts';
import type { Session } from '../session.ts';

/** Subscribes to a channel. The answer holds what the client missed; all that follows is pushed after it. */
export async function subscribe(session: Session, id: number, request: SubscribeRequest): Promise<void> {
  const { channel, recover } = request;
  check(session, request);
  const rejects = recover && (request.flag & SubscribeFlag.rejectUnrecovered) !== 0;
  const { grant, filter } = await ask(session, request);
  const candidate = await prepare(session, {
    channel,
    grant,
    serverSide: false,
    filter,
    since: recover ? { offset: request.offset, epoch: request.epoch } : undefined,
  });
  if (rejects && grant.recoverable && missed(candidate) === undefined) {
    await abandon(candidate);
    throw clientError('unrecoverablePosition');
  }
  const joined = join(candidate);
  session.reply({ id, method: 'subscribe', result: joined.result });
  await settle(joined);
}

/** Asks the gate, with the subscription counted as under way from the question on. */
async function ask(session: Session, request: SubscribeRequest) {
  reserve(session, request.channel);
  try {
    const grant: SubscriptionGrant = await session.context.gate.subscribe(session, request);
    return { grant, filter: request.tf === undefined ? undefined : compileFilter(request.tf) };
  } catch (error) {
    unreserve(session, request.channel);
    throw error;
  }
}

/** What needs no policy. */
function check(session: Session, { channel, delta }: SubscribeRequest): void {
  if (channel === '') throw disconnect('badRequest');
  if (delta !== '' && delta !== 'fossil') throw disconnect('badRequest');
  if (session.subscriptions.has(channel) || session.subscribing.has(channel))
    throw clientError('alreadySubscribed');
  if (!hasRoom(session)) throw clientError('limitExceeded');
}
