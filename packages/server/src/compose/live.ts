import { hostname } from 'node:os';
import type { NodeOptions } from '@gyre/node';
import { KeySets } from '../auth/key-sets.ts';
import { createTokens } from '../auth/tokens.ts';
import { Namespaces } from '../channels/namespaces.ts';
import type { Config } from '../config/schema.ts';
import type { Policy } from '../gate/policy.ts';
import { originRule } from '../http/origin.ts';
import type { Logger } from '../logger.ts';
import { version } from '../version.ts';

/** What is decided by the configuration alone. Never changed: a reload makes another one. */
export interface Live {
  readonly config: Config;
  readonly namespaces: Namespaces;
  readonly policy: Policy;
  readonly originAllowed: (origin: string) => boolean;
  /** Of a handshake, lower case. */
  readonly keepHeaders: readonly string[];
}

/** @throws Error for a key, address or pattern that is none, naming the option */
export function makeLive(config: Config, log: Logger, keySets = new KeySets({ now: Date.now, log })): Live {
  const { client, rpc } = config;
  const namespaces = new Namespaces(config.channel);
  const tokens = createTokens(client, { now: Date.now, keySets });
  return {
    config,
    namespaces,
    policy: { client, rpc, channels: namespaces, tokens, now: Date.now, log },
    originAllowed: originRule(client.allowed_origins),
    keepHeaders: [client.user_id_http_header.toLowerCase()].filter((name) => name !== ''),
  };
}

/** What the node is told of the configuration. */
export function nodeOptions(uid: string, config: Config): NodeOptions {
  const { client, http_server: server, node, websocket } = config;
  return Object.freeze({
    uid,
    name: node.name === '' ? `${hostname()}_${server.port}` : node.name,
    version,
    pingInterval: Math.max(client.ping_interval, 0),
    pongTimeout: Math.max(client.pong_timeout, 0),
    writeTimeout: websocket.write_timeout,
    staleCloseDelay: client.stale_close_delay,
    expiredCloseDelay: client.expired_close_delay,
    expiredSubCloseDelay: client.expired_sub_close_delay,
    channelLimit: client.channel_limit,
    userConnectionLimit: client.user_connection_limit,
    queueMaxSize: client.queue_max_size,
    historyMaxPublicationLimit: client.history_max_publication_limit,
    recoveryMaxPublicationLimit: client.recovery_max_publication_limit,
    presenceMaxMembers: client.presence_max_members,
    connectIncludeServerTime: client.connect_include_server_time,
    ...(Object.values(client.command_rate_limit).some((rate) => rate > 0)
      ? { commandRates: client.command_rate_limit }
      : {}),
  });
}
