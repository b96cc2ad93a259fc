import { afterAll, beforeAll } from 'vitest';
import { freshPrefix, startCluster, startRedis, startSentinel, testRedis } from '@gyre/redis/testing';
import type { TestRedis } from '@gyre/redis/testing';
import { controlBusContract } from '../control-contract.ts';
import type { ControlBusStore } from '../control-contract.ts';
import { makeNode } from './stage.testing.ts';
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

function store(address: () => string | readonly string[]): ControlBusStore {
  const prefix = freshPrefix();
  const nodes: StageNode[] = [];
  return {
    node: async (name) => {
      const node = await makeNode(address(), prefix, name);
      nodes.push(node);
      return node.bus;
    },
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

controlBusContract('Redis control bus, one server', {
  create: () => store(() => standalone),
  can: { severalNodes: true },
});

controlBusContract('Redis control bus, two shards', {
  create: () => store(() => shards),
  can: { severalNodes: true },
});

controlBusContract('Redis control bus, Sentinel', {
  create: () => store(() => sentinel.url),
  can: { severalNodes: true },
});

controlBusContract('Redis control bus, Cluster', {
  create: () => store(() => cluster.url),
  can: { severalNodes: true },
});
