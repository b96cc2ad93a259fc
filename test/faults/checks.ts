import { stretches, type Stretch } from './continuity.ts';
import type { Ledger, Sent } from './ledger.ts';

/** The stream of a channel as it stands at the end, whole. */
export interface Stream {
  readonly epoch: string;
  readonly offset: number;
  readonly publications: readonly { readonly offset: number; readonly id: string }[];
}

/** Streams by channel. */
export type Streams = ReadonlyMap<string, Stream>;

/** What a fault may do, and no more. */
export interface Allowed {
  /** Answers with `recovered: false`: how many, or at least and at most. Default none. */
  readonly told?: number | readonly [least: number, most: number];
  /** It takes acknowledged publications out of the streams. What is gone has to be told, and is counted. Default false. */
  readonly destroys?: boolean;
}

/** A promise that was not kept. */
export interface Finding {
  readonly check: 'C1' | 'C2' | 'C3' | 'C4' | 'C5' | 'C6' | 'C7';
  readonly text: string;
}

/** Something that is to be true at the end. */
export interface Fact {
  readonly what: string;
  readonly is: unknown;
  readonly should: unknown;
}

/** What was counted, whatever is allowed. */
export interface Counts {
  lost: number;
  doubled: number;
  reordered: number;
  disagreeing: number;
  phantoms: number;
  /** Answers with `recovered: false`. */
  told: number;
  /** Acknowledged, and not in the stream any more. */
  destroyed: number;
  /** Came out of sequence, before its subscriber was told. */
  strays: number;
}

export interface Verdict {
  readonly counts: Counts;
  readonly findings: readonly Finding[];
}

/** Checks C1 to C6 over a ledger and the streams as they are at the end. */
export function check(ledger: Ledger, streams: Streams, allowed: Allowed = {}): Verdict {
  const all = stretches(ledger.seen);
  const loss = checkLoss(ledger, all, streams, allowed);
  const doubles = checkDoubles(all, allowed);
  const order = checkOrder(ledger, all);
  const agreement = checkAgreement(ledger, all, streams);
  const phantoms = checkPhantoms(ledger, streams);
  const honesty = checkHonesty(ledger, all, allowed);
  const parts = [loss, doubles, order, agreement, phantoms, honesty];
  return {
    counts: {
      lost: loss.lost,
      destroyed: loss.destroyed,
      doubled: doubles.doubled,
      strays: doubles.strays,
      reordered: order.findings.length,
      disagreeing: agreement.findings.length,
      phantoms: phantoms.findings.length,
      told: honesty.told,
    },
    findings: parts.flatMap(({ findings }) => findings),
  };
}

/**
 * C1: who was subscribed has every acknowledged publication of that time. What the fault took out of the stream cannot be
 * had by anybody; it is counted apart.
 */
export function checkLoss(
  ledger: Ledger,
  all: readonly Stretch[],
  streams: Streams,
  allowed: Allowed = {},
): { findings: Finding[]; lost: number; destroyed: number } {
  const findings: Finding[] = [];
  const acknowledged = byChannel(ledger.sent.filter(isAcknowledged));
  const kept = new Map<string, Acknowledged[]>();
  let destroyed = 0;
  for (const [channel, sent] of acknowledged) {
    const ids = new Set(streams.get(channel)?.publications.map(({ id }) => id));
    kept.set(
      channel,
      sent.filter(({ id }) => ids.has(id)),
    );
    for (const { id, outcome } of sent) {
      if (ids.has(id)) continue;
      destroyed++;
      if (!allowed.destroys) {
        findings.push({
          check: 'C1',
          text: `${id}, acknowledged at ${outcome.offset}, is not in the stream of ${channel}`,
        });
      }
    }
  }
  let lost = 0;
  for (const { channel, subscriber, start, end, epochs, publications, strays } of all) {
    const got = new Set([...publications, ...strays].map(({ id }) => id));
    const last = end === 'open' ? Infinity : (publications.at(-1)?.offset ?? start);
    for (const { id, outcome } of kept.get(channel) ?? []) {
      const { epoch, offset } = outcome;
      if (!epochs.includes(epoch) || offset <= start || offset > last || got.has(id)) continue;
      lost++;
      findings.push({ check: 'C1', text: `${subscriber} did not get ${id}, at ${offset} of ${channel}` });
    }
  }
  return { findings, lost, destroyed };
}

/** C2: nothing twice, and offsets rise by one. Where the stream itself was lost, what shows it may come before it is told. */
export function checkDoubles(
  all: readonly Stretch[],
  allowed: Allowed = {},
): { findings: Finding[]; doubled: number; strays: number } {
  const findings: Finding[] = [];
  let doubled = 0;
  let strayed = 0;
  for (const { channel, subscriber, start, publications, strays, end } of all) {
    const excused = allowed.destroys === true && end === 'told';
    const ids = new Set<string>();
    for (const { id, offset } of excused ? publications : [...publications, ...strays]) {
      if (ids.has(id)) {
        doubled++;
        findings.push({ check: 'C2', text: `${subscriber} got ${id} twice, at ${offset} of ${channel}` });
      }
      ids.add(id);
    }
    strayed += strays.length;
    const [first] = strays;
    if (first === undefined || excused) continue;
    const last = publications.at(-1)?.offset ?? start;
    findings.push({
      check: 'C2',
      text: `${subscriber} got ${first.offset} (${first.id}) after ${last} of ${channel}`,
    });
  }
  return { findings, doubled, strays: strayed };
}

