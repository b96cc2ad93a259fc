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
  /** By `method:code`. */
  readonly replyErrors: Record<string, number>;
  /** By code; the server's own doing. */
  readonly disconnects: Record<string, number>;
  /** By code; the server's own doing. */
  readonly unsubscribes: Record<string, number>;
  /** Publications, joins and leaves that came back from the broker. */
  readonly received: { publication: number; join: number; leave: number };
  /** The same, times the subscribers they went to. */
  readonly sent: { publication: number; join: number; leave: number };
  /** Frames written and their bytes. */
  frames: number;
  bytes: number;
  /** Recoveries asked for, by outcome. */
  readonly recoveries: { yes: number; no: number };
  /** Channels in which something did not follow, publications read from the stream because of it, and how long that took. */
  readonly gaps: { found: number; filled: number; seconds: number };
  /**
   * Subscriptions told to start over, by reason: what they missed is `gone`, the stream was `rolledBack` or lost,
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

export function newStats(): NodeStats {
  return {
    commands: {},
    replyErrors: {},
    disconnects: {},
    unsubscribes: {},
    received: { publication: 0, join: 0, leave: 0 },
    sent: { publication: 0, join: 0, leave: 0 },
    frames: 0,
    bytes: 0,
    recoveries: { yes: 0, no: 0 },
    gaps: { found: 0, filled: 0, seconds: 0 },
    resyncs: {},
    duplicates: 0,
    recoverySources: { tail: 0, stream: 0 },
    sweepSeconds: 0,
  };
}

export function count(counters: Record<string, number>, key: string | number): void {
  counters[key] = (counters[key] ?? 0) + 1;
}
