import type { ClientInfo } from '@gyre/protocol';

export interface PresencePage {
  /** By client id. */
  readonly members: ReadonlyMap<string, ClientInfo>;
  /** Where the next page begins, absent after the last one. */
  readonly cursor?: string;
}

export interface PresenceStats {
  readonly clients: number;
  /** Distinct user ids; "" counts as one. */
  readonly users: number;
}

/**
 * Knows who is in which channel, on all nodes.
 *
 * Guarantees, for every engine: a member is there when `add` resolves and gone when `remove` does; calls for one
 * (channel, client) take effect in the order they were made; a dead node's members vanish by themselves, from all answers
 * at the same time; the cost of `stats` does not depend on the number of members, but for channels of a node that has just
 * died.
 */
export interface PresenceManager {
  /** Adds a member of this node, or replaces its info. */
  add(channel: string, info: ClientInfo): Promise<void>;
  /**
   * Harmless where there is no such member. What is refused is done later.
   * @param tell the channel is to be told that the member left. An engine that can do so in one step with the removal does
   *   it, so that it is told once, whether the caller hears of it or not; default false
   * @returns whether the channel has still to be told; false where this call did it, or whoever took its node for dead
   */
  remove(channel: string, clientId: string, tell?: boolean): Promise<boolean>;
  /**
   * @param page all members without it; with it at most `limit` of them, from `cursor` on ("" for the first page).
   *   Pages of a channel that changes meanwhile hold every member that stayed exactly once.
   * @throws ClientError 107 for a cursor that no page gave
   */
  members(channel: string, page?: { readonly limit: number; readonly cursor: string }): Promise<PresencePage>;
  stats(channel: string): Promise<PresenceStats>;
  close(): Promise<void>;
}
