import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { backoff } from './connect.ts';
import type { ErrorLog } from './error-log.ts';

/** What a server says of itself when it is connected to. */
export interface ServerInfo {
  /** `host:port` that was connected to, or a path. */
  readonly address: string;
  /** One for each start of a Redis process; "" where it is hidden. */
  readonly runId: string;
  /** Messages of a channel stay on the master of its slot: Redis 7 and Valkey, where they are a Cluster. */
  readonly shardedPubSub: boolean;
}

/**
 * Finds out whether a server is one to work with, each time that a client has connected. Where it is not, the log says
 * why, and the connection is broken to be made again: after a while, which is longer each time.
 */
export class Greeting {
  readonly #client: Redis;
  readonly #errors: ErrorLog;
  readonly #isReplica: () => void;
  #refusals = 0;
  #breakNow: (() => void) | undefined;

  /** @param isReplica called when the server turns out to be no master */
  constructor(client: Redis, errors: ErrorLog, isReplica: () => void) {
    this.#client = client;
    this.#errors = errors;
    this.#isReplica = isReplica;
  }

  /** The first thing that a connection is used for. @returns undefined where it is of no use */
  async greet(): Promise<ServerInfo | undefined> {
    const client = this.#client;
    const { stream } = client;
    const address = addressOf(client);
    try {
      const { isReplica, ...info } = await ask(client);
      if (stream !== client.stream || client.status !== 'ready') return undefined;
      if (isReplica) {
        this.#isReplica();
        throw new Error(`${address} is a read-only replica`);
      }
      this.#refusals = 0;
      return { address, ...info };
    } catch (error) {
      this.#errors.warn('Redis cannot be used', error);
      this.#breakLater(stream);
      return undefined;
    }
  }

  /** Does not wait any longer to break what is of no use: another connection has found a server that is. */
  hurry(): void {
    this.#breakNow?.();
  }

  #breakLater(stream: Redis['stream']): void {
    const over = (): void => {
      clearTimeout(timer);
      this.#breakNow = undefined;
      stream.destroy();
    };
    const timer = setTimeout(over, backoff(++this.#refusals)).unref();
    this.#breakNow = over;
  }
}

/** @throws where the server refuses the database, or to say what it is */
async function ask(client: Redis): Promise<Omit<ServerInfo, 'address'> & { readonly isReplica: boolean }> {
  const { db = 0 } = client.options;
  const [server, replication] = await Promise.all([
    section(client, 'server'),
    section(client, 'replication'),
    // The library goes on where it is refused, and would work with database 0.
    db === 0 ? undefined : client.select(db),
  ]);
  // Valkey, which says 7 where it is asked for the version of Redis, has another name for it.
  const mode = field(server, 'redis_mode') || field(server, 'server_mode');
  return {
    runId: field(server, 'run_id'),
    shardedPubSub: mode === 'cluster' && Number.parseInt(field(server, 'redis_version'), 10) >= 7,
    // Who is a master in a Cluster is asked of all its nodes.
    isReplica:
      mode !== 'cluster' &&
      field(replication, 'role') === 'slave' &&
      field(replication, 'slave_read_only') !== '0',
  };
}

/** "" for a user who may not read it, as with a proxy that hides it. */
async function section(client: Redis, name: string): Promise<string> {
  try {
    return await client.info(name);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOPERM')) return '';
    throw error;
  }
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(text)?.[1] ?? '';
}

/** Where a connected client is connected to. */
function addressOf({ options, stream }: Redis): string {
  if (options.path) return options.path;
  // A socket of Node.js is all that the library connects by.
  const { remoteAddress = options.host, remotePort = options.port } = stream as Socket;
  return `${remoteAddress?.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}
