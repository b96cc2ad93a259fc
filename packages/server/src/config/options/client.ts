import { bool, duration, int, list, objects, section, str } from '../option.ts';
import { proxyFields } from './proxy.ts';

const tokenFields = {
  hmac_secret_key: str('', 'Secret of HS256, HS384 and HS512 tokens; empty refuses them.', { secret: true }),
  hmac_previous_secret_key: str('', 'Former secret, accepted beside the present one.', { secret: true }),
  hmac_previous_secret_key_valid_until: int(
    0,
    'Unix time in seconds that the former secret is accepted until.',
  ),
  rsa_public_key: str('', 'Key of RS256, RS384 and RS512 tokens: PEM text, base64 of it, or a path.'),
  ecdsa_public_key: str('', 'Key of ES256, ES384 and ES512 tokens: PEM text, base64 of it, or a path.'),
  jwks_public_endpoint: str(
    '',
    'Address that public keys are fetched from as a JSON Web Key Set, in place of the keys above; `{{name}}` in it ' +
      'is filled from that group of a regex.',
  ),
  audience: str('', 'What the claim `aud` must hold.'),
  audience_regex: str('', 'What an entry of the claim `aud` must match, in RE2 syntax.'),
  issuer: str('', 'What the claim `iss` must be.'),
  issuer_regex: str('', 'What the claim `iss` must match, in RE2 syntax.'),
  user_id_claim: str('', 'Claim that names the user; empty is `sub`.'),
  insecure_skip_jwks_endpoint_safety_check: bool(
    false,
    'Let any named group of a regex stand in the address of the key set.',
  ),
};

const token = section('How connection tokens are checked.', tokenFields, { flat: 'token' });

const subscriptionToken = section(
  'How subscription tokens are checked, where not as connection tokens are.',
  {
    enabled: bool(false, 'Check subscription tokens by this section.', {
      alias: ['separate_subscription_token_config'],
    }),
    ...tokenFields,
  },
  { flat: 'subscription_token' },
);

const personalChannel = section('A channel of its own for each user.', {
  enabled: bool(false, 'Subscribe each connection to the channel of its user.', {
    alias: ['user_subscribe_to_personal'],
  }),
  personal_channel_namespace: str('', 'Namespace of these channels.', {
    alias: ['user_personal_channel_namespace'],
  }),
  single_connection: bool(
    false,
    'Close the other connections of the user when a new one comes; needs presence.',
    {
      alias: ['user_personal_single_connection'],
    },
  ),
});

const connectCodes = section(
  'Errors of connect as disconnects, for unidirectional clients that see no error.',
  {
    enabled: bool(false, 'Turn errors into disconnects.'),
    transforms: objects(
      {
        code: int(0, 'Code of the error.'),
        to: section('Disconnect to make of it.', { code: int(0, 'Code.'), reason: str('', 'Reason.') }),
      },
      'Which error becomes which disconnect.',
    ),
  },
  { served: 'later', alias: ['client_connect_code_to_unidirectional_disconnect'] },
);

const proxy = section(
  'Questions about connections that the backend is asked.',
  {
    connect: section('Asked who a client without a token is.', {
      enabled: bool(false, 'Ask it.'),
      ...proxyFields('connect'),
    }),
    refresh: section('Asked whether a connection that expires goes on.', {
      enabled: bool(false, 'Ask it.'),
      ...proxyFields('refresh'),
    }),
  },
  { served: 'guards' },
);

const commandRateLimit = section(
  'How many commands one client may send a second, over which it gets error 111; 0 is any number.',
  {
    connect: int(0, 'Connections of one user.', { alias: [] }),
    subscribe: int(0, 'Subscribes.', { alias: [] }),
    publish: int(0, 'Publishes.', { alias: [] }),
    rpc: int(0, 'Calls.', { alias: [] }),
    history: int(0, 'Reads of history and presence.', { alias: [] }),
  },
);

const positionRows = {
  channel_position_check_delay: duration(
    '40s',
    'Time between two checks that a subscription missed nothing.',
    {
      served: 'later',
    },
  ),
  channel_position_max_time_lag: duration(
    '0s',
    'Longest time that a node may lag behind the broker; 0 is any.',
    {
      served: 'later',
    },
  ),
};

const delayRows = {
  ping_interval: duration('25s', 'Time between two pings to a client; -1 is never.', {
    alias: ['ping_interval'],
    canBeOff: true,
  }),
  pong_timeout: duration('8s', 'Longest wait for the pong; less than the interval; -1 is for ever.', {
    alias: ['pong_timeout'],
    canBeOff: true,
  }),
  stale_close_delay: duration('10s', 'Longest wait for a connect command.'),
  expired_close_delay: duration('25s', 'Time that an expired connection has to refresh itself.'),
  expired_sub_close_delay: duration('25s', 'Time that an expired subscription has to refresh itself.'),
  presence_update_interval: duration('27s', 'Time between two renewals of a client’s presence.'),
};

const limitRows = {
  channel_limit: int(128, 'Subscriptions of one connection.'),
  queue_max_size: int(1_048_576, 'Bytes waiting for one connection; beyond it the connection is closed.'),
  connection_limit: int(0, 'Connections of this node; 0 is any number.'),
  user_connection_limit: int(0, 'Connections of one user to this node; 0 is any number.'),
  connection_rate_limit: int(0, 'New connections a second to this node; 0 is any number.'),
  connecting_limit: int(0, 'Connections of this node that are not connected yet; 0 is any number.', {
    alias: [],
  }),
  connection_lag_limit: duration(
    '0s',
    'Lag of the event loop over which new connections are refused; 0 is any.',
    { alias: [] },
  ),
  history_max_publication_limit: int(300, 'Publications that one read of history by a client gives.'),
  recovery_max_publication_limit: int(
    300,
    'Missed publications that a client can recover; more is a fresh start.',
  ),
  presence_max_members: int(
    10_000,
    'Members that one look at presence by a client gives; more is an error.',
    {
      alias: [],
    },
  ),
  command_rate_limit: commandRateLimit,
  concurrency: int(0, 'Commands of one client that may run at the same time.', { served: 'later' }),
};

/** `client` */
export const client = section(
  'Connections of clients.',
  {
    allowed_origins: list(
      [],
      'Origins that browsers may connect from, with `*` as wildcard; `*` alone is all.',
      {
        alias: ['allowed_origins'],
      },
    ),
    allow_anonymous_connect_without_token: bool(false, 'Let clients without a token in, as nobody.', {
      alias: ['allow_anonymous_connect_without_token'],
    }),
    disallow_anonymous_connection_tokens: bool(false, 'Refuse tokens that name no user.', {
      alias: ['disallow_anonymous_connection_tokens'],
    }),
    user_id_http_header: str(
      '',
      'Header of the handshake that names the user, set by a trusted proxy in front.',
    ),
    connect_include_server_time: bool(false, 'Tell clients the time when they connect.'),
    insecure: bool(false, 'Let everybody do everything without a token; for development.'),
    insecure_skip_token_signature_verify: bool(false, 'Believe tokens unsigned; for development.'),
    token,
    subscription_token: subscriptionToken,
    subscribe_to_user_personal_channel: personalChannel,
    ...delayRows,
    ...limitRows,
    ...positionRows,
    proxy,
    connect_code_to_unidirectional_disconnect: connectCodes,
  },
  { flat: 'client' },
);
