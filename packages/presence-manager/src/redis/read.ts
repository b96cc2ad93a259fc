import type { ClientInfo } from '@gyre/protocol';
import type { PresencePage, PresenceStats } from '../presence-manager.ts';
import { cursorOf, readCursor, readEntry } from './entry.ts';
import { channelKeys } from './keys.ts';
import { countMembers } from './scripts.ts';
import type { Where } from './scripts.ts';

/** Entries read at a time, so that no answer of Redis is large. */
const sliceSize = 500;

/**
 * Members in the order of their client keys, which stays whatever happens: who is there all the time is on exactly one
 * page. Those of dead holders are left out.
 */
export async function readMembers(
  where: Where,
  page: { readonly limit: number; readonly cursor: string } = { limit: Infinity, cursor: '' },
): Promise<PresencePage> {
  const { lease, prefix, tag, channel } = where;
  const key = channelKeys(prefix, tag, channel).members;
  const members = new Map<string, ClientInfo>();
  let last = page.cursor === '' ? undefined : readCursor(page.cursor);
  for (;;) {
    const from = last === undefined ? '-' : Buffer.concat([Buffer.from('('), last, Uint8Array.of(255)]);
    // One more than the page holds, to know whether there is another page.
    const count = Math.min(page.limit + 1 - members.size, sliceSize);
    const slice = (await lease.shard.call(
      tag,
      ['ZRANGEBYLEX', key, from, '+', 'LIMIT', 0, count],
      'read',
    )) as readonly Buffer[];
    const entries = slice.map((entry) => readEntry(entry, lease.holder.length));
    const alive = await lease.alive(entries.map(({ holder }) => holder));
    for (const { key: client, holder, info } of entries) {
      if (alive.has(holder)) {
        if (members.size >= page.limit)
          return last === undefined ? { members } : { members, cursor: cursorOf(last) };
        members.set(info.client, info);
      }
      last = client;
    }
    if (slice.length < count) return { members };
  }
}

/**
 * Counts members. While some lie there of a holder that is dead, which is for a second or two, they are read in order to be
 * counted.
 */
export async function readStats(where: Where): Promise<PresenceStats> {
  const { clients, users, holders } = await countMembers(where);
  const alive = await where.lease.alive(holders);
  if (alive.size === holders.length) return { clients, users };
  const { members } = await readMembers(where);
  return { clients: members.size, users: new Set([...members.values()].map(({ user }) => user)).size };
}
