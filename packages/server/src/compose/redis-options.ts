import type { RedisOptions, TlsOptions } from '@gyre/redis';
import type { Config } from '../config/schema.ts';
import { pemText } from '../pem.ts';

type TlsSection = Config['engine']['redis']['tls'];

/**
 * How Redis is reached, with what TLS is spoken with.
 * @throws Error that names the option which is no PEM and no file
 */
export function redisOptions({
  tls,
  sentinel_tls: sentinelTls,
  ...section
}: Config['engine']['redis']): RedisOptions {
  return {
    ...section,
    ...(tls.enabled ? { tls: tlsOptions(tls, 'engine.redis.tls') } : {}),
    ...(sentinelTls.enabled ? { sentinel_tls: tlsOptions(sentinelTls, 'engine.redis.sentinel_tls') } : {}),
  };
}

function tlsOptions(section: TlsSection, path: string): TlsOptions {
  const pem = (key: 'server_ca_pem' | 'cert_pem' | 'key_pem', name: 'ca' | 'cert' | 'key') =>
    section[key] === '' ? {} : { [name]: pemText(section[key], `${path}.${key}`) };
  return {
    ...pem('server_ca_pem', 'ca'),
    ...pem('cert_pem', 'cert'),
    ...pem('key_pem', 'key'),
    ...(section.server_name === '' ? {} : { servername: section.server_name }),
    ...(section.insecure_skip_verify ? { rejectUnauthorized: false } : {}),
  };
}
