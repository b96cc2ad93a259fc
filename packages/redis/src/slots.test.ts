import { describe, expect, it } from 'vitest';
import { crc16, hash, partitions, redisKey, slotOf, tagOf, tags } from './slots.ts';

describe('slots', () => {
  it('are computed as a Cluster does', () => {
    // The check value of CRC16/XMODEM, and slots that `CLUSTER KEYSLOT` gave.
    expect(crc16(Buffer.from('123456789'))).toBe(0x31c3);
    expect(crc16(Buffer.alloc(0))).toBe(0);
    expect(['foo', 'bar', 'größe', '{', 'somekey'].map(slotOf)).toEqual([12182, 5061, 9425, 4092, 11058]);
  });
});

describe('tags', () => {
  it('are different numbers in the order of their slots', () => {
    expect(tags).toHaveLength(partitions);
    expect(new Set(tags).size).toBe(partitions);
    expect(tags.map(slotOf)).toEqual(tags.map(slotOf).toSorted((a, b) => a - b));
    for (const tag of tags) expect(tag).toMatch(/^\d+$/);
  });

  it('never change: they are where everything lies', () => {
    expect(tags.slice(0, 8)).toEqual(['1046', '710', '2710', '9222', '267', '1531', '999', '1822']);
    expect(['', 'a', 'news', 'größe', '😀'].map(tagOf)).toEqual(['9332', '2174', '733', '1864', '2623']);
    expect(hash('news', 1)).toBe(3_116_007_189);
  });

  it.each(Array.from({ length: 64 }, (_, i) => i + 1))('spread evenly over %d masters', (masters) => {
    // Each has a share of the slots that differs by one at most.
    const counts = Array.from({ length: masters }, () => 0);
    for (const tag of tags) {
      const master = Math.floor((slotOf(tag) * masters) / 16_384);
      counts[master] = (counts[master] ?? 0) + 1;
    }
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it('share names evenly', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 128_000; i++) {
      const tag = tagOf(`channel:${i}`);
      counts.set(tag, (counts.get(tag) ?? 0) + 1);
    }
    expect(counts.size).toBe(partitions);
    expect(Math.max(...counts.values())).toBeLessThan(1200);
    expect(Math.min(...counts.values())).toBeGreaterThan(800);
  });
});

describe('keys', () => {
  it('have our tag before anything that a user chose', () => {
    expect(redisKey('p', '7', 's', '{x}:m:y')).toBe('p{7}:s:{x}:m:y');
  });
});
