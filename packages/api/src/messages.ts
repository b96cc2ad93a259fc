import type { NodeInfo } from '@gyre/broker';
import type { Bytes, ClientInfo, Empty, Publication, StreamPosition, Tags } from '@gyre/protocol';

/**
 * What the server API is asked and answers, whatever the carrier: names in camelCase, absent fields at their zero
 * value (""; 0; false; no bytes), messages inside messages absent. Which wire field is which stands in `schema.ts`.
 *
 * A pair `data`/`b64data` is one payload in two spellings, for carriers that cannot carry any bytes; base64 wins.
 */

/** An error as a caller sees it. */
export interface ApiError {
  readonly code: number;
  readonly message: string;
}

/** How a call ended. */
export type Outcome<R = unknown> =
  | { readonly result: R; readonly error?: undefined }
  | { readonly error: ApiError; readonly result?: undefined };

interface PublicationFields {
  readonly data: Bytes;
  readonly b64data: string;
  /** Only to who is subscribed now. */
  readonly skipHistory: boolean;
  readonly tags: Tags;
  /** By channel: a publication with a key used within five minutes is answered, not published. */
  readonly idempotencyKey: string;
  readonly delta: boolean;
  /** Not published where it is not above the last one; 0 for none. */
  readonly version: number;
  readonly versionEpoch: string;
}

export interface PublishRequest extends PublicationFields {
  readonly channel: string;
}

export interface PublishResult {
  /** Together with `epoch` where the publication is kept. */
  readonly offset?: number | undefined;
  readonly epoch?: string | undefined;
  /** The idempotency key was used before: this is what was answered then. */
  readonly duplicate?: boolean | undefined;
}

export interface BroadcastRequest extends PublicationFields {
  readonly channels: readonly string[];
}

/** One of both. */
export interface PublishResponse {
  readonly error?: ApiError | undefined;
  readonly result?: PublishResult | undefined;
}

export interface BroadcastResult {
  /** In the order of `channels`. */
  readonly responses: readonly PublishResponse[];
}

/** Whose connections a request is about; `client` and `session` narrow, "" does not. */
export interface TargetFields {
  /** "" for the anonymous ones. */
  readonly user: string;
  readonly client: string;
  readonly session: string;
}

export interface BoolValue {
  readonly value: boolean;
}

export interface SubscribeOptionOverride {
  readonly presence?: BoolValue;
  readonly joinLeave?: BoolValue;
  readonly forceRecovery?: BoolValue;
  readonly forcePositioning?: BoolValue;
  readonly forcePushJoinLeave?: BoolValue;
}

export interface SubscribeRequest extends TargetFields {
  readonly channel: string;
  /** Unix seconds, 0 for never. */
  readonly expireAt: number;
  /** Shown to others as the channel info of the subscriber. */
  readonly info: Bytes;
  readonly b64info: string;
  /** Sent to the subscriber with the push. */
  readonly data: Bytes;
  readonly b64data: string;
  readonly recoverSince?: StreamPosition;
  readonly override?: SubscribeOptionOverride;
}

export interface UnsubscribeRequest extends TargetFields {
  readonly channel: string;
}

export interface DisconnectObject {
  readonly code: number;
  readonly reason: string;
}

export interface DisconnectRequest extends TargetFields {
  readonly disconnect?: DisconnectObject;
  /** Client ids that stay. */
  readonly whitelist: readonly string[];
}

export interface RefreshRequest extends TargetFields {
  readonly expired: boolean;
  /** Unix seconds, 0 for never. */
  readonly expireAt: number;
  readonly info: Bytes;
}

/** Which page of a long answer; without `limit` the answer is whole. */
export interface PageFields {
  /** Most entries of the page, 0 for all. */
  readonly limit: number;
  /** As the page before gave it, "" for the first. */
  readonly cursor: string;
}

export interface PresenceRequest extends PageFields {
  readonly channel: string;
}

export interface PresenceResult {
  /** By client id. */
  readonly presence: ReadonlyMap<string, ClientInfo>;
  /** Of the next page; absent after the last one. */
  readonly cursor?: string | undefined;
}

export interface ChannelRequest {
  readonly channel: string;
}

export interface PresenceStatsResult {
  readonly numClients: number;
  /** Distinct user ids; "" counts as one. */
  readonly numUsers: number;
}

export interface HistoryRequest {
  readonly channel: string;
  /** 0 for the position only, a negative number for everything. */
  readonly limit: number;
  readonly since?: StreamPosition;
  readonly reverse: boolean;
}

/** A publication as the server API shows it. */
export type KeptPublication = Pick<Publication, 'data' | 'info' | 'offset' | 'tags'>;

export interface HistoryResult {
  readonly publications: readonly KeptPublication[];
  readonly epoch: string;
  readonly offset: number;
}

export interface ChannelsRequest extends PageFields {
  /** A glob, "" for all. */
  readonly pattern: string;
}

export interface ChannelInfo {
  readonly numClients: number;
}

export interface ChannelsResult {
  readonly channels: ReadonlyMap<string, ChannelInfo>;
  /** Of the next page; absent after the last one. */
  readonly cursor?: string | undefined;
  /** Nodes that did not answer in time; absent when complete. */
  readonly missingNodes?: readonly string[] | undefined;
}

export interface InfoResult {
  readonly nodes: readonly NodeInfo[];
  readonly missingNodes?: readonly string[] | undefined;
}

export interface RpcRequest {
  readonly method: string;
  readonly params: Bytes;
}

export interface RpcResult {
  readonly data?: Bytes;
}

/** What each method that may stand in a batch asks. The names are the wire's. */
export interface CommandRequests {
  publish: PublishRequest;
  broadcast: BroadcastRequest;
  subscribe: SubscribeRequest;
  unsubscribe: UnsubscribeRequest;
  disconnect: DisconnectRequest;
  history: HistoryRequest;
  history_remove: ChannelRequest;
  presence: PresenceRequest;
  presence_stats: ChannelRequest;
  info: Empty;
  rpc: RpcRequest;
  refresh: RefreshRequest;
  channels: ChannelsRequest;
}

/** What each of them answers. */
export interface CommandResults {
  publish: PublishResult;
  broadcast: BroadcastResult;
  subscribe: Empty;
  unsubscribe: Empty;
  disconnect: Empty;
  history: HistoryResult;
  history_remove: Empty;
  presence: PresenceResult;
  presence_stats: PresenceStatsResult;
  info: InfoResult;
  rpc: RpcResult;
  refresh: Empty;
  channels: ChannelsResult;
}

export type CommandName = keyof CommandRequests;

/** One command of a batch: where it holds several, the first in the order of the schema's `requests` counts. */
export type BatchCommand = { readonly [M in CommandName]?: CommandRequests[M] };

/** Its answer: one field, named like the method, or the error. */
export type BatchReply = { readonly [M in CommandName]?: CommandResults[M] } & { readonly error?: ApiError };

export interface BatchRequest {
  /** Undefined where the carrier had a null. */
  readonly commands: readonly (BatchCommand | undefined)[];
  /** Do not wait for a command before the next is begun. */
  readonly parallel: boolean;
}

export interface BatchResult {
  /** In the order of `commands`. */
  readonly replies: readonly BatchReply[];
}

export interface Requests extends CommandRequests {
  batch: BatchRequest;
}

export interface Results extends CommandResults {
  batch: BatchResult;
}

export type MethodName = keyof Requests;
