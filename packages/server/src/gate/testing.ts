import type { Client, ConnectQuestion } from '@gyre/node';
import { ClientError, Disconnect, type SubscribeRequest } from '@gyre/protocol';
import { judges, noTokens, SECRET } from '../auth/testing.ts';
import { createTokens } from '../auth/tokens.ts';
import { Namespaces } from '../channels/namespaces.ts';
import type { ChannelOptions, ChannelSection } from '../channels/options.ts';
import { channelSection } from '../channels/testing.ts';
import type { ClientSection, Policy } from './policy.ts';

/** Unix seconds that the tests live at. */
export const T = 1_800_000_000;

/** Nobody may anything; tokens are signed with the tests' secret. */
export function policyWith(
  client: Partial<ClientSection> = {},
  withoutNamespace: Partial<ChannelOptions> = {},
  namespaces: Readonly<Record<string, Partial<ChannelOptions>>> = {},
  section: Partial<ChannelSection> = {},
): Policy {
  const now = (): number => T * 1000;
  return {
    client: {
      insecure: false,
      allow_anonymous_connect_without_token: false,
      disallow_anonymous_connection_tokens: false,
      user_id_http_header: '',
      subscribe_to_user_personal_channel: {
        enabled: false,
        personal_channel_namespace: '',
        single_connection: false,
      },
      ...client,
    },
    channels: new Namespaces(channelSection(withoutNamespace, namespaces, section)),
    tokens: createTokens(
      {
        token: { ...noTokens, hmac_secret_key: SECRET },
        subscription_token: { ...noTokens, enabled: false },
        insecure_skip_token_signature_verify: false,
      },
      judges(now),
    ),
    rpc: { ping: { enabled: false, method: 'ping' } },
    now,
    log: {},
  };
}

/** A connection: user 42 over JSON, with no subscription. */
export function clientWith(
  given: Partial<Client> & { readonly subscribed?: readonly string[] } = {},
): Client {
  const { subscribed = [], ...rest } = given;
  return {
    id: '0b1f3c5e-8c1d-4b43-9f70-0a1b2c3d4e5f',
    user: '42',
    transportName: 'websocket',
    wire: 'json',
    headers: new Map(),
    remembered: '',
    isSubscribed: (channel) => subscribed.includes(channel),
    chanInfo: () => undefined,
    ...rest,
  };
}

export function subscribeRequest(given: Partial<SubscribeRequest> = {}): SubscribeRequest {
  return {
    channel: 'x',
    token: '',
    recover: false,
    epoch: '',
    offset: 0,
    positioned: false,
    recoverable: false,
    joinLeave: false,
    delta: '',
    flag: 0,
    type: 0,
    ...given,
  };
}

export function connectQuestion(given: Partial<ConnectQuestion> = {}): ConnectQuestion {
  return { token: '', name: 'js', version: '', emulatedHeaders: {}, subs: {}, ...given };
}

/** What an answer came to: 0, or the code of the refusal. */
export async function codeOf(ask: () => unknown): Promise<number> {
  try {
    await ask();
    return 0;
  } catch (error) {
    if (error instanceof ClientError || error instanceof Disconnect) return error.code;
    throw error;
  }
}
