import type { HistoryOptions, PublishOptions, SubscriptionGrant } from '@gyre/broker';
import type { Bytes } from '@gyre/protocol';

/** What the gate decides by. Complete and never changed: a reload makes another one. */
export interface Policy {
  readonly client: ClientSection;
  readonly channels: Channels;
  readonly tokens: Tokens;
  readonly rpc: RpcSection;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly log: Log;
}

/** Those parts of the section `client` that decide who may connect and what everybody may do. */
export interface ClientSection {
  readonly insecure: boolean;
  readonly allow_anonymous_connect_without_token: boolean;
  readonly disallow_anonymous_connection_tokens: boolean;
  /** A request header that names the user, set by a proxy in front; "" for none. */
  readonly user_id_http_header: string;
  readonly subscribe_to_user_personal_channel: {
    readonly enabled: boolean;
    readonly personal_channel_namespace: string;
    readonly single_connection: boolean;
  };
}

/** Those parts of the section `rpc` that are served. */
export interface RpcSection {
  readonly ping: { readonly enabled: boolean; readonly method: string };
}

/** A level that is off has no method. */
export interface Log {
  readonly info?: (message: string, fields?: object) => void;
}

/** What clients may do in the channels of a namespace. Option names are the configuration's. */
export interface ChannelOptions {
  readonly presence: boolean;
  readonly join_leave: boolean;
  readonly allow_positioning: boolean;
  readonly allow_recovery: boolean;
  readonly allowed_delta_types: readonly string[];
  readonly allow_tags_filter: boolean;
  readonly allow_subscribe_for_client: boolean;
  readonly allow_subscribe_for_anonymous: boolean;
  readonly allow_publish_for_client: boolean;
  readonly allow_publish_for_subscriber: boolean;
  readonly allow_publish_for_anonymous: boolean;
  readonly allow_presence_for_client: boolean;
  readonly allow_presence_for_subscriber: boolean;
  readonly allow_presence_for_anonymous: boolean;
  readonly allow_history_for_client: boolean;
  readonly allow_history_for_subscriber: boolean;
  readonly allow_history_for_anonymous: boolean;
}

/** Modes of a subscription that the client asked for and may have. */
export interface Asked {
  readonly positioned: boolean;
  readonly recoverable: boolean;
  readonly joinLeave: boolean;
  readonly delta: boolean;
}

/** What a token changes of the channel's options for one subscription; what is absent stays. */
export interface Override {
  readonly presence?: boolean;
  readonly joinLeave?: boolean;
  readonly forcePushJoinLeave?: boolean;
  readonly forcePositioning?: boolean;
  readonly forceRecovery?: boolean;
}

/** The namespace that a channel is of. */
export interface Namespace {
  readonly options: ChannelOptions;
  /** Its channels are streams, the only kind that is served. */
  readonly streams: boolean;
  readonly history: HistoryOptions | undefined;
  readonly format: '' | 'json' | 'json_object' | 'binary';
  readonly publishOptions: PublishOptions;
  grant(asked?: Asked, override?: Override): SubscriptionGrant;
}

/** What the configuration says about channels. A `namespace` argument is the one that the channel is of. */
export interface Channels {
  /** Undefined where there is no such namespace. */
  find(channel: string): Namespace | undefined;
  /** A client may use a name of this length. */
  isShortEnough(channel: string): boolean;
  /** The name keeps all rules for names that clients say. */
  isClientName(channel: string, namespace: Namespace): boolean;
  /** The name keeps the rules for names that a backend says. */
  isServerName(channel: string): boolean;
  /** The channel is subscribed by token only. */
  isPrivate(channel: string): boolean;
  /** Only users that the name lists may subscribe. */
  isUserLimited(channel: string, namespace: Namespace): boolean;
  admitsUser(channel: string, user: string): boolean;
  /** The name of a user's personal channel in a namespace, "" for none. */
  personal(user: string, namespace: string): string;
}

/** Why a token is not accepted. */
export interface Refused {
  readonly refused: 'invalid' | 'expired';
  readonly because: string;
}

/** What a token says of one subscription. */
export interface TokenSubscription {
  readonly info?: Bytes;
  readonly data?: Bytes;
  readonly override?: Override;
}

/** A connection token that may be relied on. */
export interface ConnectionToken {
  readonly user: string;
  /** Unix seconds; 0: never. */
  readonly expireAt: number;
  readonly info?: Bytes;
  readonly meta?: Bytes;
  readonly subscriptions: ReadonlyMap<string, TokenSubscription>;
}

/** A subscription token that may be relied on, once it is seen whom and what it is about. */
export interface SubscriptionToken extends TokenSubscription {
  readonly user: string;
  /** "" for any client of the user. */
  readonly client: string;
  readonly channel: string;
  /** Unix seconds; 0: never. */
  readonly expireAt: number;
}

/** Tells good tokens from others. */
export interface Tokens {
  connection(token: string): Promise<ConnectionToken | Refused>;
  subscription(token: string): Promise<SubscriptionToken | Refused>;
}
