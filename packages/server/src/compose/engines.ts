import type { Broker, ControlBus } from '@gyre/broker';
import { memoryBroker, memoryControlBus } from '@gyre/broker/memory';
import type { PresenceManager } from '@gyre/presence-manager';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import type { RedisOptions, TlsOptions } from '@gyre/redis';
import type { Config } from '../config/schema.ts';
import type { Logger } from '../logger.ts';
import { pemText } from '../pem.ts';

/** What a node stands on. */
export interface Engines {
  readonly broker: Broker;
  readonly presence: PresenceManager;
  readonly control: ControlBus;
  /** Publications of other nodes are known to arrive. */
  verified(): boolean;
  /** Nodes that were alive when it was last asked, this one included. */
  nodes(): number;
  close(): Promise<void>;
}

/** What the engines ask of everybody else. */
export interface EngineNeeds {
  readonly config: Config;
  /** What this node is called where it does not answer. */
  readonly name: string;
  /** Subscribers of the channel are told who comes and goes. */
  readonly joinLeave: (channel: string) => boolean;
  readonly log: Logger;
}

/** Milliseconds after which what other nodes publish is not known to arrive any more: three beacons missed. */
const VERIFIED = 4000;
/** Milliseconds between two counts of the nodes, which are for metrics only. */
const COUNT = 15_000;

/** Makes the engines that the configuration names, connected and ready. */
export async function openEngines(needs: EngineNeeds): Promise<Engines> {
  return needs.config.engine.type === 'redis' ? redisEngines(needs) : memoryEngines();
}

function memoryEngines(): Engines {
  const broker = memoryBroker();
  const presence = memoryPresenceManager();
  const control = memoryControlBus();
  return {
    broker,
    presence,
    control,
    verified: () => true,
    nodes: () => 1,
    async close() {
      await control.close();
      await broker.close();
      await presence.close();
    },
  };
}

/** Loaded where it is wanted only. */
async function redisEngines({ config, name, joinLeave, log }: EngineNeeds): Promise<Engines> {
  const [{ openRedis, openLeases }, { redisBroker }, { redisControlBus }, { redisPresenceManager }] =
    await Promise.all([
      import('@gyre/redis'),
      import('@gyre/broker/redis'),
      import('@gyre/broker/redis-control'),
      import('@gyre/presence-manager/redis'),
    ]);
  const onError = (error: unknown): void => log.error?.('redis engine', { error });
  const redis = openRedis(redisOptions(config.engine.redis), log);
  await redis.start();
  const leases = openLeases(redis, { onError });
  const [first] = leases;
  if (first === undefined) throw new Error('engine.redis.address: names no Redis');
  const { durability } = config.engine.redis;
  const broker = redisBroker(redis, { log, onError, durability });
  const presence = redisPresenceManager({
    redis,
    leases,
    announce: (event, channel, info) =>
      joinLeave(channel) ? broker.announcement(channel, event, info) : undefined,
    onError,
  });
  const control = redisControlBus({ prefix: redis.prefix, lease: first, name, onError });
  for (const lease of leases) await lease.start();
  let nodes = 1;
  const counting = setInterval(() => {
    control.survey('info', {}).then(
      ({ answers, missingNodes }) => (nodes = answers.length + missingNodes.length),
      // What cannot be asked now is asked the next time; `/ready` and the log tell of it.
      () => undefined,
    );
  }, COUNT);
  return {
    broker,
    presence,
    control,
    verified: () => redis.verifiedAge() < VERIFIED,
    nodes: () => nodes,
    async close() {
      clearInterval(counting);
      await control.close();
      await presence.close();
      for (const lease of leases) await lease.close();
      await broker.close();
      await redis.close();
    },
  };
}

type TlsSection = Config['engine']['redis']['tls'];

function redisOptions({
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
