import type { SubscriptionGrant } from '@gyre/broker';
import {
  disconnect,
  type Disconnect,
  type StreamPosition,
  type SubscribeResult,
  type TagFilter,
} from '@gyre/protocol';
import type { Channel } from '../hub/channel.ts';
import { Subscription } from '../hub/subscription.ts';
import { Position } from '../recovery/position.ts';
import { recover, type Recovery } from '../recovery/recover.ts';
import type { Session } from './session.ts';
import { expiry } from './timing.ts';

/** How often a recovery is read anew when the channel moved on faster than it could be read. */
const RECOVERY_ATTEMPTS = 5;

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
}

/** What is asked for beside the grant. */
export interface JoinRequest {
  readonly channel: string;
  readonly grant: SubscriptionGrant;
  readonly serverSide: boolean;
  readonly filter?: TagFilter | undefined;
  readonly since?: StreamPosition | undefined;
}

/**
 * Does all of subscribing that takes time: the broker delivers the channel here, the client is in its presence, what
 * it missed is read. Follow it with {@link join}, or with {@link abandon}.
 */
export async function prepare(session: Session, request: JoinRequest): Promise<Candidate> {
  const { hub, presence } = session.context;
  const { grant } = request;
  const channel = hub.acquire(request.channel);
  session.subscribing.add(channel.name);
  const candidate = {
    session,
    channel,
    grant,
    serverSide: request.serverSide,
    filter: request.filter,
    since: request.since ?? (grant.autoCacheRecover ? { offset: 0, epoch: '' } : undefined),
  };
  try {
    await channel.ready;
    if (grant.positioned) await locate(session, channel, grant);
    const recovery = candidate.since === undefined ? undefined : await read(candidate, candidate.since);
    if (grant.presence) {
      await presence.add(channel.name, new Subscription(session, channel, grant, false, undefined).info());
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
  session.subscribing.delete(channel.name);
  session.context.hub.release(channel);
  if (grant.presence) await session.context.presence.remove(channel.name, session.id);
}

/** Makes sure that the node knows where it stands in the channel. */
async function locate(session: Session, channel: Channel, grant: SubscriptionGrant): Promise<void> {
  if (channel.position !== undefined || grant.history === undefined) return;
  const page = await session.context.broker.history(channel.name, { limit: 0 }, grant.history);
  // A publication that came meanwhile knows better.
  channel.position ??= new Position(page.position);
}

async function read(
  candidate: Omit<Candidate, 'recovery'>,
  since: StreamPosition,
): Promise<Recovery | undefined> {
  const { session, channel, grant } = candidate;
  if (!grant.recoverable || grant.history === undefined) return undefined;
  const { broker, options } = session.context;
  for (let attempt = 1; ; attempt++) {
    const recovery = await recover(broker, channel.name, since, grant, grant.history, options);
    // The channel may have moved on meanwhile; the tail bridges that, unless it was very fast.
    const bridged = channel.position?.after(recovery.top) !== undefined;
    if (bridged || attempt === RECOVERY_ATTEMPTS) return recovery;
  }
}

/**
 * Begins a prepared subscription, at one point of the channel's order: all before it is in the result, all after it
 * will be pushed. So the result has to be sent before anything is awaited.
 */
export function join(candidate: Candidate): { subscription: Subscription; result: SubscribeResult } {
  const { session, channel, grant, serverSide, filter } = candidate;
  session.subscribing.delete(channel.name);
  const subscription = new Subscription(session, channel, grant, serverSide, filter);
  session.subscriptions.set(channel.name, subscription);
  channel.add(subscription);
  session.context.hub.subscribed();
  session.context.hub.release(channel);
  session.timing.subscriptionExpires(grant.expireAt);
  const result = describe(candidate);
  subscription.hasBase = grant.delta !== undefined && (result.publications?.length ?? 0) > 0;
  return { subscription, result };
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
  };
  if (since === undefined || !grant.recoverable || position === undefined) return base;
  const publications = missed(candidate);
  const recovered = publications !== undefined;
  session.context.stats.recoveries[recovered ? 'yes' : 'no']++;
  if (!recovered) return { ...base, wasRecovering: true };
  return {
    ...base,
    wasRecovering: true,
    recovered: true,
    publications,
    // In stream mode the client counts on from where it was, through the publications.
    ...(grant.recoveryMode === 'stream' ? { offset: since.offset } : {}),
  };
}

/** What the client has not got yet, or undefined where that cannot be said. */
function missed({ channel, grant, recovery, filter, session }: Candidate) {
  if (recovery?.publications === undefined) return undefined;
  const moved = channel.position?.after(recovery.top);
  if (moved === undefined) return undefined;
  const all = [...recovery.publications, ...moved];
  if (all.length > session.context.options.recoveryMaxPublicationLimit) return undefined;
  const wanted = grant.recoveryMode === 'cache' ? all.slice(-1) : all;
  return filter === undefined ? wanted : wanted.filter((publication) => filter(publication.tags));
}

/** Tells the channel that a subscription has begun, if it is to be told. Call it after the result was sent. */
export async function announceJoin(subscription: Subscription): Promise<void> {
  if (!subscription.grant.joinLeave) return;
  await subscription.session.context.broker.announce(subscription.channel.name, 'join', subscription.info());
}

/**
 * Ends a subscription: nothing more is pushed from here on. Resolves when the client is out of the channel's presence
 * and the others were told.
 */
export async function leave(subscription: Subscription): Promise<void> {
  const { session, channel, grant } = subscription;
  if (!session.subscriptions.delete(channel.name)) return;
  channel.remove(subscription);
  const { hub, presence, broker } = session.context;
  hub.unsubscribed(channel);
  if (grant.presence) await presence.remove(channel.name, session.id);
  if (grant.joinLeave) await broker.announce(channel.name, 'leave', subscription.info());
}

/** For a continuation that finds its connection gone: nobody is there to be told. */
export function gone(): Disconnect {
  return disconnect('connectionClosed');
}
