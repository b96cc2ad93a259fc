import { openRedis } from '@gyre/redis';
import type { RedisShards } from '@gyre/redis';
import { freshPrefix, testOptions, topologies } from '@gyre/redis/testing';
import type { TestRedis } from '@gyre/redis/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { brokerContract } from '../contract.ts';
import { redisBroker } from './index.ts';

describe.each(topologies)('on %s', (name, start) => {
  let servers: readonly TestRedis[] = [];
  beforeAll(async () => {
    servers = await start();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });

  brokerContract(`redis broker on ${name}`, {
    create: () => {
      const opened: RedisShards[] = [];
      const options = testOptions(
        servers.map(({ url }) => url),
        { prefix: freshPrefix() },
      );
      return {
        node: async () => {
          const redis = openRedis(options);
          opened.push(redis);
          await redis.start();
          return redisBroker(redis, { onError: () => {} });
        },
        close: async () => {
          await Promise.all(opened.map((redis) => redis.close()));
        },
      };
    },
    can: { severalNodes: true, clock: false },
  });
});
