import type { Lease } from '@gyre/redis';
import { readEntry, readName } from './entry.ts';
import type { Name } from './entry.ts';
import { group } from './group.ts';
import { namesKey, sweeperKey } from './keys.ts';
import { dropMembers, findMembers } from './scripts.ts';
import type { Announce, Announcement } from './scripts.ts';

/** Members looked at a time in one tag, and tags at a time. */
const batchSize = 256;
const tagsAtOnce = 8;

export interface SweeperOptions {
  readonly lease: Lease;
  readonly prefix: string;
  readonly announce: Announce;
  /** So many members of a dead node were taken away by this node, of which their channels were told. */
  readonly swept: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Clears up on one Redis after holders whose lease is over. Every node has one; a lock lets one of them work. Were there
 * two, each member would still be removed by one of them only. Removing a member and telling its channel is one step in
 * Redis, so a sweeper that dies leaves nothing untold.
 *
 * Nothing is swept while this process itself has held its lease for less than a lease lives: after Redis lost its data or
 * could not be reached by anybody, the others come back within that time and take over what they had.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  #sweeping: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    options.lease.listen({ renewed: () => this.#look() });
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#sweeping;
  }

  #look(): void {
    const { lease, onError } = this.#options;
    const idle = lease.dead().length === 0 || lease.heldMs < lease.ttlMs;
    if (this.#stopped || idle || this.#sweeping !== undefined) return;
    this.#sweeping = this.#sweep()
      .catch(onError)
      .finally(() => {
        this.#sweeping = undefined;
      });
  }

  async #sweep(): Promise<void> {
    const { lease, prefix } = this.#options;
    const { shard, tag, ttlMs, holder } = lease;
    const lock = sweeperKey(prefix, tag);
    const taken = await shard.call(tag, ['SET', lock, holder, 'NX', 'PX', ttlMs], 'control');
    if (taken === null) return;
    for (const dead of lease.dead()) {
      const tags = shard.masters().flat().values();
      await Promise.all(Array.from({ length: tagsAtOnce }, () => this.#sweepTags(dead, tags)));
      if (this.#stopped) break;
      await lease.forget(dead);
    }
    await shard.call(tag, ['DEL', lock], 'control');
  }

  /** @param tags shared with others that do the same */
  async #sweepTags(dead: string, tags: Iterable<string>): Promise<void> {
    const { lease, prefix } = this.#options;
    for (const tag of tags) {
      const names = ['SRANDMEMBER', namesKey(prefix, tag, dead), batchSize] as const;
      while (!this.#stopped) {
        const batch = (await lease.shard.call(tag, names, 'read')) as readonly Buffer[];
        if (batch.length === 0) break;
        const groups = group(batch.map(readName), batchSize, ({ channel }) => channel);
        await Promise.all(groups.map((members) => this.#drop(dead, tag, members)));
      }
    }
  }

  async #drop(dead: string, tag: string, members: readonly Name[]): Promise<void> {
    const { lease, prefix, announce, swept } = this.#options;
    const channel = members[0]?.channel ?? '';
    const where = { lease, prefix, tag, channel };
    const keys = members.map(({ key }) => key);
    const told = new Map<string, Announcement | undefined>();
    for (const entry of await findMembers(where, dead, keys)) {
      const { key, info } = readEntry(entry, dead.length);
      told.set(key.toString('latin1'), announce('leave', channel, info));
    }
    const removals = keys.map((key) => ({ key, told: told.get(key.toString('latin1')) }));
    const removed = await dropMembers(where, removals, { holder: dead, only: true, sweep: true });
    swept(removed.filter((one) => one === 'removed').length);
  }
}
