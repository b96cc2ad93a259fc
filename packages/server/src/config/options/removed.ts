import type { Served } from '../option.ts';

/** Flat keys of older releases that no option has taken over, and what ignoring them would do. */
export const removed: ReadonlyMap<string, Exclude<Served, 'yes'>> = new Map([
  ['granular_proxy_mode', 'guards'],
  ['connect_proxy_name', 'guards'],
  ['refresh_proxy_name', 'guards'],
  ['proxy_http_headers', 'guards'],
  ['proxy_static_http_headers', 'guards'],
  ['proxy_grpc_metadata', 'guards'],
  ['proxy_grpc_cert_file', 'guards'],
  ['proxy_grpc_credentials_key', 'guards'],
  ['proxy_grpc_credentials_value', 'guards'],
  ['proxy_grpc_compression', 'guards'],
  ['proxy_binary_encoding', 'guards'],
  ['proxy_include_connection_meta', 'guards'],
  ['grpc_api_tls_disable', 'later'],
  ['uni_grpc_tls_disable', 'later'],
  ['tls_autocert_force_rsa', 'later'],
  ['gomaxprocs', 'later'],
  ['presence_ttl', 'later'],
]);

/** Keys of releases before flat names had their present meaning, and the options that say it now. */
export const replaced: ReadonlyMap<string, string> = new Map([
  ...['redis_host', 'redis_port', 'redis_url'].map((key) => [key, 'engine.redis.address'] as const),
  ['redis_sentinels', 'engine.redis.sentinel_address'],
  ['redis_master_name', 'engine.redis.sentinel_master_name'],
  ['redis_cluster_addrs', 'engine.redis.cluster_address'],
]);
