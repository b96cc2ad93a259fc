// road out 7/8: one encode per audience; a reference into each outbox
import type { Bytes, ClientInfo, Publication } from '@gyre/protocol';
import { createDelta } from '@gyre/protocol';
import type { NodeStats } from '../options.ts';
import type { Audience } from './audience.ts';
import type { Channel } from './channel.ts';

const FULL = { deltaNegotiated: false } as const;
const DELTA = { deltaNegotiated: true } as const;

/** One publication in so many is timed: to look at the clock costs a tenth of what a single delivery does. */
const TIMED = 16;

/**
 * Hands a publication to every subscriber of the channel. Nothing is awaited and nothing is thrown for one subscriber:
 * where a wire cannot carry the payload, that audience's connections end, as the protocol says.
 *
 * @param base the publication before this one, where a patch against it is allowed
 */
export function fanout(
  channel: Channel,
  publication: Publication,
  base: Publication | undefined,
  stats: NodeStats,
): void {
  const began = stats.received.publication % TIMED === 1 ? performance.now() : undefined;
  for (const audience of channel.audiences) {
    try {
      const sent = audience.delta
        ? deltaFanout(channel.name, audience, publication, base)
        : plainFanout(channel.name, audience, publication);
      stats.sent.publication += sent;
      stats.filtered += audience.members.length - sent;
    } catch (error) {
      // A copy: whoever is closed leaves the audience.
      for (const member of audience.members.slice()) member.session.failed(error);
    }
  }
  if (began !== undefined) stats.broadcasts.observe((performance.now() - began) / 1000);
}

function plainFanout(channel: string, audience: Audience, publication: Publication): number {
  const message = audience.codec.publication(channel, publication, FULL);
  const members = audience.members;
  let sent = 0;
  // Backwards: a member that is closed for being slow is replaced by one that had its turn.
  for (let i = members.length - 1; i >= 0; i--) {
    const member = members[i];
    if (member === undefined || (member.filter !== undefined && !member.filter(publication.tags))) continue;
    member.session.outbox.push(message);
    sent++;
  }
  return sent;
}

function deltaFanout(
  channel: string,
  audience: Audience,
  publication: Publication,
  base: Publication | undefined,
): number {
  const full = audience.codec.publication(channel, publication, DELTA);
  const patch = patched(channel, audience, publication, base) ?? full;
  const members = audience.members;
  for (let i = members.length - 1; i >= 0; i--) {
    const member = members[i];
    if (member === undefined) continue;
    member.session.outbox.push(member.hasBase ? patch : full);
    member.hasBase = true;
  }
  return members.length;
}

/** The publication as a patch, where there is one that is smaller. */
function patched(
  channel: string,
  audience: Audience,
  publication: Publication,
  base: Publication | undefined,
): Bytes | undefined {
  const data = base === undefined ? undefined : createDelta(base.data, publication.data);
  if (data === undefined) return undefined;
  return audience.codec.publication(channel, { ...publication, data, delta: true }, DELTA);
}

/** Tells the subscribers that want to know who came or went. */
export function announce(channel: Channel, type: 'join' | 'leave', info: ClientInfo, stats: NodeStats): void {
  for (const audience of channel.audiences) {
    let message: Bytes | undefined;
    for (let i = audience.members.length - 1; i >= 0; i--) {
      const member = audience.members[i];
      if (member === undefined || !member.grant.pushJoinLeave) continue;
      try {
        message ??= audience.codec.push({ type, channel: channel.name, info });
        member.session.outbox.push(message);
        stats.sent[type]++;
      } catch (error) {
        member.session.failed(error);
      }
    }
  }
}
