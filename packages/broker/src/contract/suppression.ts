import { describe, expect, it } from 'vitest';
import type { PublishOptions } from '../broker.ts';
import { all, fence, kept, refusal, saying, texts, until, useStage } from './stage.ts';
import type { BrokerContract } from './stage.ts';

/** What is answered and not published. */
export function suppressionContract(contract: BrokerContract): void {
  describe('idempotency keys', () => {
    keys(contract);
    keyConflicts(contract);
    keyCollisions(contract);
  });
  describe('versions', () => {
    versions(contract);
    versionEpochs(contract);
  });
}

function keys(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('answers a repetition with the first position, however much came between', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.subscribe('c');
    const options = { history: kept, idempotencyKey: 'k' };
    const { position } = await broker.publish('c', saying('1'), options);
    await broker.publish('c', saying('2'), { history: kept });
    expect(await broker.publish('c', saying('1'), options)).toEqual({ position, suppressed: 'idempotency' });
    await broker.removeHistory('c');
    // The answer does not depend on what the repetition asks for.
    expect(await broker.publish('c', saying('1'), { idempotencyKey: 'k' })).toEqual({
      position,
      suppressed: 'idempotency',
    });
    await fence(node, 'c');
    expect(events.texts('c')).toEqual(['1', '2', 'fence']);
    expect(await all(broker, 'c')).toMatchObject({ publications: [], position: { offset: 2 } });
  });

  it('works without history', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.subscribe('c');
    const options = { idempotencyKey: 'k' };
    expect(await broker.publish('c', saying('1'), options)).toEqual({});
    expect(await broker.publish('c', saying('1'), options)).toEqual({ suppressed: 'idempotency' });
    expect(await broker.publish('c', saying('1'), { ...options, history: kept })).toEqual({
      suppressed: 'idempotency',
    });
    await fence(node, 'c');
    expect(events.texts('c')).toEqual(['1', 'fence']);
    expect((await all(broker, 'c')).position.offset).toBe(0);
  });

  it.each([{ history: kept }, {}])('publishes one of many that come at once (%j)', async (history) => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.subscribe('c');
    const results = await Promise.all(
      Array.from({ length: 30 }, () => broker.publish('c', saying('1'), { ...history, idempotencyKey: 'k' })),
    );
    const first = results.filter(({ suppressed }) => suppressed === undefined);
    expect(first).toHaveLength(1);
    expect(results.filter(({ suppressed }) => suppressed === 'idempotency')).toHaveLength(29);
    for (const { position } of results) expect(position).toEqual(first[0]?.position);
    await fence(node, 'c');
    expect(events.texts('c')).toEqual(['1', 'fence']);
  });

  it('tells keys apart, and takes an empty one for none', async () => {
    const { broker } = await stage.node();
    for (const idempotencyKey of ['k', 'K', 'k ', ' k', '', '', '0']) {
      const result = await broker.publish('c', saying('same'), { history: kept, idempotencyKey });
      expect(result.suppressed).toBeUndefined();
    }
    expect((await all(broker, 'c')).position.offset).toBe(7);
  });
}

