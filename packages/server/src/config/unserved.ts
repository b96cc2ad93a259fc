import { isDeepStrictEqual } from 'node:util';
import { about, type Findings } from './findings.ts';
import type { Served } from './option.ts';
import { itemLabel } from './read.ts';
import { scopeOf, valueAt, type Scope } from './table.ts';

/**
 * Reports options that are set to something other than their default though this release does not serve them: a
 * warning where that takes a comfort away, an error where it opens something.
 * @param prefix of the scope, for messages
 * @param where what set a path; undefined: nothing did
 */
export function findUnserved(
  scope: Scope,
  tree: unknown,
  prefix: string,
  where: (path: string) => string | undefined,
  findings: Findings,
): void {
  for (const { path, leaf, served } of scope.rows.values()) {
    const value = valueAt(tree, path);
    const full = prefix + path;
    if (served !== 'yes') {
      if (!isDeepStrictEqual(value, leaf.default)) report(full, where(full), served, findings);
    } else if (leaf.type === 'objects') {
      (value as readonly Record<string, unknown>[]).forEach((item, index) => {
        findUnserved(scopeOf(leaf.item), item, `${full}[${itemLabel(item, index)}].`, where, findings);
      });
    }
  }
}

function report(
  path: string,
  source: string | undefined,
  served: Exclude<Served, 'yes'>,
  findings: Findings,
): void {
  if (served === 'later') findings.warnings.push(about(path, source, 'not served yet, it has no effect'));
  else
    findings.errors.push(about(path, source, 'not served yet, and starting without it would open something'));
}
