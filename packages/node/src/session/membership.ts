import type { SubscriptionGrant } from '@gyre/broker';
import {
  disconnect,
  unsubscribeReasons,
  type Disconnect,
  type Publication,
  type StreamPosition,
  type SubscribeResult,
  type TagFilter,
} from '@gyre/protocol';
import type { Channel } from '../hub/channel.ts';
import { Subscription } from '../hub/subscription.ts';
import { chain } from '../recovery/chain.ts';
import { locate, recover, type Recovery } from '../recovery/recover.ts';
import type { Session } from './session.ts';
import { expiry } from './timing.ts';

/** How often a recovery is read anew when the channel moved on faster than it could be read. */
const RECOVERY_ATTEMPTS = 5;

/** A subscription that is under way. */
export interface Pending {
  /** Its end was ordered meanwhile: it ends as soon as it has begun. */
  revoked: boolean;
}

/** A subscription that is ready to begin. */
export interface Candidate {
  readonly session: Session;
  readonly channel: Channel;
  readonly grant: SubscriptionGrant;
  readonly serverSide: boolean;
  readonly filter: TagFilter | undefined;
  /** Where the client stands, if it wants what it missed. */
  readonly since: StreamPosition | undefined;
  readonly recovery: Recovery | undefined;
  readonly pending: Pending;
}

/** What is asked for beside the grant. */
export interface JoinRequest {
  readonly channel: string;
  readonly grant: SubscriptionGrant;
  readonly serverSide: boolean;
  readonly filter?: TagFilter | undefined;
  readonly since?: StreamPosition | undefined;
}

/** A subscription that has begun, and what its client is told of it. */
export interface Joined {
  readonly subscription: Subscription;
  readonly result: SubscribeResult;
  /** The connection was not subscribed to the channel before. */
  readonly isNew: boolean;
  readonly revoked: boolean;
}

/** From here on a subscription counts as under way, until {@link join}, {@link abandon} or {@link unreserve}. */
export function reserve(session: Session, channel: string): Pending {
  const pending = { revoked: false };
  session.subscribing.set(channel, pending);
  return pending;
}

export function unreserve(session: Session, channel: string): void {
  session.subscribing.delete(channel);
}

/** Room for one subscription more. */
export function hasRoom({ context, subscriptions, subscribing }: Session): boolean {
  return subscriptions.size + subscribing.size < context.options.channelLimit;
}

/**
 * Does all of subscribing that takes time: the broker delivers the channel here, the client is in its presence, what
 * it missed is read. Follow it with {@link join}, or with {@link abandon}.
 */
export async function prepare(session: Session, request: JoinRequest): Promise<Candidate> {
  const { hub, presence } = session.context;
  const { grant } = request;
  const channel = hub.acquire(request.channel);
  const candidate = {
    session,
    channel,
    grant,
    serverSide: request.serverSide,
    filter: request.filter,
    since: request.since ?? (grant.autoCacheRecover ? { offset: 0, epoch: '' } : undefined),
    pending: session.subscribing.get(request.channel) ?? reserve(session, request.channel),
  };
  try {
    await channel.ready;
    if (grant.presence) {
      await presence.add(channel.name, new Subscription(session, channel, grant, false, undefined).info());
    }
    // Last, so that what is found still holds in the turn of `join`.
    const recovery =
      candidate.since === undefined ? undefined : await missedSince(candidate, candidate.since);
    if (grant.positioned && grant.history !== undefined) {
      await locate(session.context, channel, grant.history, grant.delta !== undefined);
    }
    if (session.state === 'closed') throw gone();
    return { ...candidate, recovery };
  } catch (error) {
    await abandon({ ...candidate, recovery: undefined });
    throw error;
  }
}

/** Undoes {@link prepare}. */
export async function abandon({ session, channel, grant }: Candidate): Promise<void> {
  unreserve(session, channel.name);
  session.context.hub.release(channel);
  // A subscription that was to be made anew goes on as it was.
  if (!grant.presence || session.subscriptions.get(channel.name)?.grant.presence === true) return;
  await session.context.presence.remove(channel.name, session.id);
}

async function missedSince(
  { session, channel, grant }: Omit<Candidate, 'recovery'>,
  since: StreamPosition,
): Promise<Recovery | undefined> {
  if (!grant.recoverable || grant.history === undefined) return undefined;
  const { context } = session;
  for (let attempt = 1; ; attempt++) {
    const recovery = await recover(context, channel, since, grant, grant.history);
    // The channel may have moved on meanwhile; the tail bridges that, unless it was very fast.
    const bridged = channel.position?.after(recovery.top) !== undefined;
    if (bridged || attempt === RECOVERY_ATTEMPTS) return recovery;
    // Or the stream holds what has not reached this node: then that comes first.
    await context.feed.catchUp(channel, recovery.top, grant.history);
  }
}

