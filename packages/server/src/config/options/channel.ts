import { choice, duration, int, objects, section, str } from '../option.ts';
import { channelOptions } from './channel-options.ts';
import { proxyFields } from './proxy.ts';

const proxy = section(
  'Questions about channels that the backend is asked.',
  {
    subscribe: section('Asked whether a client may subscribe.', proxyFields('subscribe')),
    publish: section('Asked whether a client may publish.', proxyFields('publish')),
    sub_refresh: section('Asked whether a subscription that expires goes on.', proxyFields('sub_refresh')),
    subscribe_stream: section(
      'Asked for publications of each subscription.',
      proxyFields('subscribe_stream'),
    ),
    map_publish: section('Asked whether a key of a map may be set.', proxyFields()),
    map_remove: section('Asked whether a key of a map may be removed.', proxyFields()),
    shared_poll_refresh: section('Polled for the keys of shared-poll channels.', proxyFields()),
  },
  { served: 'guards' },
);

/** `channel` */
export const channel = section(
  'Channels.',
  {
    max_length: int(255, 'Bytes that a name may have where a client uses it.'),
    namespace_boundary: str(':', 'Ends the namespace in a name.'),
    private_prefix: str('$', 'Begins the names that need a token.'),
    user_boundary: str('#', 'Begins the users in a name.'),
    user_separator: str(',', 'Stands between users in a name.'),
    history_meta_ttl: duration('720h', 'Time that offset and epoch outlive history; whole seconds.', {
      alias: ['global_history_meta_ttl'],
    }),
    publication_data_format: choice(
      ['', 'json', 'json_object', 'binary'],
      '',
      'What published data must be; empty is anything that the wire carries.',
      { alias: [] },
    ),
    without_namespace: section('Channels whose name has no namespace.', channelOptions, { flat: '' }),
    namespaces: objects(
      {
        name: str('', 'Letters, digits, `-`, `_` and `.`; at least two.'),
        ...channelOptions,
      },
      'Channels by namespace, each with options of its own.',
      { alias: ['namespaces'] },
    ),
    proxy,
  },
  { flat: 'channel' },
);

/** `shared_poll` */
export const sharedPoll = section(
  'Shared-poll channels.',
  {
    hmac_secret_key: str('', 'Secret that track requests are signed with.', { secret: true }),
    hmac_previous_secret_key: str('', 'Former secret, accepted beside the present one.', { secret: true }),
    hmac_previous_secret_key_valid_until: int(
      0,
      'Unix time in seconds that the former secret is accepted until.',
    ),
    concurrency_limit: int(0, 'Polls that may run at the same time.'),
  },
  { served: 'later' },
);