function keyConflicts(contract: BrokerContract): void {
  const stage = useStage(contract);

  it.each([{ history: kept }, {}])(
    'refuses other data with 107, and publishes nothing (%j)',
    async (history) => {
      const node = await stage.node();
      const { broker, events } = node;
      await broker.subscribe('c');
      const options: PublishOptions = { ...history, idempotencyKey: 'k' };
      const { position } = await broker.publish('c', saying('{"a":1}'), options);
      for (const other of ['{"a":2}', '{"a": 1}', '{"a":1', '']) {
        await expect(broker.publish('c', saying(other), options)).rejects.toEqual(refusal(107));
      }
      const repeated = await broker.publish('c', saying('{"a":1}'), options);
      expect(repeated).toEqual(
        position === undefined ? { suppressed: 'idempotency' } : { position, suppressed: 'idempotency' },
      );
      await fence(node, 'c');
      expect(events.texts('c')).toEqual(['{"a":1}', 'fence']);
    },
  );

  it('compares the payload, not the buffer that it lies in', async () => {
    const { broker } = await stage.node();
    const options = { history: kept, idempotencyKey: 'k' };
    const buffer = Buffer.from('xx1yy1zz');
    await broker.publish('c', { data: buffer.subarray(2, 3) }, options);
    const repeated = await broker.publish('c', { data: new Uint8Array([0x31]) }, options);
    expect(repeated.suppressed).toBe('idempotency');
    await expect(broker.publish('c', { data: buffer.subarray(2, 4) }, options)).rejects.toEqual(refusal(107));
  });

  it('compares nothing but the payload', async () => {
    const { broker } = await stage.node();
    const options = { history: kept, idempotencyKey: 'k' };
    await broker.publish('c', { ...saying('1'), tags: { try: '1' } }, options);
    const again = await broker.publish(
      'c',
      { ...saying('1'), tags: { try: '2' } },
      { ...options, delta: true },
    );
    expect(again.suppressed).toBe('idempotency');
  });
}

function keyCollisions(contract: BrokerContract): void {
  const stage = useStage(contract);

  it.each([
    [
      ['a', 'b.c'],
      ['a.b', 'c'],
    ],
    [
      ['a', 'b:c'],
      ['a:b', 'c'],
    ],
    [
      ['a', 'b_c'],
      ['a_b', 'c'],
    ],
    [
      ['a', 'b\0c'],
      ['a\0b', 'c'],
    ],
    [
      ['ab', 'c'],
      ['a', 'bc'],
    ],
    [
      ['1:a', 'b'],
      ['1', ':ab'],
    ],
    [
      ['a', '1:ab'],
      ['a1:a', 'b'],
    ],
    [
      ['1a', `${'b'.repeat(20)}k`],
      [`a${'b'.repeat(20)}`, 'k'],
    ],
    [
      ['{a', 'b}c'],
      ['{a}', 'b}c'],
    ],
    [
      ['a', 'k'],
      ['b', 'k'],
    ],
  ] as const)('are of one channel: %j and %j', async (...pairs) => {
    const { broker } = await stage.node();
    for (const history of [{}, { history: kept }]) {
      for (const [channel, key] of pairs) {
        const options = { ...history, idempotencyKey: 'history' in history ? `${key}+` : key };
        const result = await broker.publish(channel, saying(channel), options);
        expect(result.suppressed).toBeUndefined();
        expect((await broker.publish(channel, saying(channel), options)).suppressed).toBe('idempotency');
      }
    }
  });
}