/** C3: what one publisher sent one after the other comes in that order. */
export function checkOrder(ledger: Ledger, all: readonly Stretch[]): { findings: Finding[] } {
  const findings: Finding[] = [];
  const acknowledged = new Map(ledger.sent.filter(isAcknowledged).map((sent) => [sent.id, sent]));
  for (const { channel, subscriber, publications } of all) {
    let last: Sent | undefined;
    for (const { id } of publications) {
      const sent = acknowledged.get(id);
      if (sent === undefined) continue;
      if (last !== undefined && sent.seq <= last.seq) {
        findings.push({ check: 'C3', text: `${subscriber} got ${id} after ${last.id} in ${channel}` });
      }
      last = sent;
    }
  }
  return { findings };
}

/** C4: a place in a stream, said by whomever, is always the same publication. */
export function checkAgreement(
  ledger: Ledger,
  all: readonly Stretch[],
  streams: Streams,
): { findings: Finding[] } {
  const findings: Finding[] = [];
  const places = new Map<string, { id: string; who: string }>();
  const say = (who: string, channel: string, epoch: string, offset: number, id: string): void => {
    const key = `${channel} ${epoch} ${offset}`;
    const known = places.get(key);
    if (known === undefined) places.set(key, { id, who });
    else if (known.id !== id) {
      findings.push({ check: 'C4', text: `${key} is ${known.id} to ${known.who}, ${id} to ${who}` });
    }
  };
  for (const [channel, { epoch, publications }] of streams) {
    for (const { offset, id } of publications) say('the stream', channel, epoch, offset, id);
  }
  for (const { channel, id, outcome } of ledger.sent.filter(isAcknowledged)) {
    say('its publisher', channel, outcome.epoch, outcome.offset, id);
  }
  for (const { subscriber, channel, publications } of all) {
    for (const { epoch, offset, id } of publications) say(subscriber, channel, epoch, offset, id);
  }
  return { findings };
}

/** C5: what is there was sent, to that channel, and lies there once. */
export function checkPhantoms(ledger: Ledger, streams: Streams): { findings: Finding[] } {
  const findings: Finding[] = [];
  const channels = new Map(ledger.sent.map(({ id, channel }) => [id, channel]));
  for (const event of ledger.seen) {
    if (event.kind !== 'publication' || channels.get(event.id) === event.channel) continue;
    findings.push({
      check: 'C5',
      text: `${event.subscriber} got ${event.id}, which nobody sent to ${event.channel}`,
    });
  }
  for (const [channel, { publications }] of streams) {
    const ids = new Set<string>();
    for (const { id, offset } of publications) {
      if (channels.get(id) !== channel) {
        findings.push({ check: 'C5', text: `${id} lies in ${channel}, where nobody sent it` });
      }
      if (ids.has(id)) findings.push({ check: 'C5', text: `${id} lies in ${channel} again, at ${offset}` });
      ids.add(id);
    }
  }
  return { findings };
}

/**
 * C6: subscribers are told that they may have missed something where they may have, and only there. Who is not told the
 * epoch of its place cannot be told.
 */
export function checkHonesty(
  ledger: Ledger,
  all: readonly Stretch[],
  allowed: Allowed = {},
): { findings: Finding[]; told: number } {
  const findings: Finding[] = [];
  const told = ledger.seen.filter(
    (event) => event.kind === 'subscribed' && event.wasRecovering && !event.recovered,
  ).length;
  const { told: limits = 0 } = allowed;
  const [least, most] = typeof limits === 'number' ? [limits, limits] : limits;
  if (told < least || told > most) {
    findings.push({ check: 'C6', text: `told ${told} times, to be between ${least} and ${most}` });
  }
  for (const { subscriber, channel, end } of all) {
    if (end !== 'unsaid') continue;
    findings.push({ check: 'C6', text: `${subscriber} began ${channel} afresh, and was not told` });
  }
  for (const event of ledger.seen) {
    if (event.kind !== 'subscribed' || event.epoch !== '') continue;
    findings.push({
      check: 'C6',
      text: `${event.subscriber} is at ${event.offset} of ${event.channel}, of no epoch`,
    });
  }
  return { findings, told };
}

/** C7: everybody has come to the same in the end. */
export function checkConvergence(facts: readonly Fact[]): Finding[] {
  return facts
    .filter(({ is, should }) => JSON.stringify(is) !== JSON.stringify(should))
    .map(({ what, is, should }) => ({
      check: 'C7',
      text: `${what} is ${JSON.stringify(is)}, to be ${JSON.stringify(should)}`,
    }));
}

interface Acknowledged extends Sent {
  readonly outcome: Extract<Sent['outcome'], { kind: 'ok' }>;
}

function byChannel(sent: readonly Acknowledged[]): ReadonlyMap<string, Acknowledged[]> {
  const groups = new Map<string, Acknowledged[]>();
  for (const one of sent) {
    const group = groups.get(one.channel);
    if (group === undefined) groups.set(one.channel, [one]);
    else group.push(one);
  }
  return groups;
}

function isAcknowledged(sent: Sent): sent is Acknowledged {
  return sent.outcome.kind === 'ok';
}
