import type { HistoryOptions, SubscriptionGrant } from '@gyre/broker';

/**
 * What `data` a channel takes: `` anything but nothing, `json` a JSON value, `json_object` a JSON object, `binary`
 * anything, nothing included.
 */
export type DataFormat = '' | 'json' | 'json_object' | 'binary';

/** How publications of the server API go into a channel. */
export interface PublishRule {
  /** Absent where the channel keeps none. */
  readonly history?: HistoryOptions;
  /** Every publication may be sent as a patch, whether the request asks for it or not. */
  readonly delta: boolean;
  readonly format: DataFormat;
}

/** What a `subscribe` request changes of the channel's options; what is absent stays. */
export interface SubscribeOverride {
  readonly presence?: boolean;
  readonly joinLeave?: boolean;
  readonly forcePushJoinLeave?: boolean;
  readonly forcePositioning?: boolean;
  readonly forceRecovery?: boolean;
}

/**
 * Policy, as the server API asks it: what a channel's options are. Answers at once, from configuration alone.
 *
 * The API has checked before that a name is not empty and well-formed (no control characters, at most 4096 bytes), so
 * nothing else is asked of it here: length, charset and pattern rules bind clients only. Every method throws
 * `ClientError` 102 for a namespace that is not configured and 107 for one that does not hold streams.
 */
export interface ChannelRules {
  /** Called for each publication: answer with an object made beforehand where that is possible. */
  publish(channel: string): PublishRule;
  /** The grant of a server-side subscription, without `chanInfo`, `data` and `expireAt`, which the request brings. */
  subscribe(channel: string, override: SubscribeOverride): SubscriptionGrant;
  /** @throws ClientError 108 where the channel keeps no presence */
  presence(channel: string): void;
  /** @throws ClientError 108 where the channel keeps no history */
  history(channel: string): HistoryOptions;
}
