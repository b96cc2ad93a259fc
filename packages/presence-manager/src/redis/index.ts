/** A presence manager for many nodes, on Redis. */
import { clientError } from '@gyre/protocol';
import { RedisError } from '@gyre/redis';
import type { Lease, RedisShards } from '@gyre/redis';
import type { PresenceManager } from '../presence-manager.ts';
import { Audit } from './audit.ts';
import { watchLineage } from './lineage.ts';
import { OwnMembers } from './own-members.ts';
import { readMembers, readStats } from './read.ts';
import { keptMs } from './scripts.ts';
import type { Announce, Where } from './scripts.ts';
import { Sweeper } from './sweeper.ts';

export type { Announce, Announcement } from './scripts.ts';

export interface RedisPresenceManagerOptions {
  /** Started by whoever opened it, and closed after the presence manager. */
  readonly redis: RedisShards;
  /** Of this redis. The same. */
  readonly leases: readonly Lease[];
  /**
   * What a channel is told of members that leave, and of those that join again because their node was taken for dead and
   * is not. Redis tells it in the step in which they do, so each is told once, whoever dies meanwhile.
   */
  readonly announce: Announce;
  readonly onError: (error: unknown) => void;
}

/** What the presence manager holds at this moment. */
export interface RedisPresenceGauges {
  /** Members of this node. */
  readonly members: number;
  /** Members, of now or before, that Redis has still to be told about. */
  readonly owed: number;
}

/** Counters that only rise. */
export interface RedisPresenceCounters {
  /** Members of dead nodes that this node removed. */
  swept: number;
  /** Members of this node that others had removed so, and that are there again. */
  rejoined: number;
  /** Members of this node that Redis had and should not have, or lacked, without any call having failed. */
  mended: number;
}

export interface RedisPresenceManager extends PresenceManager {
  gauges(): RedisPresenceGauges;
  readonly counters: Readonly<RedisPresenceCounters>;
}

/**
 * Members lie in Redis under the lease of their node, and are seen while that lives: an idle member costs nothing. What
 * Redis refuses is answered with 100 (temporary). An `add` that was refused leaves no member; a `remove` that was refused
 * is done later.
 *
 * `close` removes this node's members and resolves when they are gone, or when Redis does not answer; then they are
 * swept by others.
 */
export function redisPresenceManager(options: RedisPresenceManagerOptions): RedisPresenceManager {
  const { redis, leases, onError } = options;
  const counters: RedisPresenceCounters = { swept: 0, rejoined: 0, mended: 0 };
  const parts = leases.map((lease) => new Part(lease, options, counters));
  const refresh = setInterval(() => parts.forEach(({ own }) => own.oweAll()), keptMs / 3);
  refresh.unref();
  let closing: Promise<void> | undefined;

  const at = (channel: string): { own: OwnMembers; where: Where } => {
    const { shard, tag } = redis.place(channel);
    const part = parts[shard.index];
    if (part === undefined) throw new Error('a channel on a Redis without a lease');
    return { own: part.own, where: { lease: part.lease, prefix: redis.prefix, tag, channel } };
  };
  const close = async (): Promise<void> => {
    clearInterval(refresh);
    await Promise.all(parts.flatMap(({ sweeper, audit }) => [sweeper.stop(), audit.stop()]));
    await Promise.all(parts.map(({ own }) => own.clear().catch(onError)));
  };

  return {
    add: async (channel, info) => {
      if (closing !== undefined) throw clientError('internal', 'the presence manager is closed');
      await answer(at(channel).own.add(channel, info));
    },
    remove: async (channel, clientId, tell = false) => {
      if (closing === undefined) return answer(at(channel).own.remove(channel, clientId, tell));
      await closing;
      return true;
    },
    members: async (channel, page) => answer(readMembers(at(channel).where, page)),
    stats: async (channel) => answer(readStats(at(channel).where)),
    close: () => (closing ??= close()),
    gauges: () => ({
      members: parts.reduce((sum, { own }) => sum + own.gauges.members, 0),
      owed: parts.reduce((sum, { own }) => sum + own.gauges.owed, 0),
    }),
    counters,
  };
}

/** What is of one Redis. */
class Part {
  readonly lease: Lease;
  readonly own: OwnMembers;
  readonly sweeper: Sweeper;
  readonly audit: Audit;

  constructor(lease: Lease, options: RedisPresenceManagerOptions, counters: RedisPresenceCounters) {
    const { redis, announce, onError } = options;
    const { prefix } = redis;
    const common = { lease, prefix, announce, onError };
    const counter = (name: keyof RedisPresenceCounters) => (count: number) => {
      counters[name] += count;
    };
    const tagOf = (channel: string): string => redis.place(channel).tag;
    this.lease = lease;
    this.own = new OwnMembers({ ...common, tagOf, rejoined: counter('rejoined') });
    this.sweeper = new Sweeper({ ...common, swept: counter('swept') });
    this.audit = new Audit({ lease, prefix, own: this.own, mended: counter('mended'), onError });
    watchLineage(lease, onError);
  }
}

/** Says 100 for what Redis refused. */
async function answer<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RedisError) throw clientError('internal', error.told);
    throw error;
  }
}
