import { bool, choice, int, port, section, str } from '../option.ts';
import { tls } from './tls.ts';

const errorMode = () =>
  choice(['', 'transport'], '', 'How errors are told: in the answer, or with `transport` by its status.');

/** `http_api` */
export const httpApi = section(
  'The server API over HTTP.',
  {
    key: str('', 'Key that callers show; without it, and without `insecure`, none is let in.', {
      secret: true,
    }),
    insecure: bool(false, 'Let callers in without a key.'),
    external: bool(false, 'Serve it on the external listener.'),
    handler_prefix: str('/api', 'Path that it is served under.'),
    error_mode: errorMode(),
    max_request_size: int(32 * 1024 * 1024, 'Bytes that the body of a request may have.', { alias: [] }),
    disabled: bool(false, 'Do not serve it.', { alias: ['api_disable'] }),
  },
  { flat: 'api' },
);

/** `grpc_api` */
export const grpcApi = section(
  'The server API over gRPC.',
  {
    enabled: bool(false, 'Serve it.', { alias: ['grpc_api'] }),
    address: str('', 'Address of its listener; empty is every interface.'),
    port: port(10_000, 'Port of its listener.'),
    key: str('', 'Key that callers show; empty lets all in.', { secret: true }),
    // What is left out is of those who connect, not of those who listen.
    tls: tls('TLS of its listener.', {
      flat: 'grpc_api_tls',
      served: 'yes',
      servedRest: 'later',
      servedClientCa: 'yes',
    }),
    error_mode: errorMode(),
    reflection: bool(false, 'Let callers ask what methods there are.'),
    max_receive_message_size: int(0, 'Bytes that a request may have; 0 is 4 MiB.'),
  },
  { flat: 'grpc_api' },
);