/**
 * Begins a prepared subscription, at one point of the channel's order: all before it is in the result, all after it
 * will be pushed. So the result has to be sent before anything is awaited. A subscription that the connection has to
 * the channel already gives its place to this one.
 * @throws Disconnect where the connection has ended
 */
export function join(candidate: Candidate): Joined {
  const { session, channel, grant, serverSide, filter, pending } = candidate;
  // It may have gone since it was prepared: others have had a turn.
  if (session.state === 'closed') {
    session.context.background(abandon(candidate));
    throw gone();
  }
  unreserve(session, channel.name);
  const former = session.subscriptions.get(channel.name);
  if (former !== undefined) {
    former.channel.remove(former);
    session.context.hub.unsubscribed(former.channel);
    if (former.grant.presence && !grant.presence) {
      session.context.background(session.context.presence.remove(channel.name, session.id));
    }
  }
  const subscription = new Subscription(session, channel, grant, serverSide, filter);
  session.subscriptions.set(channel.name, subscription);
  channel.add(subscription);
  session.context.hub.subscribed();
  session.context.hub.release(channel);
  session.timing.subscriptionExpires(grant.expireAt);
  const result = describe(candidate);
  subscription.hasBase = hasBase(candidate, result);
  return { subscription, result, isNew: former === undefined, revoked: pending.revoked };
}

/**
 * Whether the client can apply the next patch: it has got the publication that it will be made against. Who misses nothing
 * need not have it: where it stands may be where it began.
 */
function hasBase({ grant }: Candidate, { publications = [] }: SubscribeResult): boolean {
  return grant.delta !== undefined && publications.length > 0;
}

function describe(candidate: Candidate): SubscribeResult {
  const { channel, grant, since, session } = candidate;
  const position = grant.positioned ? channel.position?.current : undefined;
  const base: SubscribeResult = {
    ...expiry(grant.expireAt),
    ...(grant.recoverable ? { recoverable: true } : {}),
    ...(grant.positioned ? { positioned: true } : {}),
    ...(position === undefined ? {} : { epoch: position.epoch, offset: position.offset }),
    ...(grant.data === undefined ? {} : { data: grant.data }),
    ...(grant.delta === undefined ? {} : { delta: true }),
    ...(since === undefined ? {} : { wasRecovering: true }),
  };
  if (since === undefined || !grant.recoverable) return base;
  const publications = missed(candidate);
  session.context.stats.recoveries[publications === undefined ? 'no' : 'yes']++;
  if (publications === undefined) return base;
  return {
    ...base,
    recovered: true,
    publications: grant.delta === undefined ? publications : chain(publications),
    // The client counts on from where it was, through the publications.
    offset: since.offset,
  };
}

/** What the client has not got yet, or undefined where that cannot be said. */
export function missed(candidate: Candidate): readonly Publication[] | undefined {
  const { channel, grant, recovery, filter, session } = candidate;
  if (recovery?.publications === undefined) return undefined;
  const moved = channel.position?.after(recovery.top);
  if (moved === undefined) return undefined;
  const all = [...recovery.publications, ...moved];
  if (all.length > session.context.options.recoveryMaxPublicationLimit) return undefined;
  const wanted = grant.recoveryMode === 'cache' ? all.slice(-1) : all;
  return filter === undefined ? wanted : wanted.filter((publication) => filter(publication.tags));
}

/**
 * Does what is due once the client knows of its subscription: the channel is told, if it is to be told, and an end that
 * was ordered meanwhile comes. Call it after the result was sent.
 */
export async function settle({ subscription, isNew, revoked }: Joined): Promise<void> {
  const { session, channel, grant } = subscription;
  if (grant.joinLeave && isNew) {
    await session.context.broker.announce(channel.name, 'join', subscription.info());
  }
  if (revoked) await session.unsubscribe(subscription, unsubscribeReasons.server);
}

/**
 * Ends a subscription: nothing more is pushed from here on. Resolves when the client is out of the channel's presence
 * and the others were told.
 */
export async function leave(subscription: Subscription): Promise<void> {
  const { session, channel, grant } = subscription;
  if (session.subscriptions.get(channel.name) !== subscription) return;
  session.subscriptions.delete(channel.name);
  channel.remove(subscription);
  const { hub, presence, broker } = session.context;
  hub.unsubscribed(channel);
  const untold = !grant.presence || (await presence.remove(channel.name, session.id, grant.joinLeave));
  if (grant.joinLeave && untold) await broker.announce(channel.name, 'leave', subscription.info());
}

/** For a continuation that finds its connection gone: nobody is there to be told. */
export function gone(): Disconnect {
  return disconnect('connectionClosed');
}
