/**
 * The messages of the client protocol, as the rest of the house sees them: names in camelCase, one type a message,
 * absent fields absent. Field numbers and wire names are in `proto/client.proto`; how a message becomes bytes is the
 * business of a {@link Codec}.
 *
 * A field of type {@link Bytes} is a payload that belongs to the application: it is carried, never interpreted. On a
 * JSON connection it is raw JSON text placed verbatim, on a Protobuf connection it is `bytes`.
 */

/** An application's payload. Read only by agreement: the same bytes are shared by every subscriber. */
export type Bytes = Uint8Array;

/** Where a stream stands. Offsets start at 1; 0 means that nothing was published in this epoch. */
export interface StreamPosition {
  readonly offset: number;
  /** Eight letters made when the stream was; another epoch means another stream under the same name. */
  readonly epoch: string;
}

/** Who published, joined or left. */
export interface ClientInfo {
  /** User id, "" for an anonymous connection. */
  readonly user: string;
  /** Client id (UUID v4), one for each connection and never reused. */
  readonly client: string;
  readonly connInfo?: Bytes;
  readonly chanInfo?: Bytes;
}

export type Tags = Readonly<Record<string, string>>;

/** One message in a channel. */
export interface Publication {
  readonly data: Bytes;
  /** The publishing client; absent for publications of the server API. */
  readonly info?: ClientInfo;
  /** Position in the stream; absent in channels without history. */
  readonly offset?: number;
  readonly tags?: Tags;
  /** `data` is a patch against the previous publication of this channel. */
  readonly delta?: boolean;
  /** Set on the live publication with offset 1 only, so that whoever subscribed to an empty stream learns its epoch. */
  readonly epoch?: string;
  readonly version?: number;
}

/** A tree of conditions on publication tags: a leaf (`op` "") compares, `and`, `or`, `not` combine. */
export interface FilterNode {
  readonly op?: string;
  readonly key?: string;
  readonly cmp?: string;
  readonly val?: string;
  readonly vals?: readonly string[];
  readonly nodes?: readonly FilterNode[];
}

// ---------------------------------------------------------------------------------------------- commands

export interface ConnectRequest {
  readonly token: string;
  readonly data?: Bytes;
  /** Positions of server-side subscriptions, by channel. */
  readonly subs?: Readonly<Record<string, SubscribeRequest>>;
  readonly name: string;
  readonly version: string;
  /** Emulated headers: claimed by the client, never to be mixed with real ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SubscribeRequest {
  readonly channel: string;
  readonly token: string;
  readonly recover: boolean;
  readonly epoch: string;
  readonly offset: number;
  readonly data?: Bytes;
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
  /** Wanted delta type, "" for none. */
  readonly delta: string;
  readonly tf?: FilterNode;
  /** Bits, see {@link SubscribeFlag}. */
  readonly flag: number;
  /** 0 is a stream; others are not served yet. */
  readonly type: number;
}

/** Bits of `SubscribeRequest.flag`. */
export const SubscribeFlag = {
  /** The client understands channel compaction. Ignored. */
  channelCompaction: 1,
  /** Answer error 112 where recovery fails, instead of `recovered: false`. */
  rejectUnrecovered: 2,
} as const;

export interface ChannelRequest {
  readonly channel: string;
}

export interface PublishRequest {
  readonly channel: string;
  /** Empty when the command carried none. */
  readonly data: Bytes;
  /** 0 is a publication; others are not served yet. */
  readonly type: number;
}

export interface HistoryRequest {
  readonly channel: string;
  /** 0 asks for the position only, a negative number for as many as allowed. */
  readonly limit: number;
  readonly since?: StreamPosition;
  readonly reverse: boolean;
}

export interface RpcRequest {
  readonly method: string;
  readonly data?: Bytes;
}

export interface SendRequest {
  readonly data?: Bytes;
}

export interface RefreshRequest {
  readonly token: string;
}

