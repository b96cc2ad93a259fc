import { RE2JS } from 're2js';

/** A compiled pattern of the configuration. */
export interface Pattern {
  /** Whether the pattern is found anywhere in the text; `^` and `$` anchor it. */
  test(text: string): boolean;
}

/**
 * Compiles a pattern in RE2 syntax. Time to match grows with the text and never explodes, whatever the pattern:
 * names come from clients and claims from tokens, so a backtracking engine could be made to stall the process.
 * @throws Error where it is not a pattern, saying why
 */
export function compilePattern(pattern: string): Pattern {
  return RE2JS.compile(pattern);
}
