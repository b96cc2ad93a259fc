/**
 * Messages of the client protocol as a client sees them: names of `proto/client.proto`, payloads as the values that
 * their JSON means. Every field may be absent.
 */

/** What a client sends. Not checked: tests send what no client would, too. */
export type CommandMessage = Readonly<Record<string, unknown>>;

export interface InfoMessage {
  readonly user?: string;
  readonly client?: string;
  readonly conn_info?: unknown;
  readonly chan_info?: unknown;
}

export interface PublicationMessage {
  readonly data?: unknown;
  readonly info?: InfoMessage;
  readonly offset?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly delta?: boolean;
  readonly epoch?: string;
  readonly version?: number;
}

export interface SubscribeMessage {
  readonly expires?: boolean;
  readonly ttl?: number;
  readonly recoverable?: boolean;
  readonly positioned?: boolean;
  readonly epoch?: string;
  readonly offset?: number;
  readonly publications?: readonly PublicationMessage[];
  readonly recovered?: boolean;
  readonly was_recovering?: boolean;
  readonly data?: unknown;
  readonly delta?: boolean;
}

export interface ConnectMessage {
  readonly client?: string;
  readonly version?: string;
  readonly expires?: boolean;
  readonly ttl?: number;
  readonly data?: unknown;
  readonly subs?: Readonly<Record<string, SubscribeMessage>>;
  readonly ping?: number;
  readonly pong?: boolean;
  readonly time?: number;
}

interface ExpiryMessage {
  readonly expires?: boolean;
  readonly ttl?: number;
}

export interface PushMessage {
  readonly channel?: string;
  readonly pub?: PublicationMessage;
  readonly join?: { readonly info?: InfoMessage };
  readonly leave?: { readonly info?: InfoMessage };
  readonly unsubscribe?: { readonly code?: number; readonly reason?: string };
  readonly subscribe?: SubscribeMessage;
  readonly refresh?: ExpiryMessage;
}

/** What a server sends: an answer to a command, a push, or nothing, which is a ping. */
export interface ReplyMessage {
  readonly id?: number;
  readonly error?: { readonly code?: number; readonly message?: string; readonly temporary?: boolean };
  readonly push?: PushMessage;
  readonly connect?: ConnectMessage;
  readonly subscribe?: SubscribeMessage;
  readonly unsubscribe?: object;
  readonly publish?: object;
  readonly presence?: { readonly presence?: Readonly<Record<string, InfoMessage>> };
  readonly presence_stats?: { readonly num_clients?: number; readonly num_users?: number };
  readonly history?: {
    readonly publications?: readonly PublicationMessage[];
    readonly epoch?: string;
    readonly offset?: number;
  };
  readonly rpc?: { readonly data?: unknown };
  readonly refresh?: ExpiryMessage;
  readonly sub_refresh?: ExpiryMessage;
}
