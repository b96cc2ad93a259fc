/** What TLS to a server is spoken with, as PEM texts. */
export interface TlsOptions {
  /** Authorities in place of those that Node.js trusts. */
  readonly ca?: string;
  /** Own certificate and key, for servers that ask for them. */
  readonly cert?: string;
  readonly key?: string;
  /** Name that the server's certificate must carry, in place of its host. */
  readonly servername?: string;
  /** false: the server's certificate is not checked. */
  readonly rejectUnauthorized?: boolean;
}

/** How to reach Redis: the names of the configuration's Redis sections. Times are milliseconds. */
export interface RedisOptions {
  /** Several are independent shards. `host:port`, a path, or an address with a scheme, see {@link parseShards}. */
  readonly address: readonly string[];
  /** Each is a Cluster and a shard: nodes to begin with, separated by commas. In place of `address` where not empty. */
  readonly cluster_address: readonly string[];
  /** Each is a shard: its Sentinels, separated by commas. In place of `address` where not empty. */
  readonly sentinel_address: readonly string[];
  readonly sentinel_master_name: string;
  readonly sentinel_user: string;
  readonly sentinel_password: string;
  readonly user: string;
  readonly password: string;
  readonly db: number;
  /** Name of the connections, "" for none. */
  readonly client_name: string;
  readonly force_resp2: boolean;
  readonly connect_timeout: number;
  /** Longest wait for an answer. */
  readonly io_timeout: number;
  /** Start of every key and bus channel; no braces. */
  readonly prefix: string;
  /** Present: TLS to Redis. `rediss://` is TLS too, with these options where there are any. */
  readonly tls?: TlsOptions;
  /** Present: TLS to Sentinels. */
  readonly sentinel_tls?: TlsOptions;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One shard, as its address says. */
export type ShardAddress = {
  readonly user: string;
  readonly password: string;
  readonly db: number;
  readonly tls?: TlsOptions;
} & (
  | { readonly kind: 'server'; readonly endpoint: Endpoint | { readonly path: string } }
  | {
      readonly kind: 'sentinel';
      readonly master: string;
      readonly sentinels: readonly Endpoint[];
      readonly sentinelUser: string;
      readonly sentinelPassword: string;
      readonly sentinelTls?: TlsOptions;
    }
  | { readonly kind: 'cluster'; readonly seeds: readonly Endpoint[] }
);

/**
 * The shards that the options name. Addresses with a scheme:
 * - `redis://user:password@host:port/db`, `rediss://` for TLS; `unix:///path`
 * - `redis+sentinel://host:port?sentinel_master_name=name&addr=host:port&sentinel_user=&sentinel_password=`
 * - `redis+cluster://host:port?addr=host:port`
 *
 * User, password and database of an address stand above the options.
 * @throws Error that says which address cannot be used and why, without user and password
 */
export function parseShards(options: RedisOptions): ShardAddress[] {
  if (/[{}]/.test(options.prefix)) throw new Error('a prefix of Redis keys has no braces');
  const shards =
    options.cluster_address.length > 0
      ? options.cluster_address.map((item) => cluster(options, item.split(',').map(endpoint)))
      : options.sentinel_address.length > 0
        ? options.sentinel_address.map((item) => sentinel(options, item.split(',').map(sentinelEndpoint)))
        : options.address.map((item) => parseAddress(options, item));
  if (shards.length === 0) throw new Error('no address of Redis');
  return shards;
}

/** Where a shard is, for logs: no user, no password. */
export function shardName(shard: ShardAddress): string {
  const join = (endpoints: readonly Endpoint[]): string =>
    endpoints.map(({ host, port }) => `${host}:${port}`).join(',');
  if (shard.kind === 'cluster') return `cluster ${join(shard.seeds)}`;
  if (shard.kind === 'sentinel') return `sentinel ${join(shard.sentinels)} ${shard.master}`;
  return 'path' in shard.endpoint ? shard.endpoint.path : join([shard.endpoint]);
}

function parseAddress(options: RedisOptions, item: string): ShardAddress {
  if (item.startsWith('/')) return server(options, { path: item });
  if (!item.includes('://')) return server(options, endpoint(item));
  let url: URL;
  try {
    url = new URL(item);
  } catch {
    throw new Error('an address of Redis is no URL');
  }
  const own = credentials(options, url);
  const first = { host: unbracket(url.hostname), port: url.port === '' ? undefined : Number(url.port) };
  const at = (port: number): Endpoint[] => [
    ...(first.host === '' ? [] : [{ host: first.host, port: first.port ?? port }]),
    ...url.searchParams.getAll('addr').map((text) => endpointOr(port, text)),
  ];
  switch (url.protocol) {
    case 'redis:':
    case 'rediss:': {
      only(url, []);
      const tls = url.protocol === 'rediss:' ? { tls: options.tls ?? {} } : {};
      return { ...server(own, { host: first.host || '127.0.0.1', port: first.port ?? 6379 }), ...tls };
    }
    case 'unix:':
      return server(own, { path: decodeURIComponent(url.pathname) });
    case 'redis+sentinel:':
      only(url, ['sentinel_master_name', 'addr', 'sentinel_user', 'sentinel_password']);
      return sentinel({ ...own, ...Object.fromEntries(url.searchParams) }, at(26_379));
    case 'redis+cluster:':
      only(url, ['addr']);
      return cluster(own, at(6379));
    default:
      throw new Error(`${url.protocol}//… is no address of Redis`);
  }
}

/** The options with what the address says of its own. */
function credentials(options: RedisOptions, url: URL): RedisOptions {
  const number = url.pathname.slice(1);
  const database = url.protocol !== 'unix:' && number !== '';
  if (database && !/^\d{1,5}$/.test(number))
    throw new Error(`${url.protocol}//${url.host}: no database ${number}`);
  return {
    ...options,
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(database ? { db: Number(number) } : {}),
  };
}

function only(url: URL, known: readonly string[]): void {
  for (const name of url.searchParams.keys()) {
    if (!known.includes(name)) throw new Error(`${url.protocol}//${url.host}: no parameter ${name}`);
  }
}

function common({ user, password, db, tls }: RedisOptions) {
  return { user, password, db, ...(tls === undefined ? {} : { tls }) };
}

function server(options: RedisOptions, at: Endpoint | { readonly path: string }): ShardAddress {
  return { kind: 'server', ...common(options), endpoint: at };
}

function sentinel(options: RedisOptions, sentinels: readonly Endpoint[]): ShardAddress {
  if (options.sentinel_master_name === '') throw new Error('Sentinels need sentinel_master_name');
  if (sentinels.length === 0) throw new Error('no address of a Sentinel');
  return {
    kind: 'sentinel',
    ...common(options),
    sentinels,
    master: options.sentinel_master_name,
    sentinelUser: options.sentinel_user,
    sentinelPassword: options.sentinel_password,
    ...(options.sentinel_tls === undefined ? {} : { sentinelTls: options.sentinel_tls }),
  };
}

function cluster(options: RedisOptions, seeds: readonly Endpoint[]): ShardAddress {
  if (seeds.length === 0) throw new Error('no address of a Redis Cluster');
  // A Cluster has one database.
  return { kind: 'cluster', ...common(options), db: 0, seeds };
}

/** Of text `host:port`, with a scheme or without; or `host` alone. */
const endpoint = (text: string): Endpoint => endpointOr(6379, text);
const sentinelEndpoint = (text: string): Endpoint => endpointOr(26_379, text);

function endpointOr(defaultPort: number, text: string): Endpoint {
  const [, host = '', port = defaultPort] = /^(?:[a-z+]+:\/\/)?(.*?)(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  if (host === '' || /[@/\s]/.test(host)) throw new Error('an address of Redis is no host:port');
  return { host: unbracket(host), port: Number(port) };
}

const unbracket = (host: string): string => (host.startsWith('[') ? host.slice(1, -1) : host);
