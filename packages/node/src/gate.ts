import type { HistoryOptions, NewPublication, PublishOptions, SubscriptionGrant } from '@gyre/broker';
import type { Bytes, SubscribeRequest } from '@gyre/protocol';

/** What policy may know of a connection when it decides. */
export interface Client {
  /** UUID v4. */
  readonly id: string;
  /** "" for anonymous, and until connected. */
  readonly user: string;
  /** "websocket" and the like. */
  readonly transportName: string;
  readonly wire: 'json' | 'protobuf';
  /** Real HTTP headers of the handshake, lower case; only those that the transport was told to keep. */
  readonly headers: ReadonlyMap<string, string>;
  /** Connection info shown to others. */
  readonly connInfo?: Bytes | undefined;
  /** Whatever `ConnectGrant.remember` was, "" without it. */
  readonly remembered: string;
  isSubscribed(channel: string): boolean;
  /** Channel info of this connection's subscription, undefined where it has none. */
  chanInfo(channel: string): Bytes | undefined;
}

export interface ConnectQuestion {
  readonly token: string;
  readonly data?: Bytes;
  readonly name: string;
  readonly version: string;
  readonly emulatedHeaders: Readonly<Record<string, string>>;
  /** Channels that the client holds positions for, or wants server-side, with what it asks of each. */
  readonly subs: Readonly<Record<string, SubscribeRequest>>;
}

export interface ConnectGrant {
  readonly user: string;
  readonly connInfo?: Bytes;
  /** Unix seconds; absent: never expires. */
  readonly expireAt?: number;
  /** Who has to refresh: the client by command, or the server by asking the gate. */
  readonly refreshBy?: 'client' | 'server';
  /** Sent with the connect result. */
  readonly data?: Bytes;
  /** Server-side subscriptions, by channel. */
  readonly subscriptions: ReadonlyMap<string, SubscriptionGrant>;
  /** Close other connections of this user that are subscribed to this channel (3504). */
  readonly singleConnectionChannel?: string;
  /** For proxies; never sent to clients. */
  readonly meta?: Bytes;
  /** Kept with the connection and handed back as `Client.remembered`; means nothing to the node. */
  readonly remember?: string;
}

export interface RefreshGrant {
  /** The token's, or the backend's, word that this connection has ended: 3005. */
  readonly expired?: boolean;
  readonly expireAt?: number;
  readonly connInfo?: Bytes;
  readonly meta?: Bytes;
}

export interface SubRefreshGrant {
  readonly expired?: boolean;
  readonly expireAt?: number;
  readonly chanInfo?: Bytes;
}

export interface ClientPublishGrant {
  readonly publication: NewPublication;
  readonly options: PublishOptions;
}

/**
 * The question sheet: everything that a node has to ask policy. It answers with a grant, which the node obeys, or
 * throws a `ClientError` (the client is told, the connection stays) or a `Disconnect`.
 *
 * The node has checked what needs no policy before it asks: a channel name is not empty, not subscribed yet, the
 * number of subscriptions is within bounds.
 */
export interface Gate {
  connecting(client: Client, question: ConnectQuestion): Promise<ConnectGrant>;
  /** @param token "" when the server itself refreshes */
  refresh(client: Client, token: string): Promise<RefreshGrant>;
  subscribe(client: Client, request: SubscribeRequest): Promise<SubscriptionGrant>;
  subRefresh(client: Client, channel: string, token: string): Promise<SubRefreshGrant>;
  publish(client: Client, channel: string, data: Bytes): Promise<ClientPublishGrant>;
  /** Resolves where the client may see who is in the channel. */
  presence(client: Client, channel: string): Promise<void>;
  /** Gives how the channel is kept, where the client may read it. */
  history(client: Client, channel: string): Promise<HistoryOptions>;
  /** Gives the answer's data. */
  rpc(client: Client, method: string, data: Bytes | undefined): Promise<Bytes | undefined>;
}
