import type { NodeInfo } from '@gyre/broker';
import type { ClientInfo, Empty, StreamPosition } from '@gyre/protocol';
import {
  bool,
  bytes,
  child,
  double,
  int32,
  int64,
  list,
  mapOf,
  message,
  record,
  string,
  strings,
  uint32,
  uint64,
} from './field.ts';
import type * as api from './messages.ts';

/**
 * Every message of the server API with the names, numbers and types of its fields, as in `proto/api.proto`.
 * Fields of our own are numbered from 100.
 */

const empty = (name: string) => message<Empty>(name, {});

export const error = message<api.ApiError>('Error', { code: uint32(1), message: string(2) });

const streamPosition = message<StreamPosition>('StreamPosition', { offset: uint64(1), epoch: string(2) });

const clientInfo = message<ClientInfo>('ClientInfo', {
  user: string(1, 'always'),
  client: string(2, 'always'),
  connInfo: bytes(3),
  chanInfo: bytes(4),
});

// ------------------------------------------------------------------------------------------ publications

const publication = message<api.KeptPublication>('Publication', {
  data: bytes(2),
  info: child(3, clientInfo),
  offset: uint64(4),
  tags: record(5, string),
});

const publicationFields = {
  data: bytes(2),
  b64data: string(3),
  skipHistory: bool(4),
  tags: record(5, string),
  idempotencyKey: string(6),
  delta: bool(7),
  version: uint64(8),
  versionEpoch: string(9),
};

const publishRequest = message<api.PublishRequest>('PublishRequest', {
  channel: string(1),
  ...publicationFields,
});

const publishResult = message<api.PublishResult>('PublishResult', {
  offset: uint64(1),
  epoch: string(2),
  duplicate: bool(100),
});

const publishResponse = message<api.PublishResponse>('PublishResponse', {
  error: child(1, error),
  result: child(2, publishResult),
});

const broadcastRequest = message<api.BroadcastRequest>('BroadcastRequest', {
  channels: strings(1),
  ...publicationFields,
});

const broadcastResult = message<api.BroadcastResult>('BroadcastResult', {
  responses: list(1, publishResponse),
});

const historyRequest = message<api.HistoryRequest>('HistoryRequest', {
  channel: string(1),
  limit: int32(2),
  since: child(3, streamPosition),
  reverse: bool(4),
});

const historyResult = message<api.HistoryResult>('HistoryResult', {
  publications: list(1, publication, 'always'),
  epoch: string(2, 'always'),
  offset: uint64(3, 'always'),
});

// ------------------------------------------------------------------------------------------ connections

const boolValue = message<api.BoolValue>('BoolValue', { value: bool(1) });

const subscribeRequest = message<api.SubscribeRequest>('SubscribeRequest', {
  channel: string(1),
  user: string(2),
  expireAt: int64(3),
  info: bytes(4),
  b64info: string(5),
  client: string(6),
  data: bytes(7),
  b64data: string(8),
  recoverSince: child(9, streamPosition),
  override: child(
    10,
    message<api.SubscribeOptionOverride>('SubscribeOptionOverride', {
      presence: child(1, boolValue),
      joinLeave: child(2, boolValue),
      forceRecovery: child(3, boolValue),
      forcePositioning: child(4, boolValue),
      forcePushJoinLeave: child(5, boolValue),
    }),
  ),
  session: string(11),
});

const unsubscribeRequest = message<api.UnsubscribeRequest>('UnsubscribeRequest', {
  channel: string(1),
  user: string(2),
  client: string(3),
  session: string(4),
});

const disconnectRequest = message<api.DisconnectRequest>('DisconnectRequest', {
  user: string(1),
  disconnect: child(2, message<api.DisconnectObject>('Disconnect', { code: uint32(1), reason: string(2) })),
  client: string(3),
  whitelist: strings(4),
  session: string(5),
});

const refreshRequest = message<api.RefreshRequest>('RefreshRequest', {
  user: string(1),
  client: string(2),
  expired: bool(3),
  expireAt: int64(4),
  info: bytes(5),
  session: string(6),
});

// ------------------------------------------------------------------------------------------ who is here

const presenceRequest = message<api.PresenceRequest>('PresenceRequest', {
  channel: string(1),
  limit: int32(100),
  cursor: string(101),
});

