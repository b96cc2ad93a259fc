import { api, type Gyre } from '../harness/index.ts';
import type { Ledger } from './ledger.ts';
import type { Scene } from './facts.ts';
import type { Subscriber } from './subscribers.ts';

/** What these witnesses are to be told, each once, when these clients are gone: one line for each witness, room and client. */
export function departures(
  { subscribers, rooms }: Scene,
  witnesses: readonly Subscriber[],
  clients: readonly string[],
): string[] {
  const gone = subscribers.filter((one) => clients.includes(one.id()));
  return witnesses.flatMap((witness) =>
    rooms
      .filter((room) => witness.channels.includes(room))
      .flatMap((room) =>
        gone.filter((one) => one.channels.includes(room)).map((one) => `${witness.name} ${room} ${one.id()}`),
      ),
  );
}

/** What these witnesses were told of these clients' going, in the same form. */
export function leaves(
  { seen }: Ledger,
  witnesses: readonly Subscriber[],
  clients: readonly string[],
): string[] {
  const names = new Set(witnesses.map(({ name }) => name));
  return seen.flatMap((event) =>
    event.kind === 'leave' && names.has(event.subscriber) && clients.includes(event.client)
      ? [`${event.subscriber} ${event.channel} ${event.client}`]
      : [],
  );
}

/** Those of such lines whose witness kept its connection all the time: nobody else can count on having been told. */
export function undisturbed({ seen }: Ledger, lines: readonly string[]): string[] {
  const disturbed = new Set(seen.flatMap((event) => (event.kind === 'closed' ? [event.subscriber] : [])));
  return lines.filter((line) => !disturbed.has(line.slice(0, line.indexOf(' ')))).toSorted();
}

/**
 * Where witnesses were told something else than what is so: who was said to have left and is there, or to have joined and
 * is not. Only what they were told without an interruption counts.
 */
export function misled({ subscribers, rooms }: Scene, { seen }: Ledger): string[] {
  const said = new Map<string, 'join' | 'leave'>();
  for (const event of seen) {
    if (!('channel' in event)) continue;
    const start = `${event.subscriber} ${event.channel} `;
    if (event.kind === 'join' || event.kind === 'leave') said.set(start + event.client, event.kind);
    if (event.kind !== 'subscribed') continue;
    for (const key of said.keys()) if (key.startsWith(start)) said.delete(key);
  }
  const present = new Set(
    rooms.flatMap((room) =>
      subscribers.filter((one) => one.channels.includes(room)).map((one) => `${room} ${one.id()}`),
    ),
  );
  return [...said].flatMap(([key, kind]) => {
    const member = key.slice(key.indexOf(' ') + 1);
    return present.has(member) === (kind === 'join') ? [] : [`${key} ${kind}`];
  });
}

/** None of these clients is in a room, as a node says. */
export function lacks({ rooms }: Scene, node: Gyre, clients: readonly string[]): Promise<boolean> {
  return every(rooms, async (channel) => {
    const { result } = await api<{ presence: object }>(node, 'presence', { channel });
    return result !== undefined && !Object.keys(result.presence).some((client) => clients.includes(client));
  });
}

/** Whether all of them fulfil a condition that is asked of all at a time. */
export async function every<T>(
  items: readonly T[],
  condition: (item: T) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(items.map(condition))).every(Boolean);
}
