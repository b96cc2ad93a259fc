import type { ControlCommand } from '@gyre/broker';
import { Disconnect, disconnect, unsubscribeReasons } from '@gyre/protocol';
import type { Context } from '../context.ts';
import { hasRoom, join, prepare, settle } from '../session/membership.ts';
import type { Session } from '../session/session.ts';
import { expiry } from '../session/timing.ts';

/** Does to this node's connections what a control command says. */
export async function apply(context: Context, command: ControlCommand): Promise<void> {
  const sessions = context.hub.find(command.target);
  switch (command.type) {
    case 'subscribe':
      await each(sessions, (session) => subscribe(session, command));
      return;
    case 'unsubscribe':
      await each(sessions, (session) => unsubscribe(session, command.channel));
      return;
    case 'disconnect': {
      const spared = new Set(command.whitelist);
      for (const session of sessions) {
        if (!spared.has(session.id)) session.disconnect(new Disconnect(command.code, command.reason));
      }
      return;
    }
    case 'refresh':
      await each(sessions, async (session) => refresh(session, command));
  }
}

/** Those that are connecting are waited for: nothing may be pushed to them before they know that they are connected. */
async function each(sessions: readonly Session[], act: (session: Session) => Promise<void>): Promise<void> {
  await Promise.all(
    sessions.map(async (session) => {
      if (session.state === 'connecting') await session.current;
      if (session.state !== 'connected') return;
      await act(session).catch((error: unknown) => {
        // Who has gone meanwhile needs nothing any more.
        if (session.state !== 'closed') throw error;
      });
    }),
  );
}

type Command<T extends ControlCommand['type']> = Extract<ControlCommand, { type: T }>;

/**
 * A server-side subscription that the connection has already is made anew, by the new grant and with another push. One
 * that the client made itself, or that is under way, stays as it is.
 */
async function subscribe(session: Session, command: Command<'subscribe'>): Promise<void> {
  const { channel, grant, recoverSince } = command;
  const held = session.subscriptions.get(channel);
  if (session.subscribing.has(channel) || held?.serverSide === false) return;
  if (held === undefined && !hasRoom(session)) {
    session.disconnect(disconnect('channelLimit'));
    return;
  }
  const joined = join(await prepare(session, { channel, grant, serverSide: true, since: recoverSince }));
  const { result } = joined;
  session.push({
    type: 'subscribe',
    channel,
    ...(result.recoverable === true ? { recoverable: true } : {}),
    ...(result.positioned === true ? { positioned: true } : {}),
    ...(result.epoch === undefined ? {} : { epoch: result.epoch }),
    ...(result.offset === undefined ? {} : { offset: result.offset }),
    ...(result.data === undefined ? {} : { data: result.data }),
  });
  for (const pub of result.publications ?? []) session.push({ type: 'pub', channel, pub });
  await settle(joined);
}

/** The push goes out where there was no subscription too: libraries count on it. */
async function unsubscribe(session: Session, channel: string): Promise<void> {
  const why = unsubscribeReasons.server;
  const pending = session.subscribing.get(channel);
  const subscription = session.subscriptions.get(channel);
  // The client has to hear of its beginning before it hears of its end.
  if (pending !== undefined) pending.revoked = true;
  else if (subscription !== undefined) await session.unsubscribe(subscription, why);
  else session.push({ type: 'unsubscribe', channel, code: why.code, reason: why.reason });
}

function refresh(session: Session, { expired, expireAt, info }: Command<'refresh'>): void {
  const now = Date.now() / 1000;
  if (expired || (expireAt !== 0 && expireAt <= now)) {
    session.disconnect(disconnect('connectionExpired'));
    return;
  }
  const at = expireAt === 0 ? undefined : expireAt;
  if (at !== undefined && info !== undefined) session.connInfo = info;
  session.timing.expires(at);
  session.push({ type: 'refresh', ...expiry(at) });
}
