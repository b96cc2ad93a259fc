/** A configuration as it stands in a file. */
export interface ConfigFile {
  readonly [key: string]: unknown;
}

/** Where a server with a configuration is reached, and with what. */
export interface Addresses {
  readonly port: number;
  /** Of the external listener. */
  readonly url: string;
  readonly wsUrl: string;
  /** Of the internal listener, where there is one. */
  readonly internalUrl: string;
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly tokenSecret: string;
}

/** What a test does not say: loopback, keys, no time spent on closing connections gently. */
const ownConfig = {
  http_server: { address: '127.0.0.1', port: 0, internal_port: '', tls: { enabled: false } },
  http_api: { key: 'api-key-of-the-tests' },
  client: { token: { hmac_secret_key: 'token-secret-of-the-tests' } },
  shutdown: { ready_wait: '0s', drain_time: '0s' },
};

/** The harness's own configuration with a test's put over it. */
export function configure(port: number, config: ConfigFile): { config: ConfigFile; addresses: Addresses } {
  const merged = merge(merge(ownConfig, { http_server: { port } }), config);
  const { http_server: server, http_api: api, client } = merged;
  const s = server.tls.enabled ? 's' : '';
  const internalUrl = `http${s}://127.0.0.1:${server.internal_port || port}`;
  return {
    config: merged,
    addresses: {
      port,
      url: `http${s}://127.0.0.1:${port}`,
      wsUrl: `ws${s}://127.0.0.1:${port}/connection/websocket`,
      internalUrl,
      apiUrl: `${internalUrl}/api`,
      apiKey: api.key,
      tokenSecret: client.token.hmac_secret_key,
    },
  };
}

/** Objects are merged, everything else is replaced. */
export function merge<T extends ConfigFile>(below: T, above: ConfigFile): T {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = merged[key];
    merged[key] = isObject(under) && isObject(value) ? merge(under, value) : value;
  }
  return merged as T;
}

function isObject(value: unknown): value is ConfigFile {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
