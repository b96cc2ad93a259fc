/**
 * Compares `proto/SPEC.md` with the tests: every rule is cited by the name of a test (`[REC3] …`), and every citation is
 * of a rule. Prints what is missing; fails where anything is. `pnpm spec`
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SpecFindings {
  /** In the order of the text. */
  readonly rules: readonly string[];
  /** Rules that no test cites. */
  readonly untested: readonly string[];
  /** Rules that stand in the text twice. */
  readonly doubled: readonly string[];
  /** Citations of what is no rule, each with its place. */
  readonly unknown: readonly string[];
}

const tests = ['packages/*/src/**/*.ts', 'test/**/*.ts'];

/**
 * @param root the folder that holds `proto`, `packages` and `test`
 */
export function spec(root: string): SpecFindings {
  const text = readFileSync(join(root, 'proto/SPEC.md'), 'utf8');
  const rules = [...text.matchAll(/^- \*\*([A-Z]{3}\d+)\*\* /gm)].flatMap(([, rule]) => rule ?? []);
  const known = new Set(rules);
  const cited = globSync(tests, { cwd: root })
    .sort()
    .flatMap((path) => citations(root, path));
  const citedRules = new Set(cited.map(({ rule }) => rule));
  return {
    rules,
    untested: [...known].filter((rule) => !citedRules.has(rule)),
    doubled: rules.filter((rule, i) => rules.indexOf(rule) !== i),
    unknown: cited.filter(({ rule }) => !known.has(rule)).map(({ rule, place }) => `${rule} ${place}`),
  };
}

/** The rules in brackets at the beginning of texts: a test's name is one, or is a column of a table. */
function citations(root: string, path: string): { rule: string; place: string }[] {
  return readFileSync(join(root, path), 'utf8')
    .split('\n')
    .flatMap((line, at) =>
      [...line.matchAll(/['"`]((?:\[[A-Z]{3}\d+\])+)/g)]
        .flatMap(([, brackets = '']) => brackets.match(/[A-Z]{3}\d+/g) ?? [])
        .map((rule) => ({ rule, place: `${path}:${at + 1}` })),
    );
}

if (import.meta.main) {
  const { rules, untested, doubled, unknown } = spec(join(import.meta.dirname, '..'));
  for (const rule of untested) console.error(`without a test: ${rule}`);
  for (const rule of doubled) console.error(`there twice: ${rule}`);
  for (const citation of unknown) console.error(`no such rule: ${citation}`);
  console.log(`${rules.length} rules, ${rules.length - untested.length} with a test`);
  process.exitCode = untested.length + doubled.length + unknown.length === 0 ? 0 : 1;
}
