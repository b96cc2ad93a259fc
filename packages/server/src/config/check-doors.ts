import type { Say } from './findings.ts';
import type { Config } from './schema.ts';

/** Warns of each switch that leaves a door open on an address that others can reach. */
export function checkDoors(config: Config, warn: Say): void {
  const { address, internal_address, internal_port } = config.http_server;
  const internal = internal_port === '' ? address : internal_address || address;
  const open = (path: string, at: string, what: string) => {
    if (!isLoopback(at))
      warn(path, `${what}, and ${at === '' ? 'every interface' : at} is not only this machine`);
  };
  if (config.client.insecure) open('client.insecure', address, 'clients may do everything without a token');
  if (config.client.insecure_skip_token_signature_verify) {
    open('client.insecure_skip_token_signature_verify', address, 'anybody can make a token that is believed');
  }
  if (config.http_api.insecure && !config.http_api.disabled) {
    open('http_api.insecure', config.http_api.external ? address : internal, 'the server API needs no key');
  }
  const grpc = config.grpc_api;
  const certified = grpc.tls.enabled && grpc.tls.client_ca_pem !== '';
  if (grpc.enabled && grpc.key === '' && !certified) {
    open('grpc_api.key', grpc.address, 'the server API over gRPC needs no key');
  }
}

/** Whether every door is shut: what a server is that was given a port and no keys. */
export function isLocked({ client, http_api: http, grpc_api: grpc }: Config): boolean {
  if (grpc.enabled || (!http.disabled && (http.key !== '' || http.insecure))) return false;
  const { token } = client;
  const keys = [
    token.hmac_secret_key,
    token.rsa_public_key,
    token.ecdsa_public_key,
    token.jwks_public_endpoint,
    client.user_id_http_header,
  ];
  if (keys.some((key) => key !== '')) return false;
  const anybody = client.insecure || client.insecure_skip_token_signature_verify;
  return !anybody && !client.allow_anonymous_connect_without_token;
}

/** Whether only this machine reaches an address. */
export function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(bare);
}
