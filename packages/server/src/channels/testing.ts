import type { ChannelOptions, ChannelSection } from './options.ts';

/** Everything off. */
export const noOptions: ChannelOptions = {
  presence: false,
  join_leave: false,
  force_push_join_leave: false,
  history_size: 0,
  history_ttl: 0,
  history_meta_ttl: 0,
  force_positioning: false,
  allow_positioning: false,
  force_recovery: false,
  allow_recovery: false,
  force_recovery_mode: '',
  auto_cache_recover: false,
  allowed_delta_types: [],
  delta_publish: false,
  allow_tags_filter: false,
  allow_subscribe_for_client: false,
  allow_subscribe_for_anonymous: false,
  allow_publish_for_client: false,
  allow_publish_for_subscriber: false,
  allow_publish_for_anonymous: false,
  allow_presence_for_client: false,
  allow_presence_for_subscriber: false,
  allow_presence_for_anonymous: false,
  allow_history_for_client: false,
  allow_history_for_subscriber: false,
  allow_history_for_anonymous: false,
  allow_user_limited_channels: false,
  channel_regex: '',
  publication_data_format: '',
  subscription_type: '',
};

/** The section `channel` with the usual marks and these options. */
export function channelSection(
  withoutNamespace: Partial<ChannelOptions> = {},
  namespaces: Readonly<Record<string, Partial<ChannelOptions>>> = {},
  rest: Partial<ChannelSection> = {},
): ChannelSection {
  return {
    max_length: 255,
    private_prefix: '$',
    namespace_boundary: ':',
    user_boundary: '#',
    user_separator: ',',
    history_meta_ttl: 2_592_000_000,
    publication_data_format: '',
    without_namespace: { ...noOptions, ...withoutNamespace },
    namespaces: Object.entries(namespaces).map(([name, options]) => ({ name, ...noOptions, ...options })),
    ...rest,
  };
}
