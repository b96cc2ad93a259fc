import type { Place } from './shards.ts';

/** Where a package says what happens to it; a level that is off is absent. */
export interface Log {
  readonly debug?: (message: string, fields?: object) => void;
  readonly info?: (message: string, fields?: object) => void;
  readonly warn?: (message: string, fields?: object) => void;
  readonly error?: (message: string, fields?: object) => void;
}

/**
 * In a command: the `run_id` of the Redis process that the command is sent to, "" where the server hides it. It is
 * filled in when the command is written, so that it belongs to the process that answers.
 */
export const runId: unique symbol = Symbol('run_id');

/** A part of a command. Text is sent as UTF-8, bytes as they are, numbers in decimal. */
export type Arg = string | Uint8Array | number | typeof runId;

/** An answer of Redis: text and bytes are both buffers, integers are numbers, nothing is null. */
export type Reply = Buffer | number | null | readonly Reply[];

/**
 * Each lane has a connection of its own to each master, so that a long read does not delay a publication.
 * `write` for publications and what is as urgent, `read` for history and presence, `control` for leases and commands.
 */
export type Lane = 'write' | 'read' | 'control';

/** Counters of one shard that only rise. Whoever serves metrics reads them. */
export interface ShardStats {
  /** Commands asked for. */
  readonly commands: Record<Lane, number>;
  /** Tries that failed: by the first word of what Redis answered, `none` where it was not sent, `unknown` without an answer. */
  readonly errors: Record<string, number>;
  /** Connections that broke. */
  readonly breaks: Record<Lane | 'pubsub', number>;
  /** Pub/sub connections that were broken off because they delivered nothing. */
  deaf: number;
}

/** Told how long Redis takes, in milliseconds. Must not throw. */
export interface Watch {
  /** Until a command was answered; told of the first one in each batch. */
  readonly answered?: (lane: Lane, ms: number) => void;
  /** Until a beacon came back by pub/sub. */
  readonly beaconSeen?: (ms: number) => void;
}

/** Told what comes in a subscribed bus channel. Must not throw; the message is its to keep. */
export type Listener = (message: Buffer, channel: string) => void;

/**
 * One independent Redis: a server, a master found through Sentinel, or a Cluster. Nothing is shared between shards.
 *
 * Every refusal is a {@link RedisError}.
 */
export interface Shard {
  /** Place in the configuration, from 0. */
  readonly index: number;
  /** Address without user and password, for logs. */
  readonly name: string;
  /**
   * Sends a command to the master that holds `tag`. Commands of one tick leave together, in the order of the calls; so
   * do those to one lane and tag in general, unless one of them had to be sent again (NOSCRIPT, a slot that moved).
   *
   * A command that meets a connection which is being made again waits for it, at most `ioTimeoutMs`; where Redis has
   * been away for longer it is refused at once. It is never sent twice where it may have run.
   */
  call(tag: string, command: readonly [name: string, ...Arg[]], lane?: Lane): Promise<Reply>;
  /**
   * Whether a replica has everything that the master which holds `tag` had answered for before the call; of what was answered
   * last where the call is made in the turn of the answer, since another master may have taken over in the next one. Takes a
   * fifth of a second at most, from the second call on; false where that is not known. Never rejects.
   */
  replicated(tag: string): Promise<boolean>;
  /** `SPUBLISH` where the shard has sharded pub/sub, else `PUBLISH`. Known from the first answer on; scripts are told. */
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH';
  /**
   * Listens to a bus channel. Resolves when Redis has confirmed it: what is published from then on arrives, unless the
   * connection breaks. One listener a channel; another call for the same one replaces it.
   *
   * After a break the channel is subscribed to again by itself, and {@link onGap} tells.
   * @param tag the hash tag inside `channel`
   */
  subscribe(tag: string, channel: string, listener: Listener): Promise<void>;
  /** Resolves when Redis has confirmed it; what was published before the call is delivered first. Harmless where there is none. */
  unsubscribe(tag: string, channel: string): Promise<void>;
  /**
   * Tells which bus channels may have missed something: called for each batch of them when Redis has confirmed the
   * new subscription after a break. What is published from then on arrives; what was published since the break began
   * has to be read elsewhere.
   * @returns stops telling
   */
  onGap(tell: (channels: readonly string[]) => void): () => void;
  /**
   * Milliseconds since when pub/sub is known to deliver: a beacon sent then came back, on the connection that serves
   * `tag`, or on each of them. Infinity before the first one, and from a break on until everything is subscribed to again.
   */
  verifiedAge(tag?: string): number;
  /** Milliseconds of the last round trip of a command, undefined while Redis does not answer. */
  readonly roundTripMs: number | undefined;
  readonly stats: ShardStats;
  /** The tags of {@link Place}, grouped so that each group lives on one master now; one group where there is one master. */
  masters(): readonly (readonly string[])[];
}

/** All shards, and where a name lives. */
export interface RedisShards {
  /** In front of every key and bus channel. */
  readonly prefix: string;
  /** At least one; in the order of the configuration. */
  readonly shards: readonly Shard[];
  /** Where a name lives: the same on every node of the same configuration. */
  place(name: string): Place;
  /**
   * Connects. Resolves when every shard has answered or its connect timeout is over, whichever is first; connections
   * are made again for ever after.
   */
  start(): Promise<void>;
  /** The best {@link Shard.verifiedAge}: a node is of use while one shard is. */
  verifiedAge(): number;
  /** Ends all connections; pending calls are refused. Closing twice is harmless. */
  close(): Promise<void>;
}
