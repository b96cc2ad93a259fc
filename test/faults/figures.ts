import type { Counts } from './checks.ts';
import type { Ledger } from './ledger.ts';

/** The value below which `share` of the others lie; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** What a run took, as it is printed: names with values. Times are milliseconds. */
export function figures(ledger: Ledger, from: number): Record<string, string | number> {
  const { sent, seen } = ledger;
  const pauses = interruptions(seen, from);
  const closes = seen.filter((event) => event.kind === 'closed' && event.at >= from);
  const resubscribes = seen.filter((e) => e.kind === 'left' && e.code >= 2500 && e.at >= from);
  return {
    sent: sent.length,
    retried: sent.filter(({ attempts }) => attempts > 1).length,
    unknown: sent.filter(({ outcome }) => outcome.kind !== 'ok').length,
    closed: closes.length,
    resubscribed: resubscribes.length,
    ...(pauses.length === 0 ? {} : { interrupted: spread(pauses) }),
    latency: spread(latencies(ledger, from)),
  };
}

/** Milliseconds from a publisher's sending to a subscriber's getting, of what came between two times. */
export function latencies({ sent, seen }: Ledger, from: number, to = Infinity): number[] {
  const sentAt = new Map(sent.map((one) => [one.id, one.sentAt]));
  return seen.flatMap((event) => {
    const start = event.kind === 'publication' ? sentAt.get(event.id) : undefined;
    return start === undefined || event.at < from || event.at > to ? [] : [event.at - start];
  });
}

/** Milliseconds from each end of a subscription to its next begin. */
function interruptions(seen: Ledger['seen'], from: number): number[] {
  const since = new Map<string, number>();
  const pauses: number[] = [];
  for (const event of seen) {
    if (event.at < from || !('channel' in event)) continue;
    const key = `${event.subscriber} ${event.channel}`;
    if (event.kind === 'left' && !since.has(key)) since.set(key, event.at);
    const start = since.get(key);
    if (event.kind !== 'subscribed' || start === undefined) continue;
    pauses.push(event.at - start);
    since.delete(key);
  }
  return pauses;
}

function spread(values: readonly number[]): string {
  const at = (share: number): string => quantile(values, share).toFixed(0);
  return `${at(0.5)}/${at(0.99)}/${at(1)}`;
}

/** The most connections made within a second. */
export function peakConnects({ seen }: Ledger, from: number): number {
  const times = seen.flatMap((event) => (event.kind === 'connected' && event.at >= from ? [event.at] : []));
  let first = 0;
  let most = 0;
  for (const [last, time] of times.entries()) {
    while (time - times[first]! > 1000) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** One line for a table: what was counted, then what it took. */
export function line(name: string, counts: Counts, more: Readonly<Record<string, string | number>>): string {
  const text = (entries: object): string =>
    Object.entries(entries)
      .map(([key, value]) => `${key} ${String(value)}`)
      .join(' ');
  return `${name} ${text(counts)} | ${text(more)}`;
}
