import { describe, it } from 'vitest';
import { startStage } from './stage.ts';

describe('nodes', { timeout: 180_000 }, () => {
  it('F01 a node is killed, and its clients go elsewhere', async () => {
    const stage = await startStage();
    await stage.run({
      name: 'F01',
      publishOn: [1, 2],
      inject: async () => {
        await stage.nodes[0]!.stop('SIGKILL');
        await stage.startNode(0);
      },
    });
  });
});
