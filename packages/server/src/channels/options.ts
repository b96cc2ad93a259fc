/**
 * Options of the channels of one namespace, named as in the configuration. Complete: nothing has a default here.
 * Durations are milliseconds.
 */
export interface ChannelOptions {
  readonly presence: boolean;
  readonly join_leave: boolean;
  readonly force_push_join_leave: boolean;
  /** No history unless both `history_size` and `history_ttl` are positive. */
  readonly history_size: number;
  readonly history_ttl: number;
  /** 0: that of {@link ChannelSection}. */
  readonly history_meta_ttl: number;
  readonly force_positioning: boolean;
  readonly allow_positioning: boolean;
  readonly force_recovery: boolean;
  readonly allow_recovery: boolean;
  /** `cache`; everything else is a stream. */
  readonly force_recovery_mode: string;
  readonly auto_cache_recover: boolean;
  readonly allowed_delta_types: readonly string[];
  readonly delta_publish: boolean;
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
  readonly allow_user_limited_channels: boolean;
  /** RE2 syntax, "" for none. */
  readonly channel_regex: string;
  /** "" is that of {@link ChannelSection}. */
  readonly publication_data_format: DataFormat;
  /** "" and `stream` are streams, the only channels that are served. */
  readonly subscription_type: string;
}

/**
 * What `data` a channel takes: `` anything but nothing, `json` a JSON value, `json_object` a JSON object, `binary`
 * anything, nothing included.
 */
export type DataFormat = '' | 'json' | 'json_object' | 'binary';

/** The marks that mean something in a channel's name. An empty one switches its meaning off. */
export interface NameMarks {
  readonly private_prefix: string;
  readonly namespace_boundary: string;
  readonly user_boundary: string;
  readonly user_separator: string;
}

/** The section `channel` of the configuration. */
export interface ChannelSection extends NameMarks {
  /** Bytes that a client may use in a channel's name. */
  readonly max_length: number;
  readonly history_meta_ttl: number;
  readonly publication_data_format: DataFormat;
  readonly without_namespace: ChannelOptions;
  readonly namespaces: readonly (ChannelOptions & { readonly name: string })[];
}
