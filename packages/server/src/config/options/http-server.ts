import { bool, list, port, section, str } from '../option.ts';
import { tls } from './tls.ts';

/** `http_server` */
export const httpServer = section('The listeners for HTTP and WebSocket.', {
  address: str('', 'Address of the external listener; empty is every interface.', { alias: ['address'] }),
  port: port(8000, 'Port of the external listener.', { alias: ['port'] }),
  internal_address: str('', 'Address of the internal listener; empty is that of the external one.', {
    alias: ['internal_address'],
  }),
  internal_port: str(
    '',
    'Port of a listener of its own for API, metrics and health; empty keeps one listener.',
    {
      alias: ['internal_port'],
    },
  ),
  tls: tls('TLS of the listeners.', { flat: 'tls', served: 'yes', servedRest: 'guards' }),
  tls_external: bool(false, 'Speak TLS on the external listener only.', { alias: ['tls_external'] }),
  internal_tls: tls('TLS of the internal listener, in place of `http_server.tls`.', {
    served: 'yes',
    servedRest: 'guards',
  }),
  tls_autocert: section(
    'Certificates from an ACME authority.',
    {
      enabled: bool(false, 'Get certificates by ACME.', { alias: ['tls_autocert'] }),
      host_whitelist: list([], 'Host names that a certificate may be asked for.'),
      cache_dir: str('', 'Directory that certificates are kept in.'),
      email: str('', 'Address that the authority may write to.'),
      server_name: str('', 'Name used where a client names none.'),
      http: bool(false, 'Answer the challenge over plain HTTP.'),
      http_addr: str(':80', 'Address of the listener for the challenge.'),
    },
    { served: 'guards', flat: 'tls_autocert' },
  ),
  h2c_external: bool(false, 'Accept HTTP/2 without TLS on the external listener.', { served: 'later' }),
  http3: section(
    'HTTP/3.',
    { enabled: bool(false, 'Serve HTTP/3 on the external listener.', { alias: ['http3'] }) },
    { served: 'later' },
  ),
});
