import { RedisError } from '@gyre/redis';
import type { Lease } from '@gyre/redis';
import type { ClientInfo } from '@gyre/protocol';
import { clientKey } from './entry.ts';
import { group } from './group.ts';
import { dropMembers, putMembers } from './scripts.ts';
import type { Announce, Where } from './scripts.ts';
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

/** What Redis has still to be told. */
interface Debt extends Name {
  /** What it was, where it has gone. */
  readonly gone?: Own | undefined;
  /** Its channel is to be told so. */
  readonly tell?: boolean;
}

export interface OwnMembersOptions {
  readonly lease: Lease;
  readonly prefix: string;
  readonly tagOf: (channel: string) => string;
  readonly announce: Announce;
  /** So many members that had been swept away are there again, of which their channels were told. */
  readonly rejoined: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * The members that this process has on one Redis: what should be there, and whether it is.
 *
 * Whatever Redis may not know, because it could not be reached or lost it, is owed and written later. So it comes to
 * agree with this memory, and an idle member costs nothing.
 *
 * That a member left is told by the script that removes it, whichever that is: the one of `remove`; where nothing came of
 * that, the one that pays for it; where the lease was over first, the one that sweeps.
 */
export class OwnMembers {
  readonly #options: OwnMembersOptions;
  readonly #members = new Map<string, Map<string, Own>>();
  /** Members of each tag. */
  readonly #counts = new Map<string, number>();
  readonly #owed = new Map<string, Debt>();
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
    for (const count of this.#counts.values()) members += count;
    return { members, owed: this.#owed.size };
  }

  /** How many there are in the channels of a tag, and of how many more, or less, Redis may be told at this moment. */
  countOf(tag: string): { readonly members: number; readonly unsure: number } {
    return { members: this.#counts.get(tag) ?? 0, unsure: this.#owed.size + this.#turns.size };
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

  /**
   * @param tell the channel, in the same step
   * @returns whether the channel has still to be told
   * @throws what Redis refused with; it will then be removed, and the channel be told if it is to be told, later
   */
  async remove(channel: string, client: string, tell: boolean): Promise<boolean> {
    const name = { channel, client };
    return this.#turns.take([idOf(name)], async () => {
      const debt = { ...name, gone: this.#get(name), tell };
      this.#delete(name);
      try {
        const [told] = await this.#drop([debt]);
        return told !== true;
      } catch (error) {
        this.#owe(debt);
        throw error;
      }
    });
  }

  /**
   * Removes what a holder left in Redis of members that are not there and that nobody owes. Their channels are not
   * told: either they were before, or there never was such a member.
   * @param holder of this process, now or before
   * @returns how many there were
   */
  async removeStrays(holder: string, names: readonly Name[]): Promise<number> {
    const isStray = (name: Name): boolean => this.#get(name) === undefined && !this.#owed.has(idOf(name));
    const strays = names.filter((name) => isStray(name) && !this.#turns.busy(idOf(name)));
    const removed = await this.#turns.take(strays.map(idOf), () =>
      Promise.all(
        group(strays, scriptSize, ({ channel }) => channel).map((some) => {
          const removals = some.map(({ client }) => ({ key: clientKey(client) }));
          const options = { holder, only: true, sweep: false };
          return this.#known(dropMembers(this.#where(some[0]?.channel ?? ''), removals, options));
        }),
      ),
    );
    return removed.flat().filter((one) => one === 'removed').length;
  }

  /** Owes the members of a tag that are not among these. @returns how many they are */
  oweOthers(tag: string, among: (name: Name) => boolean): number {
    let count = 0;
    for (const [channel, clients] of this.#members) {
      if (this.#options.tagOf(channel) !== tag) continue;
      for (const client of clients.keys()) {
        const name = { channel, client };
        if (among(name) || this.#turns.busy(idOf(name))) continue;
        this.#owe(name);
        count++;
      }
    }
    return count;
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
    this.#counts.clear();
    await this.pay();
  }

  async #payAll(): Promise<void> {
    while (this.#owed.size > 0) {
      const batch: Debt[] = [];
      for (const [id, debt] of this.#owed) {
        // Who has a turn writes it, or owes it again.
        this.#owed.delete(id);
        if (!this.#turns.busy(id)) batch.push(debt);
        if (batch.length === batchSize) break;
      }
      await this.#payBatch(batch);
    }
  }

  async #payBatch(batch: readonly Debt[]): Promise<void> {
    await this.#turns.take(batch.map(idOf), async () => {
      const lot = (debt: Debt): string => {
        const own = this.#get(debt);
        return own === undefined ? `gone ${debt.gone?.holder}` : `there ${own.holder}`;
      };
      const groups = group(batch, scriptSize, (debt) => `${lot(debt)} ${debt.channel}`);
      const paid = await Promise.allSettled(groups.map((debts) => this.#payGroup(debts)));
      groups.forEach((debts, i) => {
        if (paid[i]?.status === 'rejected') for (const debt of debts) this.#owe(debt);
      });
      for (const one of paid) if (one.status === 'rejected') throw one.reason;
    });
  }

  /** @param debts of one channel and one holder, either all there or all gone */
  async #payGroup(debts: readonly Debt[]): Promise<void> {
    const own = debts.flatMap((debt) => this.#get(debt) ?? []);
    if (own.length === 0) await this.#drop(debts);
    else {
      const infos = own.map(({ info }) => info);
      await this.#put(debts[0]?.channel ?? '', infos, own[0]?.holder ?? '');
    }
  }

  async #put(channel: string, infos: readonly ClientInfo[], before: string): Promise<void> {
    const { lease, announce, rejoined } = this.#options;
    const holder = await lease.held();
    rejoined(await this.#known(putMembers(this.#where(channel), holder, before, infos, announce)));
    for (const info of infos) this.#set({ channel, client: info.client }, { info, holder });
    // Written under a lease that is over by now.
    if (holder !== lease.holder) for (const { client } of infos) this.#owe({ channel, client });
  }

  /**
   * @param debts of one channel and one holder
   * @returns of which of them the channel was told, now or when they were swept
   */
  async #drop(debts: readonly Debt[]): Promise<readonly boolean[]> {
    const { channel, gone } = debts[0] ?? { channel: '', gone: undefined };
    const removals = debts.map(({ client, gone: was, tell }) => ({
      key: clientKey(client),
      told:
        tell === true && was !== undefined ? this.#options.announce('leave', channel, was.info) : undefined,
    }));
    const holder = gone?.holder ?? this.#options.lease.holder;
    const options = { holder, only: false, sweep: false };
    const removed = await this.#known(dropMembers(this.#where(channel), removals, options));
    return removed.map((one, i) => one === 'swept' || (one === 'removed' && removals[i]?.told !== undefined));
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

  #owe(debt: Debt): void {
    this.#owed.set(idOf(debt), debt);
    // So much is owed only to a Redis that was away for long: whatever lies there is given up.
    if (this.#owed.size > mostOwed && this.#get(debt) === undefined) {
      this.#owed.delete(idOf(debt));
      this.#options.lease.abandon();
    }
  }

  #get({ channel, client }: Name): Own | undefined {
    return this.#members.get(channel)?.get(client);
  }

  #set({ channel, client }: Name, own: Own): void {
    let clients = this.#members.get(channel);
    if (clients === undefined) this.#members.set(channel, (clients = new Map()));
    if (!clients.has(client)) this.#count(channel, 1);
    clients.set(client, own);
  }

  #delete({ channel, client }: Name): void {
    const clients = this.#members.get(channel);
    if (clients?.delete(client) === true) this.#count(channel, -1);
    if (clients?.size === 0) this.#members.delete(channel);
  }

  #count(channel: string, change: number): void {
    const tag = this.#options.tagOf(channel);
    this.#counts.set(tag, (this.#counts.get(tag) ?? 0) + change);
  }
}

const idOf = ({ channel, client }: Name): string => `${channel.length}:${channel}${client}`;
