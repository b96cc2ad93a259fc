import { ConfigError, parseFlags, type OwnFlags, type ParsedFlags } from '../config/load.ts';

/** Arguments of a command, taken apart. */
export interface CommandLine extends ParsedFlags {
  /** The value of an own flag under any of its names. */
  flag(...names: string[]): string | undefined;
}

/**
 * Takes the arguments of a command apart.
 * @param own its flags beside the options of the configuration
 * @param most arguments that it takes beside flags
 * @throws ConfigError for a flag that nobody knows, one without its value, and more arguments
 */
export function commandLine(argv: readonly string[], own: OwnFlags, most = 0): CommandLine {
  const parsed = parseFlags(argv, own);
  const { findings, positional } = parsed;
  const errors = [
    ...findings.errors,
    ...findings.warnings,
    ...positional.slice(most).map((argument) => `unexpected argument ${JSON.stringify(argument)}`),
  ];
  if (errors.length > 0) throw new ConfigError(errors);
  return Object.assign(parsed, {
    flag: (...names: string[]) =>
      names.map((name) => parsed.own.get(name)).find((value) => value !== undefined),
  });
}
