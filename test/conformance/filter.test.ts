import { beforeAll, describe, expect, it } from 'vitest';
import { api, encodings, gyre, wire, type Gyre } from '../harness/index.ts';
import { fresh, kept } from './stage.ts';

let server: Gyre;
beforeAll(async () => {
  const filtered = { allow_tags_filter: true, ...kept };
  server = await gyre.start({
    config: {
      client: { insecure: true, channel_limit: 1000 },
      channel: {
        without_namespace: { ...filtered, force_recovery: true },
        namespaces: [
          { name: 'plain' },
          { name: 'joins', ...filtered, presence: true, join_leave: true, force_push_join_leave: true },
        ],
      },
    },
  });
});

const leaf = (cmp: string, operands: object = {}, key = 'k') => ({ key, cmp, ...operands });
const val = (text: string) => ({ val: text });

/** A filter, and values of the tag `k` (undefined: no tag) that it lets through or not. */
const table: readonly (readonly [rule: string, tf: object, passing: unknown[], kept: unknown[]])[] = [
  ['[FIL3][FIL5] eq', leaf('eq', val('a')), ['a'], ['A', 'ab', '', undefined]],
  ['[FIL3][FIL5] neq', leaf('neq', val('a')), ['b', '', undefined], ['a']],
  ['[FIL3][FIL5] in', leaf('in', { vals: ['a', 'b'] }), ['a', 'b'], ['c', undefined]],
  ['[FIL5] in, with the empty text', leaf('in', { vals: ['a', ''] }), ['a', '', undefined], ['c']],
  ['[FIL3][FIL5] nin', leaf('nin', { vals: ['a', 'b'] }), ['c', undefined], ['a', 'b']],
  ['[FIL3][FIL5] ex', leaf('ex'), ['a', ''], [undefined]],
  ['[FIL3][FIL5] nex', leaf('nex'), [undefined], ['a', '']],
  ['[FIL3][FIL5] sw', leaf('sw', val('ab')), ['ab', 'abc'], ['a', 'cab', undefined]],
  ['[FIL3][FIL5] ew', leaf('ew', val('bc')), ['bc', 'abc'], ['bcd', undefined]],
  ['[FIL3][FIL5] ct', leaf('ct', val('b')), ['b', 'abc'], ['ac', undefined]],
  ['[FIL3][FIL5] lt', leaf('lt', val('10')), ['9', '-1', '9.99'], ['10', '10.0', '11', 'x', undefined]],
  ['[FIL3][FIL5] lte', leaf('lte', val('10')), ['9', '10.0'], ['10.01', '', undefined]],
  ['[FIL3][FIL5] gt', leaf('gt', val('10')), ['10.01', '100'], ['9', '10', 'x', undefined]],
  ['[FIL3][FIL5] gte', leaf('gte', val('10')), ['10', '11'], ['9.99', undefined]],
  [
    '[FIL4] and',
    { op: 'and', nodes: [leaf('sw', val('a')), leaf('ew', val('z'))] },
    ['az', 'abz'],
    ['a', 'z'],
  ],
  [
    '[FIL4] or',
    { op: 'or', nodes: [leaf('eq', val('a')), leaf('eq', val('b'))] },
    ['a', 'b'],
    ['c', undefined],
  ],
  ['[FIL4] not', { op: 'not', nodes: [leaf('eq', val('a'))] }, ['b', undefined], ['a']],
  [
    '[FIL4] all together',
    {
      op: 'and',
      nodes: [
        { op: 'not', nodes: [leaf('nex')] },
        { op: 'or', nodes: [leaf('lt', val('0')), leaf('eq', val('x'))] },
      ],
    },
    ['-1', 'x'],
    ['1', undefined],
  ],
];

describe.each(encodings)('filters in %s', (encoding) => {
  const subscribe = async (channel: string, tf: object, more: object = {}) => {
    const client = await wire(server, encoding);
    return { client, ...(await client.call({ subscribe: { channel, tf, ...more } })) };
  };

  it('[FIL1] need permission', async () => {
    const { error } = await subscribe(fresh('plain'), leaf('ex'));
    expect(error).toMatchObject({ code: 107 });
  });

  it.each([
    ['an unknown op', { op: 'xor', nodes: [leaf('ex')] }],
    ['an unknown comparison', leaf('like', val('a'))],
    ['no comparison', { key: 'k', val: 'a' }],
    ['no key', { cmp: 'eq', val: 'a' }],
    ['nothing to combine', { op: 'and' }],
    ['too much to negate', { op: 'not', nodes: [leaf('ex'), leaf('ex')] }],
    ['a wrong one further inside', { op: 'or', nodes: [leaf('ex'), { op: 'not', nodes: [leaf('like')] }] }],
  ])('[FIL2] are refused for %s', async (_what, tf) => {
    const { error, client } = await subscribe(fresh(), tf);
    expect(error).toMatchObject({ code: 107 });
    await client.fence();
  });

  it.each(table)('%s', async (_rule, tf, passing, stopped) => {
    const channel = fresh();
    const { client } = await subscribe(channel, tf);
    for (const value of [...stopped, ...passing]) {
      const tags = value === undefined ? { other: 'a' } : { k: value };
      await api(server, 'publish', { channel, data: [value ?? null], tags });
    }
    await client.fence();
    expect(client.pushes('pub').map(({ pub }) => pub?.data)).toEqual(passing.map((value) => [value ?? null]));
  });

  it('[FIL6] keep continuity', async () => {
    const channel = fresh();
    const wanted = leaf('eq', val('yes'));
    const { client, subscribe: result } = await subscribe(channel, wanted);
    for (let n = 1; n <= 6; n++) {
      await api(server, 'publish', { channel, data: n, tags: { k: n % 3 === 0 ? 'yes' : 'no' } });
    }
    await client.fence();
    expect(client.pushes()).toEqual([
      { channel, pub: { data: 3, offset: 3, tags: { k: 'yes' } } },
      { channel, pub: { data: 6, offset: 6, tags: { k: 'yes' } } },
    ]);
    const back = await subscribe(channel, wanted, { recover: true, offset: 1, epoch: result?.epoch });
    expect(back.subscribe).toMatchObject({ recovered: true, offset: 1 });
    expect(back.subscribe?.publications?.map(({ data }) => data)).toEqual([3, 6]);
    const none = await subscribe(channel, leaf('eq', val('never')), {
      recover: true,
      offset: 1,
      epoch: result?.epoch,
    });
    expect(none.subscribe).toMatchObject({ recovered: true });
    expect(none.subscribe).not.toHaveProperty('publications');
  });

  it('[FIL7] are about publications only', async () => {
    const channel = fresh('joins');
    const { client } = await subscribe(channel, leaf('eq', val('never')));
    const other = await subscribe(channel, leaf('eq', val('never')));
    expect(await client.pushed('join', 2)).toHaveLength(2);
    other.client.socket.destroy();
    expect(await client.pushed('leave', 1)).toHaveLength(1);
  });
});
