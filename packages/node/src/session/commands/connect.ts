import { disconnect, type ConnectRequest, type SubscribeResult } from '@gyre/protocol';
import type { ConnectGrant } from '../../gate.ts';
import { abandon, gone, join, prepare, settle, type Candidate, type Joined } from '../membership.ts';
import type { Session } from '../session.ts';
import { expiry } from '../timing.ts';

/** Asks the gate who this is, subscribes it to its server-side channels, and lets it in. */
export async function connect(session: Session, id: number, request: ConnectRequest): Promise<void> {
  const { context } = session;
  session.state = 'connecting';
  const grant = await context.gate.connecting(session, {
    token: request.token,
    ...(request.data === undefined ? {} : { data: request.data }),
    name: request.name,
    version: request.version,
    emulatedHeaders: request.headers ?? {},
    subs: request.subs ?? {},
  });
  if (isClosed(session)) throw gone();
  session.user = grant.user;
  session.connInfo = grant.connInfo;
  session.remembered = grant.remember ?? '';
  admit(session, grant);
  if (grant.singleConnectionChannel !== undefined) await closeOthers(session);
  if (isClosed(session)) throw gone();
  // From here on commands for this user reach the connection, though it is not told yet.
  context.hub.connected(session);
  const candidates: Candidate[] = [];
  try {
    await prepareAll(session, request, grant, candidates);
    if (isClosed(session)) throw gone();
  } catch (error) {
    // Each for itself: one that cannot be undone does not keep the others.
    for (const candidate of candidates) context.background(abandon(candidate));
    // Some of the work failed for now; the same connect may succeed later.
    throw error;
  }
  if (grant.singleConnectionChannel !== undefined) closeRivals(session, grant.singleConnectionChannel);
  for (const joined of letIn(session, id, grant, candidates)) await settle(joined);
}

/** Not narrowed by what was assigned before an await. */
function isClosed(session: Session): boolean {
  return session.state === 'closed';
}

function admit({ context, user }: Session, grant: ConnectGrant): void {
  const { userConnectionLimit, channelLimit, commandRates } = context.options;
  context.connectRates.admit(user, commandRates?.connect ?? 0, context.deadlines.now());
  if (userConnectionLimit > 0 && user !== '' && context.hub.connectionsOf(user) >= userConnectionLimit) {
    throw disconnect('connectionLimit');
  }
  if (grant.subscriptions.size > channelLimit) throw disconnect('channelLimit');
}

/** Adds to `candidates` as it goes, so that those of a connect that fails half-way are known. */
async function prepareAll(
  session: Session,
  request: ConnectRequest,
  grant: ConnectGrant,
  candidates: Candidate[],
): Promise<void> {
  for (const [channel, subscription] of grant.subscriptions) {
    const held = request.subs?.[channel];
    candidates.push(
      await prepare(session, {
        channel,
        grant: held?.delta === 'fossil' ? subscription : withoutDelta(subscription),
        serverSide: true,
        since: held?.recover === true ? { offset: held.offset, epoch: held.epoch } : undefined,
      }),
    );
  }
}

/** A patch is only for who asked for patches. */
function withoutDelta<G extends { delta?: 'fossil' }>(grant: G): G {
  if (grant.delta === undefined) return grant;
  const { delta: _, ...rest } = grant;
  return rest as G;
}

/** Begins the subscriptions and answers, in one go: nothing may be pushed between. */
function letIn(session: Session, id: number, grant: ConnectGrant, candidates: Candidate[]): Joined[] {
  const { options } = session.context;
  const results: Record<string, SubscribeResult> = Object.create(null) as Record<string, SubscribeResult>;
  const joined = candidates.map((candidate) => {
    const started = join(candidate);
    results[candidate.channel.name] = started.result;
    return started;
  });
  session.state = 'connected';
  session.timing.connected();
  session.timing.expires(grant.expireAt);
  session.reply({
    id,
    method: 'connect',
    result: {
      client: session.id,
      version: options.version,
      ...(grant.refreshBy === 'server' ? {} : expiry(grant.expireAt)),
      ...(grant.data === undefined ? {} : { data: grant.data }),
      ...(joined.length === 0 ? {} : { subs: results }),
      ...(options.pingInterval > 0 && session.transport.ping === undefined
        ? { ping: Math.ceil(options.pingInterval / 1000), pong: options.pongTimeout > 0 }
        : {}),
      ...(options.connectIncludeServerTime ? { time: Date.now() } : {}),
    },
  });
  return joined;
}

/**
 * One connection a user: those that are there already have to go, on every node. This one is not to be found yet, so two
 * that come at the same time cannot both go by each other's word.
 */
async function closeOthers({ context, id, user }: Session): Promise<void> {
  const { code, reason } = disconnect('connectionLimit');
  try {
    await context.control.send({ type: 'disconnect', target: { user }, code, reason, whitelist: [id] });
  } catch (error) {
    // A node that is slow to obey is no reason to keep the user out.
    context.log.warn?.('other connections of the user may remain', { client: id, user, error });
  }
}

/** Of those that came to this node at the same time, the last one stays. */
function closeRivals(session: Session, channel: string): void {
  for (const other of session.context.hub.find({ user: session.user })) {
    if (other !== session && other.isSubscribed(channel)) other.disconnect(disconnect('connectionLimit'));
  }
}
