import { describe, expect, it } from 'vitest';
import { Position } from './position.ts';

const publication = (offset: number) => ({ data: Buffer.from(String(offset)), offset });
const at = (offset: number, epoch = 'e') => ({ offset, epoch });

function arrived(...offsets: number[]): Position {
  const position = new Position(at(0));
  for (const offset of offsets) position.arrive(at(offset), publication(offset));
  return position;
}

describe('a position', () => {
  it('moves by one, and knows what it has seen', () => {
    const position = new Position(at(3));
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
    expect(position.after(at(1))?.map((p) => p.offset)).toEqual([2, 3]);
    expect(position.after(at(3))).toEqual([]);
    expect(position.after(at(4))).toBeUndefined();
    expect(position.after(at(1, 'f'))).toBeUndefined();
    expect(new Position(at(3)).after(at(2))).toBeUndefined();
  });

  it('[REC2] keeps publications without the epoch that a live one may say', () => {
    const position = new Position(at(0));
    position.arrive(at(1), { ...publication(1), epoch: 'e' });
    expect(position.after(at(0))).toEqual([publication(1)]);
  });

  it('learns what was published last where it has not seen it', () => {
    const position = new Position(at(3));
    position.learn(at(3, 'f'), publication(3));
    position.learn(at(4), publication(4));
    position.learn(at(3), publication(2));
    expect(position.last).toBeUndefined();
    position.learn(at(3), publication(3));
    position.learn(at(3), publication(3));
    expect(position.after(at(2))).toEqual([publication(3)]);
    expect(position.after(at(1))).toBeUndefined();
  });

  it('keeps a bounded tail', () => {
    const position = arrived(...Array.from({ length: 1000 }, (_, i) => i + 1));
    expect(position.after(at(0))).toBeUndefined();
    expect(position.after(at(990))).toHaveLength(10);
    expect(position.last?.offset).toBe(1000);
  });
});
