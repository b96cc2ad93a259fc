import { compareDecimals, parseDecimal } from './decimal.ts';
import { clientError, type ClientError } from './errors.ts';
import type { FilterNode, Tags } from './messages.ts';

/** How deep a filter may nest, a single leaf being 1 deep. */
export const MAX_FILTER_DEPTH = 64;

/** How many nodes a filter may have, so that what one subscriber asks for stays cheap for every publication. */
export const MAX_FILTER_NODES = 256;

/** Whether a publication with these tags passes. */
export type TagFilter = (tags: Tags | undefined) => boolean;

/**
 * Checks a filter and makes a function of it, to be called for every publication; it never throws.
 *
 * A tag that is not there passes `neq` and `nex`, counts as an empty text for `in` and `nin`, and fails the rest.
 * `lt`, `lte`, `gt` and `gte` compare decimals exactly; a value that is not a decimal fails all four.
 *
 * @throws ClientError 107 for an unknown `op` or `cmp`, a wrong number of children, a leaf without a key or with
 *   other operands than its comparator takes, and a tree that is too deep or too large
 */
export function compileFilter(node: FilterNode): TagFilter {
  return compile(node, 1, { nodes: MAX_FILTER_NODES });
}

function malformed(why: string): ClientError {
  return clientError('badRequest', `malformed filter: ${why}`);
}

function compile(node: FilterNode, depth: number, budget: { nodes: number }): TagFilter {
  if (depth > MAX_FILTER_DEPTH) throw malformed('too deep');
  budget.nodes -= 1;
  if (budget.nodes < 0) throw malformed('too many nodes');
  const children = (): TagFilter[] => (node.nodes ?? []).map((child) => compile(child, depth + 1, budget));
  switch (node.op ?? '') {
    case '':
      return compileLeaf(node);
    case 'and': {
      const parts = atLeastOne(children());
      return (tags) => parts.every((part) => part(tags));
    }
    case 'or': {
      const parts = atLeastOne(children());
      return (tags) => parts.some((part) => part(tags));
    }
    case 'not': {
      const [part, ...more] = children();
      if (part === undefined || more.length > 0) throw malformed('not takes one node');
      return (tags) => !part(tags);
    }
    default:
      throw malformed('unknown op');
  }
}

function atLeastOne(parts: TagFilter[]): TagFilter[] {
  if (parts.length === 0) throw malformed('and, or take at least one node');
  return parts;
}

function compileLeaf(node: FilterNode): TagFilter {
  const key = node.key ?? '';
  if (key === '') throw malformed('leaf without a key');
  switch (node.cmp ?? '') {
    case 'ex':
      noOperand(node);
      return (tags) => tagOf(tags, key) !== undefined;
    case 'nex':
      noOperand(node);
      return (tags) => tagOf(tags, key) === undefined;
    case 'in': {
      const vals = listOperand(node);
      return (tags) => vals.has(tagOf(tags, key) ?? '');
    }
    case 'nin': {
      const vals = listOperand(node);
      return (tags) => !vals.has(tagOf(tags, key) ?? '');
    }
    default:
      return compileComparison(key, node.cmp ?? '', singleOperand(node));
  }
}

function compileComparison(key: string, cmp: string, val: string): TagFilter {
  switch (cmp) {
    case 'eq':
      return (tags) => tagOf(tags, key) === val;
    case 'neq':
      return (tags) => tagOf(tags, key) !== val;
    case 'sw':
      return (tags) => tagOf(tags, key)?.startsWith(val) ?? false;
    case 'ew':
      return (tags) => tagOf(tags, key)?.endsWith(val) ?? false;
    case 'ct':
      return (tags) => tagOf(tags, key)?.includes(val) ?? false;
    case 'lt':
      return numeric(key, val, (order) => order < 0);
    case 'lte':
      return numeric(key, val, (order) => order <= 0);
    case 'gt':
      return numeric(key, val, (order) => order > 0);
    case 'gte':
      return numeric(key, val, (order) => order >= 0);
    default:
      throw malformed('unknown cmp');
  }
}

function numeric(key: string, val: string, passes: (order: number) => boolean): TagFilter {
  const bound = parseDecimal(val);
  if (bound === undefined) return () => false;
  return (tags) => {
    const text = tagOf(tags, key);
    const value = text === undefined ? undefined : parseDecimal(text);
    return value !== undefined && passes(compareDecimals(value, bound));
  };
}

/** Only what was really set: a key such as `constructor` finds nothing that every object has. */
function tagOf(tags: Tags | undefined, key: string): string | undefined {
  return tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined;
}

function hasVal(node: FilterNode): boolean {
  return node.val !== undefined && node.val !== '';
}

function hasVals(node: FilterNode): boolean {
  return node.vals !== undefined && node.vals.length > 0;
}

function noOperand(node: FilterNode): void {
  if (hasVal(node) || hasVals(node)) throw malformed(`${node.cmp} takes neither val nor vals`);
}

function listOperand(node: FilterNode): ReadonlySet<string> {
  if (hasVal(node) || !hasVals(node)) throw malformed(`${node.cmp} takes vals`);
  return new Set(node.vals);
}

function singleOperand(node: FilterNode): string {
  if (!hasVal(node) || hasVals(node)) throw malformed('a comparison takes val');
  return node.val ?? '';
}
