import { describe, expect, it } from 'vitest';
import { fence, kept, refusal, saying, texts, until, useStage } from './stage.ts';
import type { BrokerContract, Stage } from './stage.ts';

/** What is over, and when. */
export function lifetimeContract(contract: BrokerContract): void {
  describe('lifetimes', () => {
    history(contract);
    keys(contract);
  });
  // That something is not over yet can only be shown where time stands still meanwhile.
  describe.runIf(contract.can.clock)('lifetimes, to the millisecond', () => {
    historyOnTime(contract);
    keysOnTime(contract);
  });
}

/** Short history, whose position lives twice as long. */
const brief = ({ short }: Stage): typeof kept => ({ size: 10, ttlMs: short, metaTtlMs: 2 * short });
const whole = { limit: -1 };

function history(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('forgets all publications together, and goes on from the same position', async () => {
    const { broker } = await stage.node();
    const options = { ...brief(stage), metaTtlMs: kept.metaTtlMs };
    await broker.publish('c', saying('1'), { history: options, version: 5 });
    const { position } = await broker.publish('c', saying('2'), { history: options, version: 6 });
    await stage.elapse(options.ttlMs);
    expect(await broker.history('c', whole, options)).toEqual({ publications: [], position });
    const stale = await broker.publish('c', saying('old'), { history: options, version: 6 });
    expect(stale).toEqual({ position, suppressed: 'version' });
    const next = await broker.publish('c', saying('3'), { history: kept });
    expect(next).toEqual({ position: { ...position, offset: 3 } });
    expect(texts(await broker.history('c', whole, options))).toEqual(['3']);
  });

  it('says how long publications live on', async () => {
    const { broker } = await stage.node();
    await broker.publish('c', saying('1'), { history: kept });
    const { remainingMs = 0 } = await broker.history('c', whole, kept);
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(kept.ttlMs);
    expect((await broker.history('c', { limit: 0 }, kept)).remainingMs).toBeUndefined();
  });

  it('forgets the position of a channel that nobody used', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const options = { history: brief(stage), version: 5 };
    const { position } = await broker.publish('c', saying('1'), options);
    await stage.elapse(options.history.metaTtlMs);
    const page = await broker.history('c', whole, kept);
    expect(page).toEqual({ publications: [], position: { offset: 0, epoch: expect.any(String) } });
    expect(page.position.epoch).not.toBe(position?.epoch);
    if (position === undefined) throw new Error('a publication with history has a position');
    await expect(broker.history('c', { ...whole, since: position }, kept)).rejects.toEqual(refusal(112));
    const next = await broker.publish('c', saying('2'), options);
    expect(next).toEqual({ position: { ...page.position, offset: 1 } });
    await until(() => events.publications.length === 2);
    expect(events.publications[1]?.publication.epoch).toBe(page.position.epoch);
  });

  it('begins a new stream where a publication finds the old one gone', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const options = { history: brief(stage) };
    await broker.publish('c', saying('1'), { history: kept });
    await broker.publish('c', saying('2'), options);
    await stage.elapse(options.history.metaTtlMs);
    const { position } = await broker.publish('c', saying('3'), { history: kept });
    expect(position?.offset).toBe(1);
    expect(texts(await broker.history('c', whole, kept))).toEqual(['3']);
    await until(() => events.publications.length === 3);
    expect(events.publications.map(({ publication }) => publication.epoch === undefined)).toEqual([
      false,
      true,
      false,
    ]);
    expect(events.publications[2]?.publication.epoch).toBe(position?.epoch);
    expect(events.publications[0]?.publication.epoch).not.toBe(position?.epoch);
  });
}

function keys(contract: BrokerContract): void {
  const stage = useStage(contract);

  it.each([{ history: kept }, {}])('publishes again when a key is over (%j)', async (history) => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.subscribe('c');
    const options = { ...history, idempotencyKey: 'k', idempotencyTtlMs: stage.short };
    await broker.publish('c', saying('1'), options);
    await stage.elapse(stage.short);
    const again = { ...options, idempotencyTtlMs: 3_600_000 };
    expect(await broker.publish('c', saying('2'), again)).not.toHaveProperty('suppressed');
    await expect(broker.publish('c', saying('1'), again)).rejects.toEqual(refusal(107));
    await fence(node, 'c');
    expect(events.texts('c')).toEqual(['1', '2', 'fence']);
  });
}

function historyOnTime(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('counts the life of publications from the last one', async () => {
    const { broker } = await stage.node();
    const options = brief(stage);
    const left = async (): Promise<string> => texts(await broker.history('c', whole, options)).join('');
    await broker.publish('c', saying('1'), { history: options });
    await stage.elapse(options.ttlMs - 1);
    await broker.publish('c', saying('2'), { history: options });
    await stage.elapse(options.ttlMs - 1);
    // Neither reading nor what is not kept counts.
    await broker.publish('c', saying('passing'), {});
    expect(await left()).toBe('12');
    expect((await broker.history('c', whole, options)).remainingMs).toBe(1);
    await stage.elapse(1);
    expect(await left()).toBe('');
  });

  it('counts the life of the position from the last use', async () => {
    const { broker } = await stage.node();
    const options = brief(stage);
    const { position } = await broker.publish('c', saying('1'), { history: options, version: 5 });
    const uses = [
      () => broker.history('c', { limit: 0 }, options),
      () => broker.publish('c', saying('2'), { history: options }),
      () => broker.publish('c', saying('old'), { history: options, version: 5 }),
      () => broker.history('c', whole, options),
    ];
    for (const use of uses) {
      await stage.elapse(options.metaTtlMs - 1);
      expect((await use()).position).toEqual({ ...position, offset: expect.any(Number) });
    }
    await stage.elapse(options.metaTtlMs);
    expect((await broker.history('c', whole, options)).position.epoch).not.toBe(position?.epoch);
  });

  it('takes the lifetimes of the last use, shorter ones too', async () => {
    const { broker } = await stage.node();
    await broker.publish('c', saying('1'), { history: kept });
    const options = brief(stage);
    const { position } = await broker.publish('c', saying('2'), { history: options });
    await stage.elapse(options.ttlMs);
    expect(await broker.history('c', whole, options)).toEqual({ publications: [], position });
    await stage.elapse(options.metaTtlMs);
    expect((await broker.history('c', whole, kept)).position.offset).toBe(0);
  });
}

function keysOnTime(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('remembers a key for as long as the first call said, five minutes unless it did', async () => {
    const { broker } = await stage.node();
    for (const [channel, ttl] of [
      ['c', undefined],
      ['d', 1000],
    ] as const) {
      const options = { idempotencyKey: 'k', ...(ttl === undefined ? {} : { idempotencyTtlMs: ttl }) };
      await broker.publish(channel, saying('1'), options);
      await stage.elapse((ttl ?? 300_000) - 1);
      const repeated = await broker.publish(channel, saying('1'), {
        ...options,
        idempotencyTtlMs: 3_600_000,
      });
      expect(repeated).toEqual({ suppressed: 'idempotency' });
      await stage.elapse(1);
      expect(await broker.publish(channel, saying('1'), options)).toEqual({});
    }
  });
}
