/** A presence manager for many nodes, on Redis. */
import { clientError } from '@gyre/protocol';
import type { ClientInfo } from '@gyre/protocol';
import { RedisError } from '@gyre/redis';
import type { Lease, RedisShards } from '@gyre/redis';
import type { PresenceManager } from '../presence-manager.ts';
import { watchLineage } from './lineage.ts';
import { OwnMembers } from './own-members.ts';
import { readMembers } from './read.ts';
import { countMembers, keptMs } from './scripts.ts';
import type { Where } from './scripts.ts';
import { Sweeper } from './sweeper.ts';

/** Told of a member. */
type Told = (channel: string, info: ClientInfo) => void;

export interface RedisPresenceManagerOptions {
  /** Started by whoever opened it, and closed after the presence manager. */
  readonly redis: RedisShards;
  /** Of this redis. The same. */
  readonly leases: readonly Lease[];
  /** A member is gone because its node is: called on one node of the cluster, once for each member. */
  readonly swept: Told;
  /** A member of this node that was `swept` by another one is there again. */
  readonly rejoined: Told;
  readonly onError: (error: unknown) => void;
}

/** What the presence manager holds at this moment. */
export interface RedisPresenceGauges {
  /** Members of this node. */
  readonly members: number;
  /** Members, of now or before, that Redis has still to be told about. */
  readonly owed: number;
}

export interface RedisPresenceManager extends PresenceManager {
  gauges(): RedisPresenceGauges;
}

/**
 * Members lie in Redis under the lease of their node, and are seen while that lives: an idle member costs nothing. What
 * Redis refuses is answered with 100 (temporary). An `add` that was refused leaves no member; a `remove` that was refused
 * is done later.
 *
 * `stats` counts a dead node's members until they are swept, which takes a second or two longer than the lease.
 * `close` removes this node's members and resolves when they are gone, or when Redis does not answer; then they are
 * swept by others.
 */
export function redisPresenceManager(options: RedisPresenceManagerOptions): RedisPresenceManager {
  const { redis, leases, onError } = options;
  const parts = leases.map((lease) => new Part(lease, options));
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
    await Promise.all(parts.map(({ sweeper }) => sweeper.stop()));
    await Promise.all(parts.map(({ own }) => own.clear().catch(onError)));
  };

  return {
    add: async (channel, info) => {
      if (closing !== undefined) throw clientError('internal', 'the presence manager is closed');
      await answer(at(channel).own.add(channel, info));
    },
    remove: async (channel, clientId) => {
      // Its turn is taken at the call, so nothing is awaited before.
      await (closing ?? answer(at(channel).own.remove(channel, clientId)));
    },
    members: async (channel, page) => answer(readMembers(at(channel).where, page)),
    stats: async (channel) => answer(countMembers(at(channel).where)),
    close: () => (closing ??= close()),
    gauges: () => ({
      members: parts.reduce((sum, { own }) => sum + own.gauges.members, 0),
      owed: parts.reduce((sum, { own }) => sum + own.gauges.owed, 0),
    }),
  };
}

/** What is of one Redis. */
class Part {
  readonly lease: Lease;
  readonly own: OwnMembers;
  readonly sweeper: Sweeper;

  constructor(lease: Lease, options: RedisPresenceManagerOptions) {
    const { redis, onError } = options;
    const { prefix } = redis;
    const guard = (tell: Told): Told => {
      return (channel, info) => {
        try {
          tell(channel, info);
        } catch (error) {
          onError(error);
        }
      };
    };
    const tagOf = (channel: string): string => redis.place(channel).tag;
    this.lease = lease;
    this.own = new OwnMembers({ lease, prefix, tagOf, rejoined: guard(options.rejoined), onError });
    this.sweeper = new Sweeper({ lease, prefix, swept: guard(options.swept), onError });
    watchLineage(lease, onError);
  }
}

/** Says 100 for what Redis refused. */
async function answer<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RedisError) throw clientError('internal', `presence: ${error.message}`);
    throw error;
  }
}
