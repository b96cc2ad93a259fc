import { describe, expect, it, vi } from 'vitest';
import { kept, Recorder, saying, texts, until } from '../contract/stage.ts';
import { memoryBroker } from './index.ts';
import type { MemoryBroker, MemoryBrokerOptions } from './index.ts';

const nothing = { subscriptions: 0, streams: 0, publications: 0, idempotencyKeys: 0, expiring: 0 };

async function started(options?: MemoryBrokerOptions): Promise<{ broker: MemoryBroker; events: Recorder }> {
  const broker = memoryBroker(options);
  const events = new Recorder();
  await broker.start(events);
  return { broker, events };
}

describe('memory broker', () => {
  it('refuses calls before it was started', async () => {
    await expect(memoryBroker().publish('c', saying('1'), {})).rejects.toMatchObject({ code: 100 });
  });

  it('publishes before the call returns, so that events come in the order of calls', async () => {
    const { broker, events } = await started();
    void broker.subscribe('c');
    const calls = ['1', '2', '3', '4'].map((words, i) =>
      broker.publish('c', saying(words), i % 2 === 0 ? { history: kept } : {}),
    );
    void broker.announce('c', 'join', { user: 'u', client: 'c' });
    expect(events.texts('c')).toEqual(['1', '2', '3', '4']);
    expect(events.presence).toHaveLength(1);
    expect(await Promise.all(calls)).toMatchObject([
      { position: { offset: 1 } },
      {},
      { position: { offset: 2 } },
      {},
    ]);
    await broker.close();
  });

  it('hands on the bytes that it was given, and keeps a copy only of a small part of a large buffer', async () => {
    const { broker, events } = await started();
    await broker.subscribe('c');
    const whole = Buffer.from('some text');
    const part = new Uint8Array(1_000_000).fill(0x61).subarray(500, 520);
    await broker.publish('c', { data: part }, {});
    await broker.publish('c', { data: whole }, { history: kept });
    await broker.publish('c', { data: part }, { history: kept });
    const { publications } = await broker.history('c', { limit: -1 }, kept);
    expect(events.publications[0]?.publication.data).toBe(part);
    expect([events.publications[1]?.publication.data, publications[0]?.data]).toEqual([whole, whole]);
    expect(publications[0]?.data).toBe(whole);
    expect(publications[1]?.data.buffer.byteLength).toBe(20);
    expect(texts({ publications, position: { offset: 0, epoch: '' } })[1]).toBe('a'.repeat(20));
    await broker.close();
  });

  it('reports what a handler throws', async () => {
    const errors: unknown[] = [];
    const { broker, events } = await started({ onError: (error) => errors.push(error) });
    events.failure = new Error('a handler of this test throws');
    await broker.subscribe('c');
    await broker.publish('c', saying('1'), {});
    await broker.publish('c', saying('2'), { history: kept });
    await broker.announce('c', 'leave', { user: 'u', client: 'c' });
    expect(errors).toEqual([events.failure, events.failure, events.failure]);
    await broker.close();
  });

  it('warns of what a handler throws where nobody asked to be told', async () => {
    const warnings: Error[] = [];
    const remember = (warning: Error): number => warnings.push(warning);
    process.on('warning', remember);
    const { broker, events } = await started();
    events.failure = new Error('a handler of this test throws');
    await broker.subscribe('c');
    await broker.publish('c', saying('1'), {});
    await until(() => warnings.length > 0);
    process.off('warning', remember);
    expect(warnings).toEqual([events.failure]);
    await broker.close();
  });

  it('does not keep the process alive', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { broker } = await started();
    expect(timers()).toBe(before);
    await broker.close();
  });
});

