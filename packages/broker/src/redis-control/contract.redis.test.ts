import { afterAll, beforeAll, describe } from 'vitest';
import { freshPrefix, topologies } from '@gyre/redis/testing';
import type { TestRedis } from '@gyre/redis/testing';
import { controlBusContract } from '../control-contract.ts';
import type { ControlBusStore } from '../control-contract.ts';
import { makeNode } from './stage.testing.ts';
import type { StageNode } from './stage.testing.ts';

function store(address: readonly string[]): ControlBusStore {
  const prefix = freshPrefix();
  const nodes: StageNode[] = [];
  return {
    node: async (name) => {
      const node = await makeNode(address, prefix, name);
      nodes.push(node);
      return node.bus;
    },
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

describe.each(topologies)('on %s', (name, start) => {
  let servers: readonly TestRedis[] = [];
  beforeAll(async () => {
    servers = await start();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });

  controlBusContract(`Redis control bus on ${name}`, {
    create: () => store(servers.map(({ url }) => url)),
    can: { severalNodes: true },
  });
});
