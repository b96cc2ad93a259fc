import { RedisError } from '@gyre/redis';
import type { Lease } from '@gyre/redis';
import type { ClientInfo } from '@gyre/protocol';
import { clientKey } from './entry.ts';
import { group } from './group.ts';
import { dropMembers, putMembers } from './scripts.ts';
import type { Where } from './scripts.ts';
import { Turns } from './turns.ts';

/** Members written at a time, and those of them in one script. */
const batchSize = 512;
const scriptSize = 128;
/** Removals that Redis was not told of, remembered at most. */
const mostOwed = 100_000;

interface Own {
  readonly info: ClientInfo;
  /** The holder under which it lies in Redis, "" where it may not. */
  readonly holder: string;
}

/** Which member of which channel. */
interface Name {
  readonly channel: string;
  readonly client: string;
}

export interface OwnMembersOptions {
  readonly lease: Lease;
  readonly prefix: string;
  readonly tagOf: (channel: string) => string;
  /** A member was swept away by another node, which said that it left, and is there again. Does not throw. */
  readonly rejoined: (channel: string, info: ClientInfo) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The members that this process has on one Redis: what should be there, and whether it is.
 *
 * Whatever Redis may not know, because it could not be reached or lost it, is owed and written later. So it comes to
 * agree with this memory, and an idle member costs nothing.
 */
export class OwnMembers {
  readonly #options: OwnMembersOptions;
  readonly #members = new Map<string, Map<string, Own>>();
  readonly #owed = new Map<string, Name>();
  readonly #turns = new Turns();
  #paying: Promise<void> | undefined;

  constructor(options: OwnMembersOptions) {
    this.#options = options;
    options.lease.listen({
      // What is in Redis belongs to nobody now and will be swept away.
      changed: () => this.oweAll(),
      renewed: () => void this.pay(),
    });
  }

  /** How many there are, and how many of them and of those that have gone are still to be written. */
  get gauges(): { readonly members: number; readonly owed: number } {
    let members = 0;
    for (const clients of this.#members.values()) members += clients.size;
    return { members, owed: this.#owed.size };
  }

  /** @throws what Redis refused with; then it is as if nothing had been said */
  async add(channel: string, info: ClientInfo): Promise<void> {
    const name = { channel, client: info.client };
    await this.#turns.take([idOf(name)], async () => {
      const before = this.#get(name);
      try {
        // Before it is sent: were the lease lost meanwhile, it has to be among those that are written again.
        this.#set(name, { info, holder: before?.holder ?? '' });
        await this.#put(channel, [info], before?.holder ?? '');
      } catch (error) {
        if (before === undefined) this.#delete(name);
        else this.#set(name, before);
        this.#owe(name);
        throw error;
      }
    });
  }

  /** @throws what Redis refused with; it will then be removed later */
  async remove(channel: string, client: string): Promise<void> {
    const name = { channel, client };
    await this.#turns.take([idOf(name)], async () => {
      this.#delete(name);
      try {
        await this.#drop(channel, [client]);
      } catch (error) {
        this.#owe(name);
        throw error;
      }
    });
  }

  /** Owes every member, so that it is written again and its keys do not run out. */
  oweAll(): void {
    for (const [channel, clients] of this.#members) {
      for (const client of clients.keys()) this.#owed.set(idOf({ channel, client }), { channel, client });
    }
  }

  /** Writes what is owed, a batch after the other, until all is written or Redis refuses; then the rest stays owed. */
  pay(): Promise<void> {
    this.#paying ??= this.#payAll()
      .catch(this.#options.onError)
      .finally(() => {
        this.#paying = undefined;
      });
    return this.#paying;
  }

  /** Removes all members. */
  async clear(): Promise<void> {
    await this.#turns.settled();
    await this.#paying;
    this.oweAll();
    this.#members.clear();
    await this.pay();
  }

  async #payAll(): Promise<void> {
    while (this.#owed.size > 0) {
      const batch: Name[] = [];
      for (const [id, name] of this.#owed) {
        // Who has a turn writes it, or owes it again.
        this.#owed.delete(id);
        if (!this.#turns.busy(id)) batch.push(name);
        if (batch.length === batchSize) break;
      }
      await this.#payBatch(batch);
    }
  }

  async #payBatch(batch: readonly Name[]): Promise<void> {
    await this.#turns.take(batch.map(idOf), async () => {
      const heldBy = (name: Name): string => this.#get(name)?.holder ?? '-';
      const groups = group(batch, scriptSize, (name) => `${heldBy(name)} ${name.channel}`);
      const paid = await Promise.allSettled(groups.map((names) => this.#payGroup(names)));
      groups.forEach((names, i) => {
        if (paid[i]?.status === 'rejected') for (const name of names) this.#owe(name);
      });
      for (const one of paid) if (one.status === 'rejected') throw one.reason;
    });
  }

  /** @param names of one channel, either all members that were held by the same, or all gone */
  async #payGroup(names: readonly Name[]): Promise<void> {
    const channel = names[0]?.channel ?? '';
    const own = names.flatMap((name) => this.#get(name) ?? []);
    const infos = own.map(({ info }) => info);
    if (infos.length === 0) {
      const gone = names.map(({ client }) => client);
      await this.#drop(channel, gone);
      return;
    }
    const before = own[0]?.holder ?? '';
    const swept = await this.#put(channel, infos, before);
    infos.forEach((info, i) => {
      if (before !== '' && swept[i] === true) this.#options.rejoined(channel, info);
    });
  }

  async #put(channel: string, infos: readonly ClientInfo[], before: string): Promise<readonly boolean[]> {
    const { lease } = this.#options;
    const holder = await lease.held();
    const swept = await this.#known(putMembers(this.#where(channel), holder, before, infos));
    for (const info of infos) this.#set({ channel, client: info.client }, { info, holder });
    // Written under a lease that is over by now.
    if (holder !== lease.holder) for (const { client } of infos) this.#owe({ channel, client });
    return swept;
  }

  async #drop(channel: string, clients: readonly string[]): Promise<void> {
    const { holder } = this.#options.lease;
    await this.#known(dropMembers(this.#where(channel), holder, clients.map(clientKey), false));
  }

  /** What may still happen at any time must not happen to a lease that lives. */
  async #known<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof RedisError && error.outcome === 'unknown') this.#options.lease.abandon();
      throw error;
    }
  }

  #where(channel: string): Where {
    const { lease, prefix, tagOf } = this.#options;
    return { lease, prefix, tag: tagOf(channel), channel };
  }

  #owe(name: Name): void {
    this.#owed.set(idOf(name), name);
    // So much is owed only to a Redis that was away for long: whatever lies there is given up.
    if (this.#owed.size > mostOwed && this.#get(name) === undefined) {
      this.#owed.delete(idOf(name));
      this.#options.lease.abandon();
    }
  }

  #get({ channel, client }: Name): Own | undefined {
    return this.#members.get(channel)?.get(client);
  }

  #set({ channel, client }: Name, own: Own): void {
    const clients = this.#members.get(channel);
    if (clients === undefined) this.#members.set(channel, new Map([[client, own]]));
    else clients.set(client, own);
  }

  #delete({ channel, client }: Name): void {
    const clients = this.#members.get(channel);
    clients?.delete(client);
    if (clients?.size === 0) this.#members.delete(channel);
  }
}

const idOf = ({ channel, client }: Name): string => `${channel.length}:${channel}${client}`;
