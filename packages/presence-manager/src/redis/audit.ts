import type { Lease } from '@gyre/redis';
import { clientOf, readName } from './entry.ts';
import { namesKey } from './keys.ts';
import type { OwnMembers } from './own-members.ts';

/** Renewals of the lease, one a second, in which the names of all tags are compared once. */
const roundRenewals = 60;
/** Names read at a time. */
const sliceSize = 256;

export interface AuditOptions {
  readonly lease: Lease;
  readonly prefix: string;
  readonly own: OwnMembers;
  /** So many members were there that should not be, or were not there. */
  readonly mended: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

interface Name {
  readonly channel: string;
  readonly client: string;
}

/**
 * Compares what Redis has of this process with what this process has, and mends what differs.
 *
 * - The holder that it was before leaves members behind which have gone since, where another Redis took over that had not
 *   heard of it. They are removed as soon as all others are written anew: were they swept, they would leave twice.
 * - The number of names is compared once in a minute, some tags each time that the lease is renewed, so that an idle member
 *   costs nothing. They are read only where it is not the same.
 */
export class Audit {
  readonly #options: AuditOptions;
  /** Holders that this process was before, and that may have left something. */
  readonly #formers = new Set<string>();
  #holder = '';
  #nextTag = 0;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: AuditOptions) {
    this.#options = options;
    const { lease, onError } = options;
    lease.listen({
      changed: () => {
        if (this.#holder !== '') this.#formers.add(this.#holder);
        this.#holder = lease.holder;
      },
      renewed: () => {
        if (this.#stopped || this.#looking !== undefined) return;
        this.#looking = this.#look()
          .catch(onError)
          .finally(() => {
            this.#looking = undefined;
          });
      },
    });
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { lease, own, mended } = this.#options;
    const tags = lease.shard.masters().flat();
    for (const former of this.#formers) {
      await own.pay();
      // At once: others will sweep what is there when they take that holder for dead.
      const found = await Promise.all(tags.map((tag) => this.#read(former, tag)));
      mended(found.reduce((sum, { strays }) => sum + strays, 0));
      this.#formers.delete(former);
    }
    const count = Math.ceil(tags.length / roundRenewals);
    for (let i = 0; i < count; i++) {
      const tag = tags[this.#nextTag++ % tags.length];
      if (tag !== undefined) await this.#compare(tag);
    }
  }

  async #compare(tag: string): Promise<void> {
    const { lease, prefix, own, mended } = this.#options;
    const { holder } = lease;
    const before = own.countOf(tag);
    const names = Number(await lease.shard.call(tag, ['SCARD', namesKey(prefix, tag, holder)], 'read'));
    const after = own.countOf(tag);
    const unsure = before.unsure + after.unsure;
    const [least, most] = [Math.min(before.members, after.members), Math.max(before.members, after.members)];
    if ((names >= least - unsure && names <= most + unsure) || holder !== lease.holder) return;
    const { strays, read } = await this.#read(holder, tag);
    const missing = own.oweOthers(tag, (name) => read.has(idOf(name)));
    mended(strays + missing);
    await own.pay();
  }

  /** Reads the names that a holder has in a tag, and removes those that it should not have. */
  async #read(holder: string, tag: string): Promise<{ strays: number; read: ReadonlySet<string> }> {
    const { lease, prefix, own } = this.#options;
    const read = new Set<string>();
    let strays = 0;
    let cursor = '0';
    do {
      const scan = ['SSCAN', namesKey(prefix, tag, holder), cursor, 'COUNT', sliceSize] as const;
      const [next, slice] = (await lease.shard.call(tag, scan, 'read')) as readonly [
        Buffer,
        readonly Buffer[],
      ];
      const names = slice.map((bytes) => {
        const { channel, key } = readName(bytes);
        return { channel, client: clientOf(key) };
      });
      for (const name of names) read.add(idOf(name));
      strays += await own.removeStrays(holder, names);
      cursor = String(next);
    } while (cursor !== '0' && !this.#stopped);
    return { strays, read };
  }
}

const idOf = ({ channel, client }: Name): string => `${channel.length}:${channel}${client}`;
