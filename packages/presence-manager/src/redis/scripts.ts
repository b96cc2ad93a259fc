import { script } from '@gyre/redis';
import type { Lease } from '@gyre/redis';
import type { ClientInfo } from '@gyre/protocol';
import { clientKey, encodeEntry, nameHead } from './entry.ts';
import { channelKeys, namesKey, sweptKey } from './keys.ts';

const uncount = new URL('./lua/uncount_member.lua', import.meta.url);
const putScript = script<number>(new URL('./lua/put_members.lua', import.meta.url), uncount);
const dropScript = script<readonly number[]>(new URL('./lua/drop_members.lua', import.meta.url), uncount);
const findScript = script<readonly Buffer[]>(new URL('./lua/find_members.lua', import.meta.url));
const countScript = script<readonly [number, number, ...Buffer[]]>(
  new URL('./lua/count_members.lua', import.meta.url),
);

/** Milliseconds that keys of a channel stay when nobody writes to it; holders write their members again before. */
export const keptMs = 24 * 3_600_000;

/** What the subscribers of a channel are told over Redis' pub/sub. */
export interface Announcement {
  /** Bus channel, with the hash tag of the channel. */
  readonly bus: string;
  readonly message: Uint8Array;
}

/** Makes what a channel is told of a member; undefined where it is told nothing. Does not throw. */
export type Announce = (
  event: 'join' | 'leave',
  channel: string,
  info: ClientInfo,
) => Announcement | undefined;

/** A channel in Redis, and the lease of this process there. */
export interface Where {
  readonly lease: Lease;
  readonly prefix: string;
  readonly tag: string;
  readonly channel: string;
}

/** A member that is to be removed, and what the channel is told with it. */
export interface Removal {
  /** Client key. */
  readonly key: Buffer;
  readonly told?: Announcement | undefined;
}

/** What removing did: `swept` where a sweep has removed the member, and told the channel, before. */
export type Removed = 'removed' | 'swept' | 'nobody';

/**
 * Adds members under a holder, or replaces what was known of them.
 * @param before who they were held by; "" where by nobody
 * @param announce what the channel is told of those that had been swept away as members of `before`
 * @returns how many these were
 */
export async function putMembers(
  where: Where,
  holder: string,
  before: string,
  infos: readonly ClientInfo[],
  announce: Announce,
): Promise<number> {
  const { lease, prefix, tag, channel } = where;
  const { members, users, holders } = channelKeys(prefix, tag, channel);
  const told = infos.map((info) => (before === '' ? undefined : announce('join', channel, info)));
  const bus = busOf(told);
  return putScript(
    lease.shard,
    tag,
    [members, users, holders, namesKey(prefix, tag, holder), sweptKey(prefix, tag, before), bus ?? members],
    [
      holder,
      keptMs,
      lease.shard.publishCommand,
      nameHead(channel),
      ...infos.flatMap((info, i) => [
        clientKey(info.client),
        info.user,
        encodeEntry(holder, info),
        told[i]?.message ?? '',
      ]),
    ],
  );
}

export interface DropOptions {
  /** Whom the members are removed as: its registry forgets them. */
  readonly holder: string;
  /** Only those that it holds. */
  readonly only: boolean;
  /** Because it is dead: so that it knows, should it come back. */
  readonly sweep: boolean;
}

/** Removes members. Each is removed, and told of, by one call only, whoever else removes it at the same time. */
export async function dropMembers(
  where: Where,
  removals: readonly Removal[],
  { holder, only, sweep }: DropOptions,
): Promise<readonly Removed[]> {
  const { lease, prefix, tag, channel } = where;
  const { members, users, holders } = channelKeys(prefix, tag, channel);
  const bus = busOf(removals.map(({ told }) => told));
  const answers = await dropScript(
    lease.shard,
    tag,
    [members, users, holders, namesKey(prefix, tag, holder), sweptKey(prefix, tag, holder), bus ?? members],
    [
      holder,
      only ? 1 : 0,
      sweep ? keptMs : 0,
      lease.shard.publishCommand,
      nameHead(channel),
      ...removals.flatMap(({ key, told }) => [key, told?.message ?? '']),
    ],
  );
  return answers.map((answer) => (answer === 1 ? 'removed' : answer === 2 ? 'swept' : 'nobody'));
}

/** The entries that a holder has, of these client keys. */
export async function findMembers(
  { lease, prefix, tag, channel }: Where,
  holder: string,
  keys: readonly Buffer[],
): Promise<readonly Buffer[]> {
  const { members } = channelKeys(prefix, tag, channel);
  return findScript(lease.shard, tag, [members], [holder, ...keys], 'read');
}

/** Counts clients and distinct users, and tells who holds them. */
export async function countMembers(
  where: Where,
): Promise<{ clients: number; users: number; holders: readonly string[] }> {
  const { members, users, holders } = channelKeys(where.prefix, where.tag, where.channel);
  const keys = [members, users, holders];
  const [clients, distinct, ...held] = await countScript(where.lease.shard, where.tag, keys, [], 'read');
  return { clients, users: distinct, holders: held.map(String) };
}

/** All announcements of a channel go to the same one. */
function busOf(announcements: readonly (Announcement | undefined)[]): string | undefined {
  return announcements.find((one) => one !== undefined)?.bus;
}
