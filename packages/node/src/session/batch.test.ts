import { jsonCodec } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { Batch } from './batch.ts';

const message = (text: string) => Buffer.from(`${text}\n`);
const frames = (batch: Batch) => batch.frames(jsonCodec).map((frame) => Buffer.from(frame).toString());

describe('a batch', () => {
  it('holds messages in order and joins them', () => {
    const batch = new Batch().with(message('a')).with(message('b')).with(message('c'));
    expect(frames(batch)).toEqual(['a\nb\nc']);
    expect(batch.bytes).toBe(6);
  });

  it('is one object, and one frame, for all who were given the same', () => {
    const empty = new Batch();
    const [a, b] = [message('a'), message('b')];
    const first = empty.with(a).with(b);
    const second = empty.with(a).with(b);
    expect(second).toBe(first);
    expect(second.frames(jsonCodec)[0]).toBe(first.frames(jsonCodec)[0]);
  });

  it('parts where the messages differ', () => {
    const empty = new Batch();
    const a = message('a');
    const own = empty.with(message('reply')).with(a);
    const shared = empty.with(a);
    expect(frames(own)).toEqual(['reply\na']);
    expect(frames(shared)).toEqual(['a']);
  });

  it('cuts frames at 64 KiB, lets a larger message go alone, loses nothing', () => {
    const sizes = [10, 40_000, 30_000, 100_000, 5, 5, 65_000, 600];
    const texts = sizes.map((size, i) => String(i).repeat(size));
    const batch = texts.reduce((sequence, text) => sequence.with(message(text)), new Batch());
    const cut = frames(batch);
    expect(cut.join('\n')).toBe(texts.join('\n'));
    expect(cut.map((frame) => frame.split('\n').length)).toEqual([2, 1, 1, 3, 1]);
    for (const frame of cut) expect(frame.includes('\n') && frame.length > 64 * 1024).toBe(false);
  });
});
