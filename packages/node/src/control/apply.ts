import type { ControlCommand } from '@gyre/broker';
import { Disconnect, disconnect, unsubscribeReasons } from '@gyre/protocol';
import type { Context } from '../context.ts';
import { announceJoin, join, prepare } from '../session/membership.ts';
import type { Session } from '../session/session.ts';
import { expiry } from '../session/timing.ts';

/** Does to this node's connections what a control command says. */
export async function apply(context: Context, command: ControlCommand): Promise<void> {
  const sessions = context.hub.find(command.target);
  switch (command.type) {
    case 'subscribe':
      await Promise.all(sessions.map((session) => subscribe(session, command)));
      return;
    case 'unsubscribe':
      await Promise.all(sessions.map((session) => unsubscribe(session, command.channel)));
      return;
    case 'disconnect': {
      const spared = new Set(command.whitelist);
      for (const session of sessions) {
        if (!spared.has(session.id)) session.disconnect(new Disconnect(command.code, command.reason));
      }
      return;
    }
    case 'refresh':
      for (const session of sessions) refresh(session, command);
  }
}

type Command<T extends ControlCommand['type']> = Extract<ControlCommand, { type: T }>;

async function subscribe(session: Session, command: Command<'subscribe'>): Promise<void> {
  const { channel, grant, recoverSince } = command;
  if (session.subscriptions.has(channel) || session.subscribing.has(channel)) return;
  const candidate = await prepare(session, { channel, grant, serverSide: true, since: recoverSince });
  const { subscription, result } = join(candidate);
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
  await announceJoin(subscription);
}

/** The push goes out where there was no subscription too: libraries count on it. */
async function unsubscribe(session: Session, channel: string): Promise<void> {
  const subscription = session.subscriptions.get(channel);
  const why = unsubscribeReasons.server;
  if (subscription !== undefined) await session.unsubscribe(subscription, why);
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
