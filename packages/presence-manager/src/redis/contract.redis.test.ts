import { afterAll, beforeAll, describe } from 'vitest';
import { freshPrefix, topologies } from '@gyre/redis/testing';
import type { TestRedis } from '@gyre/redis/testing';
import { presenceManagerContract } from '../contract.ts';
import type { PresenceManagerStore } from '../contract.ts';
import { startNode } from './stage.testing.ts';
import type { StageNode } from './stage.testing.ts';

function store(address: readonly string[]): PresenceManagerStore {
  const prefix = freshPrefix();
  const nodes: StageNode[] = [];
  return {
    node: async () => {
      const node = await startNode(address, prefix);
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

describe.each(topologies)('on %s', (name, start) => {
  let servers: readonly TestRedis[] = [];
  beforeAll(async () => {
    servers = await start();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
  });

  presenceManagerContract(`Redis presence manager on ${name}`, {
    create: () => store(servers.map(({ url }) => url)),
    can: { severalNodes: true },
  });
});
