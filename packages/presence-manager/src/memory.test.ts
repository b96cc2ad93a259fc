import { describe, expect, it } from 'vitest';
import { presenceManagerContract } from './contract.ts';
import { memoryPresenceManager } from './memory.ts';

presenceManagerContract('memory presence manager', {
  create: () => ({ node: () => memoryPresenceManager() }),
  can: { severalNodes: false },
});

describe('memory presence manager', () => {
  it('holds nothing of a channel that everybody left', async () => {
    const manager = memoryPresenceManager();
    for (let i = 0; i < 2000; i++) await manager.add(`c${i % 10}`, { user: `${i % 7}`, client: `${i}` });
    expect(manager.gauges()).toEqual({ channels: 10, members: 2000 });
    for (let i = 0; i < 2000; i++) await manager.remove(`c${i % 10}`, `${i}`);
    expect(manager.gauges()).toEqual({ channels: 0, members: 0 });
  });

  it('lists members in the order in which they came, and takes a cursor of no other making', async () => {
    const manager = memoryPresenceManager();
    for (const client of ['c', 'a', 'b']) await manager.add('c', { user: '', client });
    await manager.add('c', { user: '', client: 'a', chanInfo: Buffer.from('1') });
    expect([...(await manager.members('c')).members.keys()]).toEqual(['c', 'a', 'b']);
    for (const cursor of ['4', '01', '1e0', '0x1', '+1', '0']) {
      await expect(manager.members('c', { limit: 1, cursor })).rejects.toMatchObject({ code: 107 });
    }
  });
});
