import { Histogram, secondsOfCommands } from '@gyre/protocol';

/** What a node has to be told; complete, nothing has a default here. Times are milliseconds, sizes bytes. */
export interface NodeOptions {
  /** UUID v4 of this process. */
  readonly uid: string;
  readonly name: string;
  /** Said in connect results and in node infos. */
  readonly version: string;
  /** 0: no pings. */
  readonly pingInterval: number;
  /** 0: pongs are not asked for. Below `pingInterval`. */
  readonly pongTimeout: number;
  /** How long a transport may be stuck with what it took before its connection is slow; 0: any time. */
  readonly writeTimeout: number;
  /** Until a connection must have connected. */
  readonly staleCloseDelay: number;
  readonly expiredCloseDelay: number;
  readonly expiredSubCloseDelay: number;
  /** Subscriptions of one connection. */
  readonly channelLimit: number;
  /** Connections of one user on this node, 0: no limit. */
  readonly userConnectionLimit: number;
  /** What may wait for one connection beside the answers to its own commands. */
  readonly queueMaxSize: number;
  /** Publications in one history answer for a client. */
  readonly historyMaxPublicationLimit: number;
  /** Publications that a recovery may bring; more missed is not recovered. */
  readonly recoveryMaxPublicationLimit: number;
  /** Members in one presence answer for a client. */
  readonly presenceMaxMembers: number;
  readonly connectIncludeServerTime: boolean;
  /** Absent where nothing is limited. */
  readonly commandRates?: CommandRates;
}

/** Commands a second, as many at once; 0: any number. `connect` counts the connections of one user to this node, the others the commands of one connection. */
export interface CommandRates {
  readonly connect: number;
  readonly subscribe: number;
  readonly publish: number;
  readonly rpc: number;
  readonly history: number;
}

/** Where things that nobody waits for are said. A level that is off has no method, so that silence is free. */
export interface Log {
  readonly debug?: (message: string, fields?: object) => void;
  readonly info?: (message: string, fields?: object) => void;
  readonly warn?: (message: string, fields?: object) => void;
  readonly error?: (message: string, fields?: object) => void;
}

/** Counters that only rise. Whoever serves metrics reads them. */
export interface NodeStats {
  /** By method. */
  readonly commands: Record<string, number>;
  /** Seconds from the turn of a command to its answer, by method; refused ones included. */
  readonly durations: Record<string, Histogram>;
  /** By `method:code`. */
  readonly replyErrors: Record<string, number>;
  /** By code; the server's own doing. */
  readonly disconnects: Record<string, number>;
  /** By code; the server's own doing. */
  readonly unsubscribes: Record<string, number>;
  /** By `transport:code`; the server's own doing. */
  readonly closes: Record<string, number>;
  /** Connections that were let in, and those of them that ended; by transport. */
  readonly connections: { readonly begun: Record<string, number>; readonly ended: Record<string, number> };
  /** Subscriptions that began, and those of them that ended. */
  readonly subscriptions: { begun: number; ended: number };
  /** Publications, joins and leaves that came back from the broker. */
  readonly received: { publication: number; join: number; leave: number };
  /** The same, times the subscribers they went to. */
  readonly sent: { publication: number; join: number; leave: number };
  /** Frames written and their bytes. */
  frames: number;
  bytes: number;
  /** Frames that came and their bytes. */
  receivedFrames: number;
  receivedBytes: number;
  /** Seconds from a ping to its pong, by transport. */
  readonly pongs: Record<string, Histogram>;
  /** Seconds that it took to give a publication to the outboxes of all subscribers; of some of them. */
  readonly broadcasts: Histogram;
  /** Publications times the subscribers whose filter did not let them through. */
  filtered: number;
  /** Recoveries asked for, by outcome. */
  readonly recoveries: { yes: number; no: number };
  /** Channels in which something did not follow, and publications read from the stream because of it. */
  readonly gaps: { found: number; filled: number };
  /** Seconds that a channel was held for that. */
  readonly gapFills: Histogram;
  /**
   * Subscriptions told to start over, by reason: the stream was `trimmed` and has what they missed no more, it was
   * `reset` (it is another one, or went back),
   * or its epoch was `renewed` and nothing is missing.
   */
  readonly resyncs: Record<string, number>;
  /** Publications that arrived a second time, and were dropped. */
  duplicates: number;
  /** Recoveries answered from what the node has at hand, and those for which the stream was asked. */
  readonly recoverySources: { tail: number; stream: number };
  /** How long it took to look at every quiet channel the last time. */
  sweepSeconds: number;
}

/** Upper bounds, from a microsecond on. */
const secondsOfBroadcasts = [
  0.000001, 0.000005, 0.00001, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
  0.5, 1, 2.5, 5, 10,
];

export function newStats(): NodeStats {
  return {
    commands: {},
    durations: {},
    replyErrors: {},
    disconnects: {},
    unsubscribes: {},
    closes: {},
    connections: { begun: {}, ended: {} },
    subscriptions: { begun: 0, ended: 0 },
    received: { publication: 0, join: 0, leave: 0 },
    sent: { publication: 0, join: 0, leave: 0 },
    frames: 0,
    bytes: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    pongs: {},
    broadcasts: new Histogram(secondsOfBroadcasts),
    filtered: 0,
    recoveries: { yes: 0, no: 0 },
    gaps: { found: 0, filled: 0 },
    gapFills: new Histogram(secondsOfCommands),
    resyncs: {},
    duplicates: 0,
    recoverySources: { tail: 0, stream: 0 },
    sweepSeconds: 0,
  };
}

export function count(counters: Record<string, number>, key: string | number): void {
  counters[key] = (counters[key] ?? 0) + 1;
}

/** Counts a duration under a name. */
export function observe(histograms: Record<string, Histogram>, key: string, seconds: number): void {
  (histograms[key] ??= new Histogram(secondsOfCommands)).observe(seconds);
}