describe('what the memory broker holds', () => {
  /** Far more of each kind than one sweep looks at. */
  const many = 5000;

  it('goes away part by part, in the end all of it', async () => {
    let now = 0;
    const { broker } = await started({ now: () => now });
    const history = { size: 3, ttlMs: 10_000, metaTtlMs: 100_000 };
    for (let i = 0; i < many; i++) {
      await broker.publish(`c${i}`, saying('1'), { history });
      await broker.publish(`c${i}`, saying('2'), { history, idempotencyKey: 'k', idempotencyTtlMs: 50_000 });
      await broker.history(`read ${i}`, { limit: 0 }, history);
    }
    const full = {
      ...nothing,
      streams: 2 * many,
      publications: 2 * many,
      idempotencyKeys: many,
      expiring: 3 * many,
    };
    expect(broker.gauges()).toEqual(full);

    now = 10_000;
    await until(() => broker.gauges().publications === 0);
    expect(broker.gauges()).toEqual({ ...full, publications: 0 });
    now = 50_000;
    await until(() => broker.gauges().idempotencyKeys === 0);
    expect(broker.gauges()).toEqual({ ...nothing, streams: 2 * many, expiring: 2 * many });
    now = 100_000;
    await until(() => broker.gauges().streams === 0);
    expect(broker.gauges()).toEqual(nothing);
    await broker.close();
  });

  it('is looked at again when the end of publications has moved, and not before', async () => {
    let now = 0;
    const { broker } = await started({ now: () => now });
    const history = { size: 10, ttlMs: 10_000, metaTtlMs: 100_000 };
    await broker.publish('c', saying('1'), {
      history,
      idempotencyKey: 'tells of the sweep',
      idempotencyTtlMs: 10_000,
    });
    now = 5000;
    await broker.publish('c', saying('2'), { history });
    now = 10_000;
    await until(() => broker.gauges().idempotencyKeys === 0);
    expect(broker.gauges()).toMatchObject({ publications: 2, expiring: 1 });
    now = 15_000;
    await until(() => broker.gauges().publications === 0);
    expect(broker.gauges()).toMatchObject({ streams: 1, expiring: 1 });
    await broker.close();
  });

  it('is bounded by the size of history', async () => {
    const { broker } = await started();
    for (let i = 0; i < 1000; i++)
      await broker.publish('c', saying('1'), { history: { ...kept, size: 100 } });
    expect(broker.gauges().publications).toBe(100);
    for (let i = 0; i < 3; i++) await broker.publish('c', saying('1'), { history: { ...kept, size: 7 } });
    expect(broker.gauges().publications).toBe(7);
    await broker.removeHistory('c');
    expect(broker.gauges().publications).toBe(0);
    await broker.close();
  });

  it('waits for its end once, however often that moves', async () => {
    let now = 0;
    const { broker } = await started({ now: () => now });
    for (let i = 0; i < 1000; i++) {
      now += 700;
      const lifetimes = i % 2 === 0 ? { ttlMs: 300, metaTtlMs: 600 } : { ttlMs: 100_000, metaTtlMs: 200_000 };
      const options = { history: { size: 3, ...lifetimes }, idempotencyTtlMs: 200, idempotencyKey: 'k' };
      await broker.publish('c', saying(`${i}`), options);
      if (i % 3 === 0) await broker.removeHistory('c');
    }
    // What has been replaced waits for the sweeper, and is due already.
    await until(() => broker.gauges().expiring <= 2);
    expect(broker.gauges()).toMatchObject({ streams: 1, idempotencyKeys: 1, expiring: 2 });
    now += 200_000;
    await until(() => broker.gauges().expiring === 0);
    expect(broker.gauges()).toEqual(nothing);
    await broker.close();
  });

  it('is nothing where neither history nor keys are asked for', async () => {
    const { broker } = await started();
    for (let i = 0; i < 1000; i++) await broker.publish(`c${i}`, saying('1'), {});
    for (let i = 0; i < 1000; i++) await broker.removeHistory(`c${i}`);
    expect(broker.gauges()).toEqual(nothing);
    await broker.close();
  });

  it('is no timer after close', async () => {
    vi.useFakeTimers();
    const { broker } = await started();
    expect(vi.getTimerCount()).toBe(1);
    await broker.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('is nothing after close', async () => {
    const { broker } = await started();
    await broker.subscribe('c');
    await broker.publish('c', saying('1'), { history: kept, idempotencyKey: 'k' });
    expect(broker.gauges()).toEqual({
      ...nothing,
      subscriptions: 1,
      streams: 1,
      publications: 1,
      idempotencyKeys: 1,
      expiring: 2,
    });
    await broker.close();
    expect(broker.gauges()).toEqual(nothing);
  });
});
