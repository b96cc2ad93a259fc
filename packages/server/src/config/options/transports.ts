import { bool, duration, int, objects, port, section, str } from '../option.ts';
import { tls } from './tls.ts';

const websocketRows = {
  compression: bool(false, 'Compress messages of 1 KiB and more for clients that offer it.'),
  compression_min_size: int(0, 'Bytes from which a message is compressed; never below 1 KiB.'),
  compression_level: int(1, 'Effort of compression.', { served: 'later', min: -2, max: 9 }),
  read_buffer_size: int(0, 'Bytes of the read buffer of a connection.', { served: 'later' }),
  use_write_buffer_pool: bool(false, 'Share write buffers between connections.', { served: 'later' }),
  write_buffer_size: int(0, 'Bytes of the write buffer of a connection.', { served: 'later' }),
  write_timeout: duration('1000ms', 'Longest wait for a client to take what is written.'),
  message_size_limit: int(65_536, 'Bytes that a message of a client may have.'),
  decompressed_message_size_limit: int(
    0,
    'Bytes that a message may have once decompressed; 0 is ten times the other limit.',
    {
      served: 'later',
      alias: [],
    },
  ),
};

/** `websocket` */
export const websocket = section(
  'Clients over WebSocket.',
  {
    disabled: bool(false, 'Do not serve it.', { alias: ['websocket_disable'] }),
    handler_prefix: str('/connection/websocket', 'Path that it is served under.'),
    ...websocketRows,
  },
  { flat: 'websocket' },
);

/** A transport that reads requests and is off unless enabled. */
const transport = (flat: string, path: string) => ({
  enabled: bool(false, 'Serve it.', { alias: [flat] }),
  handler_prefix: str(path, 'Path that it is served under.'),
  max_request_body_size: int(65_536, 'Bytes that the body of a request may have.'),
});

/** `sse` */
export const sse = section(
  'Clients over Server-Sent Events, with `emulation` for what they send.',
  transport('sse', '/connection/sse'),
  {
    served: 'later',
    flat: 'sse',
  },
);

/** `http_stream` */
export const httpStream = section(
  'Clients over HTTP streaming, with `emulation` for what they send.',
  transport('http_stream', '/connection/http_stream'),
  { served: 'later', flat: 'http_stream' },
);

/** `emulation` */
export const emulation = section(
  'What clients over SSE and HTTP streaming send.',
  {
    handler_prefix: str('/emulation', 'Path that it is served under.'),
    max_request_body_size: int(65_536, 'Bytes that the body of a request may have.'),
  },
  { served: 'later', flat: 'emulation' },
);

/** `webtransport` */
export const webtransport = section(
  'Clients over WebTransport.',
  {
    enabled: bool(false, 'Serve it.', { alias: ['webtransport'] }),
    handler_prefix: str('/connection/webtransport', 'Path that it is served under.'),
    message_size_limit: int(65_536, 'Bytes that a message of a client may have.'),
  },
  { served: 'later', flat: 'webtransport' },
);

const connectStatuses = (flat: string) =>
  section(
    'Errors of connect as HTTP statuses.',
    {
      enabled: bool(false, 'Answer with a status of its own.'),
      transforms: objects(
        {
          code: int(0, 'Code of the error or disconnect.'),
          to: section('Answer to make of it.', {
            status_code: int(0, 'HTTP status.'),
            body: str('', 'Body.'),
          }),
        },
        'Which code becomes which answer.',
      ),
    },
    { alias: [`${flat}_connect_code_to_http_response`] },
  );

/** `uni_sse` */
export const uniSse = section(
  'One-way clients over Server-Sent Events.',
  {
    ...transport('uni_sse', '/connection/uni_sse'),
    connect_code_to_http_response: connectStatuses('uni_sse'),
  },
  { served: 'later', flat: 'uni_sse' },
);

/** `uni_http_stream` */
export const uniHttpStream = section(
  'One-way clients over HTTP streaming.',
  {
    ...transport('uni_http_stream', '/connection/uni_http_stream'),
    connect_code_to_http_response: connectStatuses('uni_http_stream'),
  },
  { served: 'later', flat: 'uni_http_stream' },
);

/** `uni_websocket` */
export const uniWebsocket = section(
  'One-way clients over WebSocket.',
  {
    enabled: bool(false, 'Serve it.', { alias: ['uni_websocket'] }),
    handler_prefix: str('/connection/uni_websocket', 'Path that it is served under.'),
    ...websocketRows,
    compression: { ...websocketRows.compression, served: 'later' },
    compression_min_size: { ...websocketRows.compression_min_size, served: 'later' },
    write_timeout: { ...websocketRows.write_timeout, served: 'later' },
    message_size_limit: { ...websocketRows.message_size_limit, served: 'later' },
    disable_closing_handshake: bool(false, 'Close without waiting for the client’s close frame.', {
      alias: [],
    }),
    disable_disconnect_push: bool(false, 'Do not push the reason before closing.', { alias: [] }),
    join_push_messages: bool(false, 'Put several pushes into one message.', { alias: [] }),
  },
  { served: 'later', flat: 'uni_websocket' },
);

/** `uni_grpc` */
export const uniGrpc = section(
  'One-way clients over gRPC.',
  {
    enabled: bool(false, 'Serve it.', { alias: ['uni_grpc'] }),
    address: str('', 'Address of its listener; empty is every interface.'),
    port: port(11_000, 'Port of its listener.'),
    max_receive_message_size: int(0, 'Bytes that a request may have; 0 is 4 MiB.'),
    tls: tls('TLS of its listener.', { flat: 'uni_grpc_tls' }),
  },
  { served: 'later', flat: 'uni_grpc' },
);
