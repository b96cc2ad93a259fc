import type { Streams } from './checks.ts';
import { stretches } from './continuity.ts';
import type { Ledger } from './ledger.ts';

/**
 * Subscribers who were told that they may have missed something, and had nothing that the stream lost: all that they had
 * is still there, and what followed could have been given to them.
 */
export function toldInVain({ seen }: Ledger, streams: Streams): string[] {
  const kept = new Map([...streams].map(([channel, { publications }]) => [channel, places(publications)]));
  return stretches(seen).flatMap(({ subscriber, channel, end, publications }) => {
    const last = publications.at(-1);
    if (end !== 'told' || last === undefined || kept.get(channel)?.get(last.offset) !== last.id) return [];
    return [`${subscriber} in ${channel} at ${last.offset}`];
  });
}

/**
 * Subscribers who did not get the first publication of a stream that began anew, although they were there before it: they
 * were told, and go on behind it.
 */
export function firstUnseen({ seen }: Ledger, streams: Streams): string[] {
  const got = new Set(seen.flatMap((e) => (e.kind === 'publication' ? [`${e.subscriber} ${e.id}`] : [])));
  const told = stretches(seen).filter(({ end }) => end === 'told');
  return told.flatMap(({ subscriber, channel }) => {
    const first = streams.get(channel)?.publications[0];
    return first === undefined || got.has(`${subscriber} ${first.id}`) ? [] : [`${subscriber} ${first.id}`];
  });
}

function places(
  publications: readonly { readonly offset: number; readonly id: string }[],
): Map<number, string> {
  return new Map(publications.map(({ offset, id }) => [offset, id]));
}
