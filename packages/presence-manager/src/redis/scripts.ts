import { script } from '@gyre/redis';
import type { Lease, Reply } from '@gyre/redis';
import { channelKeys, namesKey, sweptKey } from './keys.ts';
import { clientKey, encodeEntry, nameHead } from './entry.ts';
import type { ClientInfo } from '@gyre/protocol';

const putScript = script<readonly Reply[]>(new URL('./lua/put_members.lua', import.meta.url));
const dropScript = script<readonly Buffer[]>(new URL('./lua/drop_members.lua', import.meta.url));
const countScript = script<readonly Reply[]>(new URL('./lua/count_members.lua', import.meta.url));

/** Milliseconds that keys of a channel stay when nobody writes to it; holders write their members again before. */
export const keptMs = 24 * 3_600_000;

/** A channel in Redis, and the lease of this process there. */
export interface Where {
  readonly lease: Lease;
  readonly prefix: string;
  readonly tag: string;
  readonly channel: string;
}

/**
 * Adds members under a holder, or replaces what was known of them.
 * @param before who they were held by; "" where by nobody
 * @returns for each of them whether it had been swept away as a member of `before`
 */
export async function putMembers(
  where: Where,
  holder: string,
  before: string,
  infos: readonly ClientInfo[],
): Promise<readonly boolean[]> {
  const { lease, prefix, tag, channel } = where;
  const { members, users } = channelKeys(prefix, tag, channel);
  const replies = await putScript(
    lease.shard,
    tag,
    [members, users, namesKey(prefix, tag, holder), sweptKey(prefix, tag, before)],
    [
      holder,
      keptMs,
      nameHead(channel),
      ...infos.flatMap((info) => [clientKey(info.client), info.user, encodeEntry(holder, info)]),
    ],
  );
  return replies.map((reply) => reply === 1);
}

/**
 * Removes members by their client keys.
 * @param sweep only those that `holder` holds, because it is dead
 * @returns the entries that this very call removed
 */
export async function dropMembers(
  where: Where,
  holder: string,
  keys: readonly Buffer[],
  sweep: boolean,
): Promise<readonly Buffer[]> {
  const { lease, prefix, tag, channel } = where;
  const { members, users } = channelKeys(prefix, tag, channel);
  return dropScript(
    lease.shard,
    tag,
    [members, users, namesKey(prefix, tag, holder), sweptKey(prefix, tag, holder)],
    [holder, sweep ? keptMs : 0, nameHead(channel), ...keys],
  );
}

/** Counts clients and distinct users. */
export async function countMembers(where: Where): Promise<{ clients: number; users: number }> {
  const { members, users } = channelKeys(where.prefix, where.tag, where.channel);
  const reply = await countScript(where.lease.shard, where.tag, [members, users], [], 'read');
  return { clients: Number(reply[0]), users: Number(reply[1]) };
}
