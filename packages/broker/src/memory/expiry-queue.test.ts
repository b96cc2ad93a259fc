import { describe, expect, it } from 'vitest';
import { generator } from '../contract/random.ts';
import { ExpiryQueue } from './expiry-queue.ts';
import type { Expiring } from './expiry-queue.ts';

interface Item extends Expiring {
  readonly name: number;
  end: number;
}

describe('ExpiryQueue', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  it(`ends each thing when its time has come, as far as it may look (seed ${seed})`, () => {
    const random = generator(seed);
    const queue = new ExpiryQueue<Item>();
    const alive = new Set<Item>();
    for (let now = 0, made = 0; now < 3000; now++) {
      for (let i = random(4); i > 0; i--) {
        const item = { name: made++, end: now + 1 + random(200), lookAt: 0, slot: -1 };
        alive.add(item);
        queue.schedule(item, item.end);
      }
      // Ends move, to earlier and to later.
      for (const item of alive) {
        if (random(20) !== 0) continue;
        item.end = now + 1 + random(200);
        queue.schedule(item, item.end);
      }
      expect(queue.size).toBe(alive.size);
      const due = [...alive].filter(({ lookAt }) => lookAt <= now).length;
      const limit = random(6);
      let looked = 0;
      const more = queue.sweep(now, limit, (item) => {
        looked++;
        if (item.end > now) return item.end;
        alive.delete(item);
        return undefined;
      });
      expect([now, looked, more]).toEqual([now, Math.min(due, limit), due > limit]);
      while (queue.sweep(now, 100, (item) => (item.end > now ? item.end : void alive.delete(item))));
      expect([...alive].filter(({ end }) => end <= now)).toEqual([]);
    }
    const left = alive.size;
    expect(queue.sweep(Infinity, left, (item) => void alive.delete(item))).toBe(false);
    expect([queue.size, alive.size]).toEqual([0, 0]);
  });
});