export interface SubRefreshRequest {
  readonly channel: string;
  readonly token: string;
  readonly type: number;
}

/** What each command asks, by method name. The names are the wire's. */
export interface Requests {
  connect: ConnectRequest;
  subscribe: SubscribeRequest;
  unsubscribe: ChannelRequest;
  publish: PublishRequest;
  presence: ChannelRequest;
  presence_stats: ChannelRequest;
  history: HistoryRequest;
  rpc: RpcRequest;
  send: SendRequest;
  refresh: RefreshRequest;
  sub_refresh: SubRefreshRequest;
}

export type Method = keyof Requests;

/** One command of a client. `pong` is the empty command; everything else carries an id, `send` aside. */
export type Command =
  | { readonly method: 'pong'; readonly id: 0; readonly request?: undefined }
  | { [M in Method]: { readonly method: M; readonly id: number; readonly request: Requests[M] } }[Method];

// ---------------------------------------------------------------------------------------------- replies

export interface SubscribeResult {
  readonly expires?: boolean;
  /** Seconds. */
  readonly ttl?: number;
  readonly recoverable?: boolean;
  readonly epoch?: string;
  readonly publications?: readonly Publication[];
  readonly recovered?: boolean;
  readonly offset?: number;
  readonly positioned?: boolean;
  readonly data?: Bytes;
  readonly wasRecovering?: boolean;
  readonly delta?: boolean;
}

export interface ConnectResult {
  readonly client: string;
  readonly version: string;
  readonly expires?: boolean;
  /** Seconds. */
  readonly ttl?: number;
  readonly data?: Bytes;
  readonly subs?: Readonly<Record<string, SubscribeResult>>;
  /** Seconds between pings, absent where there are none. */
  readonly ping?: number;
  readonly pong?: boolean;
  readonly session?: string;
  readonly node?: string;
  /** Unix milliseconds. */
  readonly time?: number;
}

export interface RefreshResult {
  readonly expires?: boolean;
  /** Seconds. */
  readonly ttl?: number;
}

export interface PresenceResult {
  readonly presence: ReadonlyMap<string, ClientInfo>;
}

export interface PresenceStatsResult {
  readonly numClients: number;
  readonly numUsers: number;
}

export interface HistoryResult {
  readonly publications: readonly Publication[];
  readonly epoch: string;
  readonly offset: number;
}

export interface RpcResult {
  readonly data?: Bytes;
}

export type Empty = Readonly<Record<never, never>>;

/** What each command is answered with, by method name. `send` has no answer. */
export interface Results {
  connect: ConnectResult;
  subscribe: SubscribeResult;
  unsubscribe: Empty;
  publish: Empty;
  presence: PresenceResult;
  presence_stats: PresenceStatsResult;
  history: HistoryResult;
  rpc: RpcResult;
  refresh: RefreshResult;
  sub_refresh: RefreshResult;
}

/** An answer to the command with the same id. */
export type Reply = {
  [M in keyof Results]: { readonly id: number; readonly method: M; readonly result: Results[M] };
}[keyof Results];

// ---------------------------------------------------------------------------------------------- pushes

/** A message that no command asked for. */
export type Push =
  | { readonly type: 'pub'; readonly channel: string; readonly pub: Publication }
  | { readonly type: 'join' | 'leave'; readonly channel: string; readonly info: ClientInfo }
  | { readonly type: 'unsubscribe'; readonly channel: string; readonly code: number; readonly reason: string }
  | {
      readonly type: 'subscribe';
      readonly channel: string;
      readonly recoverable?: boolean;
      readonly positioned?: boolean;
      readonly epoch?: string;
      readonly offset?: number;
      readonly data?: Bytes;
    }
  | { readonly type: 'message'; readonly data: Bytes }
  | { readonly type: 'disconnect'; readonly code: number; readonly reason: string }
  | { readonly type: 'refresh'; readonly expires?: boolean; readonly ttl?: number };
