import type { RedisOptions, TlsOptions } from '@gyre/redis';
import type { Config } from '../config/schema.ts';
import { pemText } from '../pem.ts';

type TlsSection = Config['engine']['redis']['tls'];

/**
 * How Redis is reached, with what TLS is spoken with.
 * @param node its name, which connections are called after unless they have one of their own
 * @throws Error that names the option which is no PEM and no file
 */
export function redisOptions(
  { tls, sentinel_tls: sentinelTls, ...section }: Config['engine']['redis'],
  node: string,
): RedisOptions {
  return {
    ...section,
    // Without what Redis does not take in a name.
    client_name: section.client_name || `gyre-${node.replaceAll(/[^!-~]/g, '_')}`,
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
