import { RE2JS } from 're2js';

/** A compiled pattern of the configuration. It is found anywhere in a text, unless `^` and `$` anchor it. */
export interface Pattern {
  /** The names of its groups. */
  readonly groups: readonly string[];
  test(text: string): boolean;
  /** What its named groups hold, those that took part; undefined where it is not found. */
  match(text: string): ReadonlyMap<string, string> | undefined;
}

/**
 * Compiles a pattern in RE2 syntax. Time to match grows with the text and never explodes, whatever the pattern:
 * names come from clients and claims from tokens, so a backtracking engine could be made to stall the process.
 * @throws Error where it is not a pattern, saying why
 */
export function compilePattern(pattern: string): Pattern {
  const compiled = RE2JS.compile(pattern);
  const groups = Object.keys(compiled.namedGroups());
  return {
    groups,
    test: (text) => compiled.test(text),
    match(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      const values = groups.map((name) => [name, matcher.group(name)] as const);
      return new Map(values.filter((entry): entry is [string, string] => entry[1] !== null));
    },
  };
}
