import type { Broker, ControlBus } from '@gyre/broker';
import { memoryBroker, memoryControlBus } from '@gyre/broker/memory';
import type { PresenceManager } from '@gyre/presence-manager';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import type { Config } from '../config/schema.ts';
import type { Logger } from '../logger.ts';
import { counted, type Asked } from '../metrics/counted.ts';
import type { RedisSource } from '../metrics/redis-rows.ts';
import type { Values } from '../metrics/row.ts';
import { Peers } from './peers.ts';
import { redisOptions } from './redis-options.ts';
import { RedisTimes } from './redis-source.ts';

/** What a node stands on. */
export interface Engines {
  readonly broker: Broker;
  readonly presence: PresenceManager;
  readonly control: ControlBus;
  /** Publications of other nodes are known to arrive, by one Redis at least. */
  verified(): boolean;
  /**
   * Whether the other nodes count on this one. `late`: they do not, and it has not heard yet what they said meanwhile.
   * `away`: no Redis answers that it could hear them by.
   */
  standing(): 'current' | 'late' | 'away';
  /** Nodes that were alive when it was last asked, this one included. */
  nodes(): number;
  /** Those of them that did not answer. */
  missingNodes(): number;
  /** Publications that were answered and not published, by why. */
  readonly suppressed: Values;
  /** What metrics tell of Redis, where there is one. */
  redis(): RedisSource | undefined;
  close(): Promise<void>;
}

/** What the engines ask of everybody else. */
export interface EngineNeeds {
  readonly config: Config;
  readonly uid: string;
  /** What this node is called where it does not answer. */
  readonly name: string;
  /** Subscribers of the channel are told who comes and goes. */
  readonly joinLeave: (channel: string) => boolean;
  readonly log: Logger;
}

/** Milliseconds after which what other nodes publish is not known to arrive any more: three beacons missed. */
const VERIFIED = 4000;
/** Milliseconds between two counts of the nodes, which are for metrics and the log only. */
const COUNT = 5000;

/** Makes the engines that the configuration names, connected and ready. */
export async function openEngines(needs: EngineNeeds): Promise<Engines & { readonly asked: Asked }> {
  return counted(needs.config.engine.type === 'redis' ? await redisEngines(needs) : memoryEngines());
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
    standing: () => 'current',
    nodes: () => 1,
    missingNodes: () => 0,
    suppressed: broker.stats.suppressed,
    redis: () => undefined,
    async close() {
      await control.close();
      await broker.close();
      await presence.close();
    },
  };
}

/** Loaded where it is wanted only. */
async function redisEngines({ config, uid, name, joinLeave, log }: EngineNeeds): Promise<Engines> {
  const [
    { openRedis, openLeases, tellFailures },
    { redisBroker },
    { redisControlBus },
    { redisPresenceManager },
  ] = await Promise.all([
    import('@gyre/redis'),
    import('@gyre/broker/redis'),
    import('@gyre/broker/redis-control'),
    import('@gyre/presence-manager/redis'),
  ]);
  const failing = tellFailures(log);
  const times = new RedisTimes();
  const redis = openRedis(redisOptions(config.engine.redis, name), log, (shard) => times.watch(shard));
  await redis.start();
  const leases = openLeases(redis, { onError: failing('the lease of this node on Redis is not renewed') });
  const [first, ...others] = leases;
  if (first === undefined) throw new Error('engine.redis.address: names no Redis');
  const { durability } = config.engine.redis;
  const broker = redisBroker(redis, {
    log,
    onError: failing('what came from Redis is not handled'),
    durability,
  });
  const presence = redisPresenceManager({
    redis,
    leases,
    announce: (event, channel, info) =>
      joinLeave(channel) ? broker.announcement(channel, event, info) : undefined,
    onError: failing('presence on Redis is not brought up to date'),
  });
  const control = redisControlBus({
    prefix: redis.prefix,
    lease: first,
    name,
    onError: failing('commands of other nodes are not read from Redis'),
  });
  for (const lease of leases) await lease.start();
  const census = countNodes(control, new Peers(uid, log));
  return {
    broker,
    presence,
    control,
    // Redis takes publications also where it takes no writes, which the lease is.
    verified: () =>
      leases.some(({ shard, standing }) => shard.verifiedAge() < VERIFIED && standing !== 'away'),
    standing: () => {
      // What is said to all nodes goes by the first Redis. Where that is down nothing is said, and the others serve.
      const elsewhere = (): boolean => others.some(({ shard }) => shard.verifiedAge() < VERIFIED);
      return first.standing === 'away' && elsewhere() ? 'current' : first.standing;
    },
    nodes: census.nodes,
    missingNodes: census.missing,
    suppressed: broker.stats.suppressed,
    redis: () => times.source({ redis, leases, broker, presence, control }),
    async close() {
      census.stop();
      await control.close();
      await presence.close();
      const { members, owed } = presence.gauges();
      const notForgotten = failing('the lease of this node on Redis is not given back');
      for (const lease of leases) {
        await lease.close();
        // Off the list at once, unless it leaves something that others have to clear up after it.
        if (members + owed === 0 && lease.holder !== '') await lease.forget(lease.holder).catch(notForgotten);
      }
      await broker.close();
      await redis.close();
    },
  };
}

/** Asks now and then which nodes there are, for metrics and for the log. */
function countNodes(
  control: ControlBus,
  peers: Peers,
): { nodes: () => number; missing: () => number; stop: () => void } {
  let nodes = 1;
  let missing = 0;
  const timer = setInterval(() => {
    control.survey('info', {}).then(
      ({ answers, missingNodes }) => {
        peers.seen({ answers, missingNodes });
        missing = missingNodes.length;
        nodes = answers.length + missing;
      },
      // What cannot be asked now is asked the next time; `/ready` and the log tell of it.
      () => undefined,
    );
  }, COUNT);
  return { nodes: () => nodes, missing: () => missing, stop: () => clearInterval(timer) };
}
