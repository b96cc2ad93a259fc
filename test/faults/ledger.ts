import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a publisher knows of a publication in the end. */
export type Outcome =
  | { readonly kind: 'ok'; readonly offset: number; readonly epoch: string }
  /** The last answer was an error. An earlier attempt may have been carried out all the same. */
  | { readonly kind: 'error'; readonly code: number }
  /** The last attempt got no answer. */
  | { readonly kind: 'unknown' };

/** A publication that somebody wanted, however often it was tried. Times are milliseconds of `performance.now()`. */
export interface Sent {
  readonly channel: string;
  /** Rises by one: a channel has one publisher, which waits for each outcome. */
  readonly seq: number;
  /** Unique, in the data of the publication and its idempotency key. */
  readonly id: string;
  readonly sentAt: number;
  readonly doneAt: number;
  readonly attempts: number;
  readonly outcome: Outcome;
}

interface Event {
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
  readonly subscriber: string;
}

interface ChannelEvent extends Event {
  readonly channel: string;
}

/** A subscription begins or goes on. */
export interface Subscribed extends ChannelEvent {
  readonly kind: 'subscribed';
  readonly epoch: string;
  /** The stream's top, or where it goes on from when recovered. */
  readonly offset: number;
  readonly recovered: boolean;
  readonly wasRecovering: boolean;
}

export interface Received extends ChannelEvent {
  readonly kind: 'publication';
  readonly offset: number;
  readonly id: string;
  /** It came with the answer to the subscribe, not by itself. */
  readonly recovered: boolean;
}

/** The subscription is no more, for now or for good. */
export interface Left extends ChannelEvent {
  readonly kind: 'left';
  readonly code: number;
}

/** Somebody, a client id, came to the channel or went. */
export interface Membership extends ChannelEvent {
  readonly kind: 'join' | 'leave';
  readonly client: string;
}

export interface Connected extends Event {
  readonly kind: 'connected';
  /** Client id. */
  readonly client: string;
}

export interface Closed extends Event {
  readonly kind: 'closed';
  readonly code: number;
}

/** What a subscriber saw. */
export type Seen = Subscribed | Received | Left | Membership | Connected | Closed;

/** Everything that publishers and subscribers of a test know, in the order in which they learnt it. */
export interface Ledger {
  readonly sent: Sent[];
  readonly seen: Seen[];
}

export function newLedger(): Ledger {
  return { sent: [], seen: [] };
}

/** Writes a ledger to a file of the temporary folder, one entry a line after a first one. @returns its path */
export function saveLedger(name: string, { sent, seen }: Ledger, first: object): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gyre-ledger-')), `${name}.jsonl`);
  writeFileSync(file, [first, ...sent, ...seen].map((entry) => JSON.stringify(entry)).join('\n'));
  return file;
}
