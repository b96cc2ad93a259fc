import { clientError } from '@gyre/protocol';
import type { ClientInfo } from '@gyre/protocol';
import type { PresenceManager, PresencePage } from './presence-manager.ts';

/** What the presence manager holds at this moment. */
export interface MemoryPresenceGauges {
  readonly channels: number;
  readonly members: number;
}

export interface MemoryPresenceManager extends PresenceManager {
  gauges(): MemoryPresenceGauges;
}

/**
 * A presence manager for one process, which forgets everything with it. It is the executable definition of
 * {@link PresenceManager}.
 *
 * Every call does its whole work before it returns its promise. Members are listed in the order in which they came.
 * A channel without members costs nothing.
 */
export function memoryPresenceManager(): MemoryPresenceManager {
  const rooms = new Map<string, Room>();
  /** Numbers members of all channels, so that a cursor stays good when a channel was empty for a while. */
  let lastNumber = 0;
  return {
    add: async (channel, info) => {
      let room = rooms.get(channel);
      if (room === undefined) {
        room = new Room();
        rooms.set(channel, room);
      }
      if (room.add(info, lastNumber + 1)) lastNumber++;
    },
    remove: async (channel, clientId) => {
      const room = rooms.get(channel);
      room?.remove(clientId);
      if (room?.clients === 0) rooms.delete(channel);
      return true;
    },
    members: async (channel, page) => {
      const after = page === undefined ? 0 : readCursor(page.cursor, lastNumber);
      return rooms.get(channel)?.page(after, page?.limit ?? Infinity) ?? { members: new Map() };
    },
    stats: async (channel) => {
      const room = rooms.get(channel);
      return { clients: room?.clients ?? 0, users: room?.users ?? 0 };
    },
    close: async () => rooms.clear(),
    gauges: () => ({
      channels: rooms.size,
      members: [...rooms.values()].reduce((sum, room) => sum + room.clients, 0),
    }),
  };
}

/** A cursor is the number of the last member given. */
function readCursor(cursor: string, lastNumber: number): number {
  if (cursor === '') return 0;
  const number = Number(cursor);
  if (!/^[1-9]\d*$/.test(cursor) || number > lastNumber) throw clientError('badRequest', 'unknown cursor');
  return number;
}

interface Member {
  /** Rises in the order in which members came. */
  readonly number: number;
  /** Absent when it has gone. */
  info: ClientInfo | undefined;
}

/** The members of one channel. */
class Room {
  readonly #byClient = new Map<string, Member>();
  /** By number, with some that have gone: less than half, but for a few. */
  #inOrder: Member[] = [];
  /** How many clients a user has here. */
  readonly #clientsOf = new Map<string, number>();

  get clients(): number {
    return this.#byClient.size;
  }

  get users(): number {
    return this.#clientsOf.size;
  }

  /** @returns the client is a new member and has taken `number` */
  add(info: ClientInfo, number: number): boolean {
    const member = this.#byClient.get(info.client);
    this.#count(info.user, 1);
    if (member?.info !== undefined) {
      this.#count(member.info.user, -1);
      member.info = info;
      return false;
    }
    const added = { number, info };
    this.#byClient.set(info.client, added);
    this.#inOrder.push(added);
    return true;
  }

  remove(clientId: string): void {
    const member = this.#byClient.get(clientId);
    if (member?.info === undefined) return;
    this.#byClient.delete(clientId);
    this.#count(member.info.user, -1);
    member.info = undefined;
    if (this.#inOrder.length > 2 * this.#byClient.size + 16) {
      this.#inOrder = this.#inOrder.filter(({ info }) => info !== undefined);
    }
  }

  /** At most `limit` of the members after the one with this number. */
  page(after: number, limit: number): PresencePage {
    const members = new Map<string, ClientInfo>();
    let last = after;
    for (let i = this.#firstAfter(after); i < this.#inOrder.length; i++) {
      const member = this.#inOrder[i];
      if (member?.info === undefined) continue;
      if (members.size >= limit) return { members, cursor: String(last) };
      members.set(member.info.client, member.info);
      last = member.number;
    }
    return { members };
  }

  #firstAfter(number: number): number {
    let low = 0;
    let high = this.#inOrder.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#inOrder[middle]?.number ?? Infinity) > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #count(user: string, change: number): void {
    const count = (this.#clientsOf.get(user) ?? 0) + change;
    if (count === 0) this.#clientsOf.delete(user);
    else this.#clientsOf.set(user, count);
  }
}