const presenceResult = message<api.PresenceResult>('PresenceResult', {
  presence: mapOf(1, clientInfo),
  cursor: string(100),
});

const presenceStatsResult = message<api.PresenceStatsResult>('PresenceStatsResult', {
  numClients: uint32(1, 'always'),
  numUsers: uint32(2, 'always'),
});

const channelsRequest = message<api.ChannelsRequest>('ChannelsRequest', {
  pattern: string(1),
  limit: int32(100),
  cursor: string(101),
});

const channelsResult = message<api.ChannelsResult>('ChannelsResult', {
  channels: mapOf(1, message<api.ChannelInfo>('ChannelInfo', { numClients: uint32(1) })),
  cursor: string(100),
  missingNodes: strings(101),
});

const nodeResult = message<NodeInfo>('NodeResult', {
  uid: string(1, 'always'),
  name: string(2, 'always'),
  version: string(3, 'always'),
  numClients: uint32(4, 'always'),
  numUsers: uint32(5, 'always'),
  numChannels: uint32(6, 'always'),
  uptime: uint32(7),
  metrics: child(
    8,
    message<NonNullable<NodeInfo['metrics']>>('Metrics', { interval: double(1), items: record(2, double) }),
  ),
  numSubs: uint32(10, 'always'),
});

const infoResult = message<api.InfoResult>('InfoResult', {
  nodes: list(1, nodeResult),
  missingNodes: strings(101),
});

// ------------------------------------------------------------------------------------------ by method

const channelRequest = (name: string) => message<api.ChannelRequest>(name, { channel: string(1) });

/** In the order in which a batch looks for them in a command that holds several. */
export const requests = {
  publish: publishRequest,
  broadcast: broadcastRequest,
  subscribe: subscribeRequest,
  unsubscribe: unsubscribeRequest,
  disconnect: disconnectRequest,
  history: historyRequest,
  history_remove: channelRequest('HistoryRemoveRequest'),
  presence: presenceRequest,
  presence_stats: channelRequest('PresenceStatsRequest'),
  info: empty('InfoRequest'),
  rpc: message<api.RpcRequest>('RPCRequest', { method: string(1), params: bytes(2) }),
  refresh: refreshRequest,
  channels: channelsRequest,
};

export const results = {
  publish: publishResult,
  broadcast: broadcastResult,
  subscribe: empty('SubscribeResult'),
  unsubscribe: empty('UnsubscribeResult'),
  disconnect: empty('DisconnectResult'),
  history: historyResult,
  history_remove: empty('HistoryRemoveResult'),
  presence: presenceResult,
  presence_stats: presenceStatsResult,
  info: infoResult,
  rpc: message<api.RpcResult>('RPCResult', { data: bytes(1) }),
  refresh: empty('RefreshResult'),
  channels: channelsResult,
};

export const batchRequest = message<api.BatchRequest>('BatchRequest', {
  commands: list(
    1,
    message<api.BatchCommand>('Command', {
      publish: child(4, requests.publish),
      broadcast: child(5, requests.broadcast),
      subscribe: child(6, requests.subscribe),
      unsubscribe: child(7, requests.unsubscribe),
      disconnect: child(8, requests.disconnect),
      presence: child(9, requests.presence),
      presence_stats: child(10, requests.presence_stats),
      history: child(11, requests.history),
      history_remove: child(12, requests.history_remove),
      info: child(13, requests.info),
      rpc: child(14, requests.rpc),
      refresh: child(15, requests.refresh),
      channels: child(16, requests.channels),
    }),
  ),
  parallel: bool(2),
});

export const batchResult = message<api.BatchResult>('BatchResponse', {
  replies: list(
    1,
    message<api.BatchReply>('Reply', {
      error: child(2, error),
      publish: child(4, results.publish),
      broadcast: child(5, results.broadcast),
      subscribe: child(6, results.subscribe),
      unsubscribe: child(7, results.unsubscribe),
      disconnect: child(8, results.disconnect),
      presence: child(9, results.presence),
      presence_stats: child(10, results.presence_stats),
      history: child(11, results.history),
      history_remove: child(12, results.history_remove),
      info: child(13, results.info),
      rpc: child(14, results.rpc),
      refresh: child(15, results.refresh),
      channels: child(16, results.channels),
    }),
  ),
});
