import { bool, section, str, type Infer } from './option.ts';
import { admin } from './options/admin.ts';
import { channel, sharedPoll } from './options/channel.ts';
import { client } from './options/client.ts';
import { consumers } from './options/consumers.ts';
import { broker, controller, engine, mapBroker, presenceManager } from './options/engine.ts';
import { httpServer } from './options/http-server.ts';
import { log } from './options/log.ts';
import {
  debug,
  graphite,
  health,
  init,
  opentelemetry,
  prometheus,
  swagger,
  usageStats,
} from './options/monitoring.ts';
import { node, shutdown } from './options/node.ts';
import { proxies } from './options/proxy.ts';
import { rpc } from './options/rpc.ts';
import { grpcApi, httpApi } from './options/server-api.ts';
import {
  emulation,
  httpStream,
  sse,
  uniGrpc,
  uniHttpStream,
  uniSse,
  uniWebsocket,
  websocket,
  webtransport,
} from './options/transports.ts';

/** Every option there is: the one table that types, flags, variables, checks and documents are made from. */
export const schema = section('All options.', {
  http_server: httpServer,
  log,
  engine,
  broker,
  presence_manager: presenceManager,
  map_broker: mapBroker,
  controller,
  client,
  channel,
  shared_poll: sharedPoll,
  rpc,
  proxies,
  http_api: httpApi,
  grpc_api: grpcApi,
  consumers,
  websocket,
  sse,
  http_stream: httpStream,
  emulation,
  webtransport,
  uni_websocket: uniWebsocket,
  uni_sse: uniSse,
  uni_http_stream: uniHttpStream,
  uni_grpc: uniGrpc,
  admin,
  prometheus,
  health,
  swagger,
  debug,
  init,
  opentelemetry,
  graphite,
  usage_stats: usageStats,
  node,
  shutdown,
  pid_file: str('', 'File that the number of the process is written to, and that is removed at the end.'),
  enable_unreleased_features: bool(false, 'Accepted so that existing files work.', { served: 'later' }),
});

/** A whole configuration: complete, durations in milliseconds. */
export type Config = Infer<typeof schema>;

/** The options of one channel. */
export type ChannelConfig = Config['channel']['without_namespace'];
