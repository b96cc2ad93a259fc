import { afterAll, beforeAll } from 'vitest';
import { freshPrefix, startCluster, startRedis, startSentinel, testRedis } from '@gyre/redis/testing';
import type { TestRedis } from '@gyre/redis/testing';
import { presenceManagerContract } from '../contract.ts';
import type { PresenceManagerStore } from '../contract.ts';
import { startNode } from './stage.testing.ts';
import type { StageNode } from './stage.testing.ts';

const servers: TestRedis[] = [];
let standalone = '';
let shards: readonly string[] = [];
let sentinel: TestRedis;
let cluster: TestRedis;

beforeAll(async () => {
  const [one, two] = await Promise.all([testRedis(), startRedis()]);
  sentinel = await startSentinel();
  cluster = await startCluster();
  standalone = one.url;
  shards = [one.url, two.url];
  servers.push(one, two, sentinel, cluster);
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

function store(address: () => string | readonly string[]): PresenceManagerStore {
  const prefix = freshPrefix();
  const nodes: StageNode[] = [];
  return {
    node: async () => {
      const node = await startNode(address(), prefix);
      nodes.push(node);
      return node.manager;
    },
    close: async () => {
      for (const node of nodes) {
        await node.close();
        if (node.errors.length > 0) throw new AggregateError(node.errors, 'errors of a node');
      }
    },
  };
}

presenceManagerContract('Redis presence manager, one server', {
  create: () => store(() => standalone),
  can: { severalNodes: true },
});

presenceManagerContract('Redis presence manager, two shards', {
  create: () => store(() => shards),
  can: { severalNodes: true },
});

presenceManagerContract('Redis presence manager, Sentinel', {
  create: () => store(() => sentinel.url),
  can: { severalNodes: true },
});

presenceManagerContract('Redis presence manager, Cluster', {
  create: () => store(() => cluster.url),
  can: { severalNodes: true },
});