function versions(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('answers a version that is not above the last with the current position', async () => {
    const node = await stage.node();
    const { broker, events } = node;
    await broker.subscribe('c');
    await broker.publish('c', saying('v5'), { history: kept, version: 5 });
    const { position } = await broker.publish('c', saying('none'), { history: kept });
    for (const version of [5, 4, 1]) {
      const result = await broker.publish('c', saying('old'), { history: kept, version });
      expect(result).toEqual({ position, suppressed: 'version' });
    }
    const next = await broker.publish('c', saying('v6'), { history: kept, version: 6 });
    expect(next).toEqual({ position: { ...position, offset: 3 } });
    await fence(node, 'c');
    expect(events.texts('c')).toEqual(['v5', 'none', 'v6', 'fence']);
    expect(events.publications.map(({ publication }) => publication.version)).toEqual([
      5,
      undefined,
      6,
      undefined,
    ]);
    expect((await all(broker, 'c')).publications.map(({ version }) => version)).toEqual([5, undefined, 6]);
  });

  it('compares versions as numbers', async () => {
    const { broker } = await stage.node();
    const answers: unknown[] = [];
    for (const version of [9, 10, 9, 99, 100, 20]) {
      answers.push((await broker.publish('c', saying('1'), { history: kept, version })).suppressed);
    }
    expect(answers).toEqual([undefined, undefined, 'version', undefined, undefined, 'version']);
  });

  it('compares large versions to the last digit', async () => {
    const { broker } = await stage.node();
    const top = Number.MAX_SAFE_INTEGER;
    const publish = (version: number): Promise<unknown> =>
      broker.publish('c', saying('1'), { history: kept, version }).then(({ suppressed }) => suppressed);
    expect(await publish(top - 1)).toBeUndefined();
    expect(await publish(top - 1)).toBe('version');
    expect(await publish(top)).toBeUndefined();
    expect(await publish(top - 1)).toBe('version');
    expect((await all(broker, 'c')).publications.map(({ version }) => version)).toEqual([top - 1, top]);
  });

  it('takes 0 for no version, and keeps the last one over publications without', async () => {
    const { broker } = await stage.node();
    const published: unknown[] = [];
    for (const version of [0, 3, 0, undefined, 3, 4]) {
      const options = version === undefined ? { history: kept } : { history: kept, version };
      published.push((await broker.publish('c', saying('1'), options)).suppressed);
    }
    expect(published).toEqual([undefined, undefined, undefined, undefined, 'version', undefined]);
  });

  it('means nothing without history', async () => {
    const { broker } = await stage.node();
    await broker.publish('c', saying('1'), { history: kept, version: 5 });
    expect(await broker.publish('c', saying('2'), { version: 4 })).toEqual({});
    await broker.publish('c', saying('2'), { version: 9 });
    expect(await broker.publish('c', saying('3'), { history: kept, version: 6 })).not.toHaveProperty(
      'suppressed',
    );
  });

  it('is of one channel, and outlives the removal of history', async () => {
    const { broker } = await stage.node();
    const publish = (channel: string): Promise<unknown> =>
      broker
        .publish(channel, saying('1'), { history: kept, version: 5 })
        .then(({ suppressed }) => suppressed);
    expect([await publish('c'), await publish('d')]).toEqual([undefined, undefined]);
    await broker.removeHistory('c');
    expect(await publish('c')).toBe('version');
  });
}

function versionEpochs(contract: BrokerContract): void {
  const stage = useStage(contract);

  it('starts anew with another epoch, and compares a version without one to the last', async () => {
    const { broker } = await stage.node();
    const steps: readonly [version: number, versionEpoch: string, suppressed: boolean][] = [
      [5, 'a', false],
      [5, 'a', true],
      [4, '', true],
      [1, 'b', false],
      [1, 'b', true],
      [2, 'b', false],
      [2, '', true],
      [3, '', false],
      [3, '', true],
      // The last one had none: any epoch is another.
      [1, 'b', false],
      [0, 'c', false],
      // Without a version there was no new epoch.
      [1, 'b', true],
    ];
    const answers: unknown[] = [];
    for (const [version, versionEpoch] of steps) {
      const { suppressed } = await broker.publish('c', saying('1'), { history: kept, version, versionEpoch });
      answers.push([version, versionEpoch, suppressed === 'version']);
    }
    expect(answers).toEqual(steps);
  });

  it('looks at the key first, and leaves it free where the version suppresses', async () => {
    const { broker, events } = await stage.node();
    await broker.subscribe('c');
    const { position } = await broker.publish('c', saying('1'), {
      history: kept,
      version: 5,
      idempotencyKey: 'k',
    });
    await broker.publish('c', saying('2'), { history: kept, version: 6 });
    expect(
      await broker.publish('c', saying('1'), { history: kept, version: 5, idempotencyKey: 'k' }),
    ).toEqual({ position, suppressed: 'idempotency' });
    const stale = await broker.publish('c', saying('old'), {
      history: kept,
      version: 3,
      idempotencyKey: 'free',
    });
    expect(stale).toEqual({ position: { ...position, offset: 2 }, suppressed: 'version' });
    const next = await broker.publish('c', saying('3'), {
      history: kept,
      version: 7,
      idempotencyKey: 'free',
    });
    expect(next).toEqual({ position: { ...position, offset: 3 } });
    await until(() => events.publications.length === 3);
    expect(texts(await all(broker, 'c'))).toEqual(['1', '2', '3']);
  });
}
