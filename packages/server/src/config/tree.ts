import type { Findings } from './findings.ts';

/** Whether a value is an object with keys, as JSON, YAML and TOML have them. */
export function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a key would reach into the prototype of what it is put into. */
export function isPoison(key: string): boolean {
  return /^(__proto__|constructor|prototype)$/i.test(key);
}

/**
 * A copy of parsed data that is safe to walk: poisonous keys are reported and left out, texts go through `expand`.
 * @param path of the data within its source, for messages
 */
export function cleanTree(
  value: unknown,
  path: string,
  source: string,
  findings: Findings,
  expand: (text: string) => string,
): unknown {
  if (typeof value === 'string') return expand(value);
  if (Array.isArray(value)) {
    return value.map((item, index) => cleanTree(item, `${path}[${index}]`, source, findings, expand));
  }
  if (!isTree(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const childPath = path === '' ? key : `${path}.${key}`;
    if (isPoison(key)) findings.errors.push(`${source}: the key "${childPath}" is not allowed`);
    else copy[key] = cleanTree(child, childPath, source, findings, expand);
  }
  return copy;
}

/** Makes a tree and all within it read-only, for good. */
export function deepFreeze(tree: unknown): void {
  if (typeof tree !== 'object' || tree === null) return;
  Object.freeze(tree);
  Object.values(tree).forEach(deepFreeze);
}
