import type { Received, Seen } from './ledger.ts';

/** A publication as its subscriber places it: the epoch is the one that the subscriber was told last. */
export interface Placed extends Received {
  readonly epoch: string;
}

/** A time in which a subscriber was promised to miss nothing: from a fresh start to the next one. */
export interface Stretch {
  readonly subscriber: string;
  readonly channel: string;
  /** What comes first has the offset after this one. */
  readonly start: number;
  /** All that it was told in this time, the first one first. */
  readonly epochs: readonly string[];
  /** What came in sequence. */
  readonly publications: readonly Placed[];
  /** What came out of sequence, and all that followed it. */
  readonly strays: readonly Placed[];
  /**
   * `open`: still subscribed. `told`: by `recovered: false`. `left`: not subscribed any more. `unsaid`: it began afresh
   * and nobody told that something may be missing.
   */
  readonly end: 'open' | 'told' | 'left' | 'unsaid';
}

interface Growing {
  start: number;
  readonly epochs: string[];
  readonly publications: Placed[];
  readonly strays: Placed[];
  /** Nothing has come since the answer that it began with. */
  begun: boolean;
  left: boolean;
}

/** Cuts what subscribers saw into stretches, by subscriber and channel. */
export function stretches(seen: readonly Seen[]): Stretch[] {
  const done: Stretch[] = [];
  const growing = new Map<string, Growing>();
  const finish = (key: string, end: Stretch['end']): void => {
    const stretch = growing.get(key);
    if (stretch === undefined) return;
    const [subscriber = '', channel = ''] = key.split('\n');
    const { start, epochs, publications, strays } = stretch;
    done.push({ subscriber, channel, start, epochs, publications, strays, end });
    growing.delete(key);
  };
  for (const event of seen) {
    if (!('channel' in event)) continue;
    const key = `${event.subscriber}\n${event.channel}`;
    const stretch = growing.get(key);
    if (event.kind === 'left' && stretch !== undefined) stretch.left = true;
    if (event.kind === 'publication' && stretch !== undefined) place(stretch, event);
    if (event.kind !== 'subscribed') continue;
    if (stretch !== undefined && event.recovered) {
      stretch.left = false;
      if (stretch.epochs.at(-1) !== event.epoch) stretch.epochs.push(event.epoch);
      continue;
    }
    finish(key, event.wasRecovering ? 'told' : 'unsaid');
    growing.set(key, {
      start: event.offset,
      epochs: [event.epoch],
      publications: [],
      strays: [],
      begun: true,
      left: false,
    });
  }
  for (const [key, { left }] of growing) finish(key, left ? 'left' : 'open');
  return done;
}

function place(stretch: Growing, event: Received): void {
  const placed = { ...event, epoch: stretch.epochs.at(-1) ?? '' };
  // A fresh start may come with publications that lead up to it.
  if (stretch.begun && event.recovered && event.offset <= stretch.start) stretch.start = event.offset - 1;
  stretch.begun = false;
  const last = stretch.publications.at(-1)?.offset ?? stretch.start;
  const inSequence = stretch.strays.length === 0 && event.offset === last + 1;
  (inSequence ? stretch.publications : stretch.strays).push(placed);
}
