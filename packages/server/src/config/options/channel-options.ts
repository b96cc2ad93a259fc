import {
  bool,
  choice,
  choices,
  duration,
  int,
  section,
  str,
  type BoolLeaf,
  type StringLeaf,
} from '../option.ts';

const access = {
  allow_subscribe_for_client: bool(false, 'Let clients with a user subscribe.'),
  allow_subscribe_for_anonymous: bool(
    false,
    'Extend `allow_subscribe_for_client` to clients without a user.',
  ),
  allow_publish_for_client: bool(false, 'Let clients with a user publish.'),
  allow_publish_for_subscriber: bool(false, 'Let subscribers with a user publish.'),
  allow_publish_for_anonymous: bool(false, 'Extend the publish permissions to clients without a user.'),
  allow_presence_for_client: bool(false, 'Let clients with a user see who is there.'),
  allow_presence_for_subscriber: bool(false, 'Let subscribers with a user see who is there.'),
  allow_presence_for_anonymous: bool(false, 'Extend the presence permissions to clients without a user.'),
  allow_history_for_client: bool(false, 'Let clients with a user read history.'),
  allow_history_for_subscriber: bool(false, 'Let subscribers with a user read history.'),
  allow_history_for_anonymous: bool(false, 'Extend the history permissions to clients without a user.'),
  allow_user_limited_channels: bool(
    false,
    'Let the users that a channel names after the user boundary subscribe.',
  ),
};

const stream = {
  presence: bool(false, 'Keep who is in a channel.'),
  join_leave: bool(false, 'Tell subscribers that ask for it who comes and goes.'),
  force_push_join_leave: bool(false, 'Tell all subscribers who comes and goes.'),
  history_size: int(0, 'Publications kept; goes with `history_ttl`.'),
  history_ttl: duration('0s', 'Time after the last publication until history goes; whole seconds.'),
  history_meta_ttl: duration(
    '0s',
    'Time that offset and epoch outlive history; 0 is `channel.history_meta_ttl`.',
  ),
  force_positioning: bool(false, 'Check that every subscription misses nothing.'),
  allow_positioning: bool(false, 'Let clients ask for that check.'),
  force_recovery: bool(false, 'Give every subscription what it missed when it comes back; needs history.'),
  allow_recovery: bool(false, 'Let clients ask for recovery.'),
  force_recovery_mode: choice(
    ['', 'stream', 'cache'],
    '',
    'What is recovered: all that was missed, or with `cache` the last publication.',
  ),
  auto_cache_recover: bool(false, 'Give new subscribers the last publication; needs mode `cache`.'),
  allowed_delta_types: choices(
    ['fossil'],
    'Kinds of patches that clients may ask for in place of whole data.',
  ),
  delta_publish: bool(
    false,
    'Publish as patches where subscribers take them, without being asked each time.',
  ),
  allow_tags_filter: bool(false, 'Let clients filter publications by their tags.'),
  channel_regex: str('', 'What the name after the namespace must match.'),
  publication_data_format: choice(
    ['', 'json', 'json_object', 'binary'],
    '',
    'What published data must be; empty is `channel.publication_data_format`.',
  ),
};

const asked = (question: string, alias?: string): BoolLeaf =>
  bool(false, `Ask the backend ${question}.`, { served: 'guards', ...(alias ? { alias: [alias] } : {}) });

const askedName = (question: string): StringLeaf =>
  str('default', `Proxy that is asked ${question}.`, { served: 'guards' });

const proxies = {
  subscribe_proxy_enabled: asked('whether a client may subscribe', 'proxy_subscribe'),
  subscribe_proxy_name: askedName('whether a client may subscribe'),
  publish_proxy_enabled: asked('whether a client may publish', 'proxy_publish'),
  publish_proxy_name: askedName('whether a client may publish'),
  sub_refresh_proxy_enabled: asked('whether a subscription that expires goes on', 'proxy_sub_refresh'),
  sub_refresh_proxy_name: askedName('whether a subscription that expires goes on'),
  subscribe_stream_proxy_enabled: asked(
    'for the publications of each subscription',
    'proxy_subscribe_stream',
  ),
  subscribe_stream_proxy_name: askedName('for the publications of each subscription'),
  subscribe_stream_proxy_bidirectional: bool(false, 'Pass what clients publish to that stream.', {
    served: 'guards',
  }),
};

const map = section(
  'Channels whose content is a map of keys.',
  {
    mode: str('', 'How long a map lives: ephemeral, recoverable or persistent.'),
    key_ttl: duration('0s', 'Time after which a key that nobody renews is gone.'),
    stream_size: int(0, 'Changes kept for those who come back.'),
    stream_ttl: duration('0s', 'Time that changes are kept for.'),
    meta_ttl: duration('0s', 'Time that offset and epoch are kept for.'),
    remove_client_on_unsubscribe: bool(false, 'Remove the key of a client that leaves.'),
    client_key: str('', 'Key that clients write to: any, client_id or user_id.'),
    allow_publish_for_client: bool(false, 'Let clients with a user set keys.'),
    allow_publish_for_subscriber: bool(false, 'Let subscribers with a user set keys.'),
    allow_publish_for_anonymous: bool(false, 'Extend these permissions to clients without a user.'),
    allow_remove_for_client: bool(false, 'Let clients with a user remove keys.'),
    allow_remove_for_subscriber: bool(false, 'Let subscribers with a user remove keys.'),
    allow_remove_for_anonymous: bool(false, 'Extend these permissions to clients without a user.'),
    publish_proxy_enabled: bool(false, 'Ask the backend whether a key may be set.'),
    publish_proxy_name: str('default', 'Proxy that is asked whether a key may be set.'),
    remove_proxy_enabled: bool(false, 'Ask the backend whether a key may be removed.'),
    remove_proxy_name: str('default', 'Proxy that is asked whether a key may be removed.'),
    default_page_size: int(0, 'Keys on a page where the client says nothing.'),
    min_page_size: int(0, 'Fewest keys on a page.'),
    max_page_size: int(0, 'Most keys on a page.'),
    live_transition_max_publication_limit: int(0, 'Changes that one step from pages to live may hold.'),
    subscribe_catch_up_timeout: duration('0s', 'Longest time that a client may take to catch up.'),
  },
  { served: 'later' },
);

const sharedPoll = section(
  'Channels that the server polls the backend for, once for all subscribers.',
  {
    proxy_name: str('', 'Proxy that is polled.'),
    refresh_interval: duration('0s', 'Time between two polls.'),
    refresh_batch_size: int(0, 'Keys asked for at a time.'),
    max_keys_per_connection: int(0, 'Keys that one connection may track.'),
    mode: str('', 'Whether answers carry versions: versionless or versioned.'),
    channel_shutdown_delay: duration('0s', 'Time that polling goes on after the last subscriber.'),
    track_expired_extra_delay: duration('0s', 'Time that an expired track has to renew itself.'),
    publish_enabled: bool(false, 'Let the server API publish to these channels.'),
  },
  { served: 'later' },
);

/** What channels do and who may do what in them: `channel.without_namespace` and each of `channel.namespaces`. */
export const channelOptions = {
  ...stream,
  ...access,
  ...proxies,
  subscription_type: choice(
    ['', 'stream', 'map', 'map_clients', 'map_users', 'shared_poll'],
    '',
    'Kind of subscription; empty is `stream`.',
  ),
  map_clients_presence_channel_prefix: str('', 'Start of the map channels that show clients.', {
    served: 'later',
  }),
  map_users_presence_channel_prefix: str('', 'Start of the map channels that show users.', {
    served: 'later',
  }),
  map,
  shared_poll: sharedPoll,
};
