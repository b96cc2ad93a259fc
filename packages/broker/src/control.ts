import type { Bytes, StreamPosition } from '@gyre/protocol';
import type { HistoryOptions } from './broker.ts';

/** Which connections a command is about: all of one user, narrowed by client id or session where given. */
export interface Target {
  /** "" means the anonymous ones. */
  readonly user: string;
  readonly client?: string;
  readonly session?: string;
}

/**
 * What a subscription may do, decided by policy and obeyed by the node. It travels with `subscribe` commands, so that
 * every node grants the same.
 */
export interface SubscriptionGrant {
  /** The client is counted and listed in the channel's presence. */
  readonly presence: boolean;
  /** Other subscribers are told when this one comes and goes. */
  readonly joinLeave: boolean;
  /** This subscriber is told of others (and of itself). */
  readonly pushJoinLeave: boolean;
  readonly positioned: boolean;
  /** Implies `positioned`. */
  readonly recoverable: boolean;
  readonly recoveryMode: 'stream' | 'cache';
  /** Cache recovery without being asked. */
  readonly autoCacheRecover: boolean;
  /** Absent where the channel keeps none; `positioned` and `recoverable` are then false. */
  readonly history?: HistoryOptions;
  /** The delta type granted, absent for none. */
  readonly delta?: 'fossil';
  readonly chanInfo?: Bytes;
  /** Sent with the subscribe result. */
  readonly data?: Bytes;
  /** Unix seconds at which the subscription ends; absent: never. */
  readonly expireAt?: number;
}

export type ControlCommand =
  | {
      readonly type: 'subscribe';
      readonly target: Target;
      readonly channel: string;
      readonly grant: SubscriptionGrant;
      readonly recoverSince?: StreamPosition;
    }
  | { readonly type: 'unsubscribe'; readonly target: Target; readonly channel: string }
  | {
      readonly type: 'disconnect';
      readonly target: Target;
      readonly code: number;
      readonly reason: string;
      /** Client ids that stay. */
      readonly whitelist: readonly string[];
    }
  | {
      readonly type: 'refresh';
      readonly target: Target;
      readonly expired: boolean;
      /** Unix seconds; 0: never expires. */
      readonly expireAt: number;
      readonly info?: Bytes;
    };

/** What one node says of itself. */
export interface NodeInfo {
  readonly uid: string;
  readonly name: string;
  readonly version: string;
  readonly numClients: number;
  readonly numUsers: number;
  readonly numChannels: number;
  readonly numSubs: number;
  /** Seconds. */
  readonly uptime: number;
  /** Counters by name over `interval` seconds, absent where none are kept yet. */
  readonly metrics?: { readonly interval: number; readonly items: Readonly<Record<string, number>> };
}

/** A page of one node's channels; with a limit the first ones, in code unit order of their names. */
export interface ChannelsPage {
  readonly channels: readonly { readonly channel: string; readonly numClients: number }[];
  /** More follow after the last one. */
  readonly more: boolean;
}

/** Questions that every node answers for itself. */
export interface Surveys {
  info: { query: Record<never, never>; answer: NodeInfo };
  channels: {
    query: {
      /** A glob that was checked before, "" for all. */
      readonly pattern: string;
      /** Only names after this one. */
      readonly after: string;
      /** 0: all. */
      readonly limit: number;
    };
    answer: ChannelsPage;
  };
}

export type SurveyName = keyof Surveys;

export interface SurveyResult<S extends SurveyName> {
  readonly answers: readonly Surveys[S]['answer'][];
  /** Names of the nodes that are alive and did not answer in time; empty when complete. */
  readonly missingNodes: readonly string[];
}

/** What a node does with what arrives; the control bus calls it for the node's own commands too. */
export interface ControlHandler {
  /** Applies a command to this node's connections. Idempotent. */
  apply(command: ControlCommand): Promise<void>;
  answer<S extends SurveyName>(survey: S, query: Surveys[S]['query']): Promise<Surveys[S]['answer']>;
}

/**
 * Operations that are about connections, sent to every node, the own one included.
 * Commands of one sender are applied in order.
 */
export interface ControlBus {
  start(handler: ControlHandler): Promise<void>;
  /** Resolves when every live node has applied it; otherwise ClientError 100 that says on how many it was. */
  send(command: ControlCommand): Promise<void>;
  survey<S extends SurveyName>(survey: S, query: Surveys[S]['query']): Promise<SurveyResult<S>>;
  close(): Promise<void>;
}
