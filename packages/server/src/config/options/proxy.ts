import { bool, duration, int, list, map, objects, section, str } from '../option.ts';
import { tls } from './tls.ts';

const statusTransforms = {
  status_code: int(0, 'HTTP status that this row is about.'),
  to_error: section('Error that the client is told.', {
    code: int(0, 'Code, 400 to 1999.'),
    message: str('', 'Message.'),
    temporary: bool(false, 'Whether the client may try again.'),
  }),
  to_disconnect: section('Disconnect that ends the connection.', {
    code: int(0, 'Code, 4000 to 4999.'),
    reason: str('', 'Reason.'),
  }),
};

/**
 * The fields of a proxy: a question that the backend is asked.
 * @param flat its name in the flat names of older releases
 */
export function proxyFields(flat?: string) {
  const alias = (name: string) => (flat === undefined ? {} : { alias: [`proxy_${flat}_${name}`] });
  return {
    endpoint: str('', 'Address of the backend: http:// or https:// is HTTP, anything else gRPC.', {
      ...alias('endpoint'),
      secret: true,
    }),
    timeout: duration('1s', 'Longest wait for the whole answer.', alias('timeout')),
    http_headers: list([], 'Headers of the client’s handshake that are passed on.'),
    grpc_metadata: list([], 'Metadata of a gRPC client that is passed on.'),
    emulated_headers: list([], 'Headers out of the connect command that are passed on.'),
    binary_encoding: bool(false, 'Pass data as base64, so that it need not be JSON.'),
    include_connection_meta: bool(false, 'Pass the meta of the connection.'),
    http: section('Over HTTP.', {
      tls: tls('TLS to the backend.'),
      static_headers: map('Headers sent with every request.', { secret: true }),
      status_to_code_transforms: objects(
        statusTransforms,
        'What a status other than 200 means to the client; the first row that fits counts.',
      ),
    }),
    grpc: section('Over gRPC.', {
      tls: tls('TLS to the backend.'),
      credentials_key: str('', 'Name of a metadata entry sent with every call.'),
      credentials_value: str('', 'Value of that entry.', { secret: true }),
      compression: bool(false, 'Compress calls with gzip.'),
      static_metadata: map('Metadata sent with every call.', { secret: true }),
    }),
  };
}

/** `proxies` */
export const proxies = objects(
  { name: str('', 'Name that options refer to.'), ...proxyFields() },
  'Proxies by name, for namespaces that need other ones than the default.',
  { served: 'guards' },
);
