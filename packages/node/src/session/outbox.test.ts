import { jsonCodec } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { newStats } from '../options.ts';
import { MemoryTransport } from '../transports/memory.ts';
import { Flusher, Outbox } from './outbox.ts';

const message = (text: string) => Buffer.from(`${text}\n`);
/** Flushes happen in the check phase; what was set before them has run by then. */
const tick = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

function setUp(limit = 100) {
  const flusher = new Flusher(newStats());
  const open = () => {
    const transport = new MemoryTransport();
    const owner = {
      transport,
      codec: jsonCodec,
      isSlow: false,
      slow: () => void (owner.isSlow = true),
      congested: () => undefined,
    };
    return { transport, owner, outbox: new Outbox(flusher, owner, limit) };
  };
  return { ...open(), open };
}

describe('an outbox', () => {
  it('sends what a tick brought as one frame', async () => {
    const { outbox, transport } = setUp();
    outbox.push(message('a'));
    outbox.answer(message('b'));
    expect(transport.frames).toEqual([]);
    await tick();
    expect(transport.text()).toEqual(['a\nb']);
    outbox.push(message('c'));
    await tick();
    expect(transport.text()).toEqual(['a\nb', 'c']);
  });

  it('shares the frame with every connection that is sent the same', async () => {
    const { open } = setUp();
    const connections = Array.from({ length: 200 }, open);
    for (const text of ['a', 'b', 'c']) {
      const shared = message(text);
      for (const { outbox } of connections) outbox.push(shared);
    }
    await tick();
    const frames = new Set(connections.flatMap(({ transport }) => transport.frames));
    expect(frames.size).toBe(1);
    expect(connections[0]?.transport.text()).toEqual(['a\nb\nc']);
  });

  it('holds back while the transport is busy, and goes on where it stopped', async () => {
    const { outbox, transport, owner } = setUp();
    transport.stalled = true;
    outbox.push(message('a'));
    await tick();
    outbox.push(message('b'));
    outbox.push(message('c'));
    await tick();
    expect(transport.text()).toEqual(['a']);
    transport.resume();
    outbox.drained();
    expect(transport.text()).toEqual(['a', 'b\nc']);
    expect(owner.isSlow).toBe(false);
  });

  it('tells when more waits than may', async () => {
    const { outbox, transport, owner } = setUp(10);
    transport.stalled = true;
    outbox.push(message('12345'));
    await tick();
    outbox.push(message('12'));
    expect(owner.isSlow).toBe(false);
    outbox.push(message('12'));
    expect(owner.isSlow).toBe(true);
  });

  it('never holds an answer against its client', async () => {
    const { outbox, transport, owner } = setUp(10);
    transport.stalled = true;
    outbox.answer(message('x'.repeat(1000)));
    await tick();
    outbox.answer(message('y'.repeat(1000)));
    outbox.push(message('123456789'));
    expect(owner.isSlow).toBe(false);
    outbox.push(message('1'));
    expect(owner.isSlow).toBe(true);
  });

  it('counts anew once the transport had nothing to do', async () => {
    const { outbox, transport, owner } = setUp(10);
    outbox.answer(message('x'.repeat(1000)));
    await tick();
    transport.stalled = true;
    outbox.push(message('x'.repeat(20)));
    await tick();
    expect(owner.isSlow).toBe(true);
  });

  it('closes with or without what waits', async () => {
    const { open } = setUp();
    const [kept, dropped] = [open(), open()];
    for (const { outbox } of [kept, dropped]) outbox.push(message('last'));
    kept.outbox.close(true);
    dropped.outbox.close(false);
    kept.outbox.push(message('too late'));
    await tick();
    expect(kept.transport.text()).toEqual(['last']);
    expect(dropped.transport.text()).toEqual([]);
  });
});
