import { describe, expect, it } from 'vitest';
import { Position } from './position.ts';
import { TailBudget } from './tail.ts';

const publication = (offset: number) => ({ data: Buffer.from(String(offset)), offset });
const at = (offset: number, epoch = 'e') => ({ offset, epoch });
const kept = { size: 1000, ttlMs: 60_000 };
const budget = new TailBudget(1024 * 1024);
const offsets = (publications: readonly { offset?: number }[] | undefined) =>
  publications?.map(({ offset }) => offset);

function standing(offset: number, limits = budget): Position {
  return new Position(at(offset), limits);
}

function arrived(...seen: number[]): Position {
  const position = standing(0);
  for (const offset of seen) position.arrive(at(offset), publication(offset));
  return position;
}

/** A read of the stream whose top is the last one. */
const page = (top: number, ...seen: number[]) => ({ publications: seen.map(publication), position: at(top) });

describe('a position', () => {
  it('moves by one, and knows what it has seen', () => {
    const position = standing(3);
    expect(position.arrive(at(4), publication(4))).toBe('next');
    expect(position.arrive(at(4), publication(4))).toBe('old');
    expect(position.arrive(at(2), publication(2))).toBe('old');
    expect(position.current).toEqual(at(4));
  });

  it('stays where it is before a gap and before another epoch, until it is told to jump', () => {
    const position = arrived(1, 2);
    expect(position.arrive(at(4), publication(4))).toBe('gap');
    expect(position.arrive(at(1, 'f'), publication(1))).toBe('gap');
    expect(position.current).toEqual(at(2));
    position.jump(at(1, 'f'), publication(1));
    expect(position.current).toEqual(at(1, 'f'));
    expect(position.last?.offset).toBe(1);
  });

  it('gives what came after an offset, when it has all of it', () => {
    const position = arrived(1, 2, 3);
    expect(offsets(position.after(at(1)))).toEqual([2, 3]);
    expect(position.after(at(3))).toEqual([]);
    expect(position.after(at(4))).toBeUndefined();
    expect(position.after(at(1, 'f'))).toBeUndefined();
    expect(standing(3).after(at(2))).toBeUndefined();
  });

  it('gives nothing that the stream has forgotten', () => {
    const position = arrived(1, 2, 3);
    expect(offsets(position.missed(at(1), kept))).toEqual([2, 3]);
    expect(position.missed(at(1), { ...kept, size: 1 })).toBeUndefined();
    expect(position.missed(at(1), { ...kept, ttlMs: 0 })).toBeUndefined();
    expect(position.missed(at(3), { ...kept, ttlMs: 0 })).toEqual([]);
    position.forget();
    expect(position.missed(at(2), kept)).toBeUndefined();
    expect(position.missed(at(3), kept)).toEqual([]);
    expect(position.newest(kept)).toEqual({ publications: [], position: at(3) });
  });

  it('[REC2] keeps publications without the epoch that a live one may say', () => {
    const position = standing(0);
    position.arrive(at(1), { ...publication(1), epoch: 'e' });
    expect(position.last).not.toHaveProperty('epoch');
  });

  it('learns from a read what goes on into what it has', () => {
    const position = standing(3);
    position.learn({ ...page(3, 2, 3), position: at(3, 'f') }, 1, kept);
    position.learn(page(4, 4), 3, kept);
    position.learn(page(3, 1, 2), 0, kept);
    expect(position.last).toBeUndefined();
    position.learn(page(3, 3), 2, kept);
    position.learn(page(3, 2, 3), 1, kept);
    expect(offsets(position.after(at(1)))).toEqual([2, 3]);
    expect(position.after(at(0))).toBeUndefined();
    expect(position.missed(at(1), kept)).toHaveLength(2);
  });

  it('does not give what it has read for longer than the stream has it', () => {
    const position = standing(3);
    position.learn({ ...page(3, 2, 3), remainingMs: 0 }, 1, kept);
    expect(position.missed(at(1), kept)).toBeUndefined();
    expect(offsets(position.after(at(1)))).toEqual([2, 3]);
  });

  it('knows without another look what cannot be had', () => {
    const position = arrived(1, 2, 3, 4, 5);
    expect(position.lacks(at(1), 10)).toBe(false);
    expect(position.lacks(at(1), 3)).toBe(true);
    position.learn(page(5, 4, 5), 1, kept);
    expect(position.lacks(at(2), 10)).toBe(true);
    expect(position.lacks(at(3), 10)).toBe(false);
    expect(position.lacks(at(7, 'f'), 10)).toBe(false);
    position.estrange(at(7, 'f'));
    expect(position.lacks(at(7, 'f'), 10)).toBe(true);
    expect(position.lacks(at(6, 'f'), 10)).toBe(false);
    position.adopt('g');
    expect(position.lacks(at(7, 'f'), 10)).toBe(false);
  });

  it('gives what came after an offset of the epoch before, where the stream went on from there', () => {
    const position = arrived(1, 2, 3);
    position.adopt('f');
    position.arrive(at(4, 'f'), publication(4));
    expect(offsets(position.after(at(2)))).toEqual([3, 4]);
    expect(offsets(position.after(at(3)))).toEqual([4]);
    expect(offsets(position.after(at(3, 'f')))).toEqual([4]);
    // That one had another publication there.
    expect(position.after(at(4))).toBeUndefined();
    position.jump(at(9, 'g'), publication(9));
    expect(position.after(at(4, 'f'))).toBeUndefined();
    position.jump(at(3, 'h'), publication(3));
    position.arrive(at(4, 'h'), publication(4));
    expect(position.after(at(3))).toBeUndefined();
  });

  it('keeps a bounded tail', () => {
    const position = arrived(...Array.from({ length: 2000 }, (_, i) => i + 1));
    expect(position.after(at(0))).toBeUndefined();
    expect(position.after(at(1990))).toHaveLength(10);
    expect(position.last?.offset).toBe(2000);
    const own = new TailBudget(1024 * 1024);
    const large = standing(0, own);
    for (let i = 1; i <= 5; i++) large.arrive(at(i), { data: Buffer.alloc(200_000), offset: i });
    expect(large.after(at(3))).toBeUndefined();
    expect(large.after(at(4))).toHaveLength(1);
    expect(own.bytes).toBe(200_200);
  });

  it('shares a budget with all others: those go that were used longest ago', () => {
    const small = new TailBudget(3000);
    const [first, second, third] = [standing(0, small), standing(0, small), standing(0, small)];
    const publish = (position: Position, offset: number) =>
      position.arrive(at(offset), { data: Buffer.alloc(800), offset });
    publish(first, 1);
    publish(second, 1);
    publish(first, 2);
    expect(small.bytes).toBe(3000);
    publish(third, 1);
    expect(second.last).toBeUndefined();
    expect([first.last?.offset, third.last?.offset]).toEqual([2, 1]);
    for (const position of [first, second, third]) position.drop();
    expect(small.bytes).toBe(0);
  });

  it('does not keep alive what a payload came with', () => {
    const position = standing(0);
    position.arrive(at(1), { data: Buffer.alloc(64 * 1024).subarray(10, 20), offset: 1 });
    expect(position.last?.data.buffer.byteLength).toBe(10);
  });
});
