import { describe, expect, it } from 'vitest';
import { kept, refusal, rejected, saying, useStage } from './stage.ts';
import type { BrokerContract } from './stage.ts';

/** What is left after `close`: nothing. */
export function closingContract(contract: BrokerContract): void {
  describe('closing', () => {
    const stage = useStage(contract);

    it('may happen twice, at once too', async () => {
      const { broker } = await stage.node();
      await broker.subscribe('c');
      await broker.publish('c', saying('1'), { history: kept, idempotencyKey: 'k' });
      await expect(Promise.all([broker.close(), broker.close()])).resolves.toBeDefined();
      await expect(broker.close()).resolves.toBeUndefined();
    });

    it('settles calls that were made before, and tells nothing any more', async () => {
      const { broker, events } = await stage.node();
      await broker.subscribe('c');
      const pending = Array.from({ length: 20 }, (_, i) =>
        broker.publish('c', saying(`${i}`), { history: kept }),
      );
      const refusals = rejected(pending);
      await broker.close();
      const told = events.publications.length;
      for (const reason of await refusals) expect(reason).toEqual(refusal(100));
      expect(events.publications).toHaveLength(told);
    });

    it('refuses what comes later with 100', async () => {
      const { broker } = await stage.node();
      await broker.close();
      const calls = [
        () => broker.publish('c', saying('1'), {}),
        () => broker.publish('c', saying('1'), { history: kept, idempotencyKey: 'k' }),
        () => broker.announce('c', 'join', { user: 'u', client: 'c' }),
        () => broker.subscribe('c'),
        () => broker.unsubscribe('c'),
        () => broker.history('c', { limit: 0 }, kept),
        () => broker.positions(['c']),
        () => broker.removeHistory('c'),
      ];
      for (const call of calls) await expect(call()).rejects.toEqual(refusal(100));
    });
  });
}
