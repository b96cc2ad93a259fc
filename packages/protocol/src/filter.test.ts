import { describe, expect, it } from 'vitest';
import { ClientError } from './errors.ts';
import { compileFilter, MAX_FILTER_DEPTH, MAX_FILTER_NODES } from './filter.ts';
import type { FilterNode, Tags } from './messages.ts';

const yes: FilterNode = { key: 'k', cmp: 'ex' };
const no: FilterNode = { key: 'k', cmp: 'nex' };
const tags: Tags = { k: 'v' };

function leaf(cmp: string, operand: string | string[]): FilterNode {
  return { key: 'k', cmp, ...(typeof operand === 'string' ? { val: operand } : { vals: operand }) };
}

describe('compileFilter', () => {
  const comparisons: readonly [cmp: string, operand: string | string[], pass: string[], fail: string[]][] = [
    ['eq', 'v', ['v'], ['', 'V', 'vv', 'v ']],
    ['neq', 'v', ['', 'V', 'vv'], ['v']],
    ['in', ['a', 'b'], ['a', 'b'], ['', 'c', 'ab']],
    ['nin', ['a', 'b'], ['', 'c', 'ab'], ['a', 'b']],
    ['ex', '', ['', 'v'], []],
    ['nex', '', [], ['', 'v']],
    ['sw', 'ab', ['ab', 'abc'], ['', 'a', 'xab', 'AB']],
    ['ew', 'ab', ['ab', 'xab'], ['', 'b', 'abx']],
    ['ct', 'ab', ['ab', 'xaby'], ['', 'a', 'b', 'a b']],
    ['sw', 'при', ['привет'], ['При']],
    ['lt', '10', ['9', '9.99', '-10', '0', '09'], ['10', '10.0', '11', '100']],
    ['lte', '10', ['9', '10', '10.00', '+10', '0010'], ['10.01', '11']],
    ['gt', '10', ['11', '10.01', '100'], ['10', '9', '-11']],
    ['gte', '10', ['10', '10.0', '11'], ['9.999', '-10']],
    ['gt', '-1.5', ['-1.4', '-1', '0', '1'], ['-1.5', '-1.50', '-1.6', '-2']],
    ['lte', '0', ['0', '-0', '-0.0', '+0.00', '-1'], ['0.0001', '1']],
  ];
  it.each(comparisons)('%s %j passes %j and not %j', (cmp, operand, pass, fail) => {
    const filter = compileFilter(leaf(cmp, operand));
    for (const k of pass) expect([k, filter({ k, other: 'x' })]).toEqual([k, true]);
    for (const k of fail) expect([k, filter({ k, other: 'x' })]).toEqual([k, false]);
  });

  const absent: readonly [string, string | string[], boolean][] = [
    ['eq', 'v', false],
    ['neq', 'v', true],
    ['in', ['a', 'b'], false],
    ['in', ['a', ''], true],
    ['nin', ['a', 'b'], true],
    ['nin', ['a', ''], false],
    ['ex', '', false],
    ['nex', '', true],
    ['sw', 'v', false],
    ['ew', 'v', false],
    ['ct', 'v', false],
    ['lt', '1', false],
    ['lte', '1', false],
    ['gt', '-1', false],
    ['gte', '-1', false],
  ];
  it.each(absent)('%s %j, for a tag that is not there: %j', (cmp, operand, passes) => {
    const filter = compileFilter(leaf(cmp, operand));
    expect(filter({ other: 'v' })).toBe(passes);
    expect(filter({})).toBe(passes);
    expect(filter(undefined)).toBe(passes);
  });

  it('finds no tags that nobody set', () => {
    for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(compileFilter({ key, cmp: 'ex' })({ k: 'v' })).toBe(false);
      expect(compileFilter({ key, cmp: 'ex' })(JSON.parse(`{"${key}":"v"}`) as Tags)).toBe(true);
    }
    const bare = Object.assign(Object.create(null) as Record<string, string>, { k: 'v' });
    expect(compileFilter(yes)(bare)).toBe(true);
  });

  it.each(['lt', 'lte', 'gt', 'gte'])('%s passes nothing that is not a decimal', (cmp) => {
    for (const k of [
      '',
      ' ',
      'x',
      '1x',
      ' 1',
      '1 ',
      '1,5',
      '1e3',
      '.5',
      '5.',
      '--1',
      '0x10',
      'NaN',
      'Infinity',
      '1\n',
    ]) {
      expect([k, compileFilter(leaf(cmp, '5'))({ k })]).toEqual([k, false]);
    }
    expect(compileFilter(leaf(cmp, 'five'))({ k: '5' })).toBe(false);
  });

  it('combines', () => {
    const combined = (op: string, ...nodes: FilterNode[]): boolean => compileFilter({ op, nodes })(tags);
    expect(combined('and', yes)).toBe(true);
    expect(combined('and', yes, yes)).toBe(true);
    expect(combined('and', yes, no)).toBe(false);
    expect(combined('and', no, yes)).toBe(false);
    expect(combined('or', no)).toBe(false);
    expect(combined('or', no, yes)).toBe(true);
    expect(combined('or', no, no)).toBe(false);
    expect(combined('not', yes)).toBe(false);
    expect(combined('not', no)).toBe(true);
    expect(
      combined(
        'and',
        { op: 'or', nodes: [no, yes] },
        { op: 'not', nodes: [{ op: 'and', nodes: [yes, no] }] },
      ),
    ).toBe(true);
  });

  it('takes an empty op, val, vals and nodes for none', () => {
    expect(compileFilter({ op: '', key: 'k', cmp: 'eq', val: 'v', vals: [], nodes: [] })(tags)).toBe(true);
    expect(compileFilter({ op: '', key: 'k', cmp: 'in', val: '', vals: ['v'] })(tags)).toBe(true);
  });

  const deep = (depth: number): FilterNode => {
    let node = yes;
    for (let i = 1; i < depth; i++) node = { op: 'and', nodes: [node] };
    return node;
  };
  const wide = (nodes: number): FilterNode => ({
    op: 'or',
    nodes: Array.from({ length: nodes - 1 }, () => yes),
  });

  it('takes a tree of the largest size', () => {
    expect(compileFilter(deep(MAX_FILTER_DEPTH))(tags)).toBe(true);
    expect(compileFilter(wide(MAX_FILTER_NODES))(tags)).toBe(true);
  });

  const malformed: readonly [string, FilterNode][] = [
    ['nothing', {}],
    ['an unknown op', { op: 'xor', nodes: [yes, yes] }],
    ['an op in capitals', { op: 'AND', nodes: [yes] }],
    ['an op of every object', { op: 'constructor', nodes: [yes] }],
    ['an unknown cmp', { key: 'k', cmp: 'like', val: 'v' }],
    ['no cmp', { key: 'k', val: 'v' }],
    ['no key', { cmp: 'eq', val: 'v' }],
    ['an empty key', { key: '', cmp: 'ex' }],
    ['and without nodes', { op: 'and' }],
    ['or with empty nodes', { op: 'or', nodes: [] }],
    ['not without a node', { op: 'not' }],
    ['not with two nodes', { op: 'not', nodes: [yes, yes] }],
    ['eq without val', { key: 'k', cmp: 'eq' }],
    ['eq with an empty val', { key: 'k', cmp: 'eq', val: '' }],
    ['eq with vals', { key: 'k', cmp: 'eq', val: 'v', vals: ['v'] }],
    ['lt without val', { key: 'k', cmp: 'lt' }],
    ['in without vals', { key: 'k', cmp: 'in' }],
    ['in with empty vals', { key: 'k', cmp: 'in', vals: [] }],
    ['in with val', { key: 'k', cmp: 'in', val: 'v', vals: ['v'] }],
    ['nin with val', { key: 'k', cmp: 'nin', val: 'v' }],
    ['ex with val', { key: 'k', cmp: 'ex', val: 'v' }],
    ['nex with vals', { key: 'k', cmp: 'nex', vals: ['v'] }],
    ['a malformed node deep inside', { op: 'not', nodes: [{ op: 'or', nodes: [yes, { op: 'and' }] }] }],
    ['too much depth', deep(MAX_FILTER_DEPTH + 1)],
    ['a depth that would break the stack', deep(100_000)],
    ['too many nodes', wide(MAX_FILTER_NODES + 1)],
    [
      'too many nodes in branches',
      { op: 'and', nodes: [wide(MAX_FILTER_NODES / 2), wide(MAX_FILTER_NODES / 2)] },
    ],
  ];
  it.each(malformed)('refuses %s with 107', (_, node) => {
    let thrown: unknown;
    try {
      compileFilter(node);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ClientError);
    expect(thrown).toMatchObject({ code: 107, temporary: false });
  });
});
