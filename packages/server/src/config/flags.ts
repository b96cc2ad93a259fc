import type { Findings } from './findings.ts';
import { nearest } from './near.ts';
import { replaced } from './options/removed.ts';
import { replacedKey, type Setting } from './read.ts';
import { schema } from './schema.ts';
import { scopeOf } from './table.ts';
import { parseBool } from './value.ts';

/** Flags that a command has beside the options: by what is written (`--user`, `-u`), whether a value follows. */
export type OwnFlags = Readonly<Record<string, 'switch' | 'value'>>;

/** A command line, taken apart. */
export interface ParsedFlags {
  /** What was given to `-c` or `--config`. */
  readonly file: string | undefined;
  readonly settings: readonly Setting[];
  /** Values of the command's own flags by what was written; of a switch, "true". */
  readonly own: ReadonlyMap<string, string>;
  /** Neither a flag nor the value of one. */
  readonly positional: readonly string[];
  /** The command line without own flags and positional arguments: what `loadConfig` understands. */
  readonly options: readonly string[];
  /** Flags that nobody knows. */
  readonly unknown: readonly string[];
  readonly findings: Findings;
}

/** Short flags, and what they are short for. */
const short: Readonly<Record<string, string>> = {
  '-c': '--config',
  '-p': '--http_server.port',
  '-a': '--http_server.address',
};

interface Flag {
  /** As written, without value. */
  readonly name: string;
  /** What followed in the same argument. */
  readonly glued: string | undefined;
}

/**
 * Takes a command line apart. Every option of the table is a flag by its path or old flat name, as `--x.y value` or
 * `--x.y=value`; switches may stand alone. Throws nothing: what is wrong is in `findings`.
 * @param own flags of the command that is asked for
 */
export function parseFlags(argv: readonly string[], own: OwnFlags = {}): ParsedFlags {
  const parser = new Parser(argv, own);
  parser.run();
  return parser;
}

class Parser implements ParsedFlags {
  file: string | undefined;
  readonly settings: Setting[] = [];
  readonly own = new Map<string, string>();
  readonly positional: string[] = [];
  readonly options: string[] = [];
  readonly unknown: string[] = [];
  readonly findings: Findings = { errors: [], warnings: [] };
  readonly #argv: readonly string[];
  readonly #ownFlags: OwnFlags;
  readonly #scope = scopeOf(schema);
  #next = 0;

  constructor(argv: readonly string[], own: OwnFlags) {
    this.#argv = argv;
    this.#ownFlags = own;
  }

  run(): void {
    while (this.#next < this.#argv.length) {
      const argument = this.#argv[this.#next++] ?? '';
      if (argument === '--') {
        this.positional.push(...this.#argv.slice(this.#next));
        return;
      }
      if (!argument.startsWith('-') || argument === '-') this.positional.push(argument);
      else this.#flag(split(argument));
    }
  }

  #flag(flag: Flag): void {
    const kind = Object.hasOwn(this.#ownFlags, flag.name) ? this.#ownFlags[flag.name] : undefined;
    if (kind) {
      const value = kind === 'switch' ? (flag.glued ?? 'true') : this.#value(flag);
      if (value !== undefined) this.own.set(flag.name, value);
      return;
    }
    const name = (short[flag.name] ?? flag.name).replace(/^--/, '');
    const row = this.#scope.rows.get(name) ?? this.#scope.flat.get(name);
    if (!row && name !== 'config') return this.#unknown(flag, name);
    const value = row?.leaf.type === 'bool' ? this.#switch(flag) : this.#value(flag);
    if (value === undefined) return;
    this.options.push(`--${name}=${value}`);
    if (row) this.settings.push({ row, value, text: true, source: flag.name });
    else this.file = value;
  }

  /** Secrets may begin with a dash, so the next argument is the value, unless it is a flag that we know. */
  #value(flag: Flag): string | undefined {
    if (flag.glued !== undefined) return flag.glued;
    const next = this.#argv[this.#next];
    if (next === undefined || this.#isKnown(next)) {
      this.findings.errors.push(`${flag.name} needs a value`);
      return undefined;
    }
    this.#next++;
    return next;
  }

  #switch(flag: Flag): string {
    if (flag.glued !== undefined) return flag.glued;
    const next = this.#argv[this.#next];
    if (next === undefined || parseBool(next) === undefined) return 'true';
    this.#next++;
    return next;
  }

  #isKnown(argument: string): boolean {
    if (!argument.startsWith('--'))
      return Object.hasOwn(short, argument) || Object.hasOwn(this.#ownFlags, argument);
    const { name } = split(argument);
    const bare = name.slice(2);
    const option = bare === 'config' || this.#scope.rows.has(bare) || this.#scope.flat.has(bare);
    return option || Object.hasOwn(this.#ownFlags, name);
  }

  #unknown(flag: Flag, name: string): void {
    this.unknown.push(flag.name);
    const near = nearest(name, [
      ...this.#scope.rows.keys(),
      ...this.#scope.flat.keys(),
      'config',
      ...this.#ownNames(),
    ]);
    const known = near.map((key) => {
      const path = this.#scope.flat.get(key)?.path;
      return `--${key}${path === undefined ? '' : ` (${path})`}`;
    });
    const now = replaced.get(name);
    if (now !== undefined) replacedKey(flag.name, 'command line', now, this.findings);
    else if (!flag.name.startsWith('--')) this.findings.errors.push(`unknown flag ${flag.name}`);
    else if (near.length > 0)
      this.findings.errors.push(`unknown flag ${flag.name}, the nearest is ${known.join(' or ')}`);
    else this.findings.warnings.push(`unknown flag ${flag.name}`);
    // What follows is most likely its value.
    const next = this.#argv[this.#next];
    if (flag.glued === undefined && next !== undefined && !next.startsWith('-')) this.#next++;
  }

  #ownNames(): string[] {
    return Object.keys(this.#ownFlags)
      .filter((name) => name.startsWith('--'))
      .map((name) => name.slice(2));
  }
}

/** `--x=1` and, of short flags, `-p=1` and `-p1` carry their value with them. */
function split(argument: string): Flag {
  const equals = argument.indexOf('=');
  if (argument.startsWith('--')) {
    return equals < 0
      ? { name: argument, glued: undefined }
      : { name: argument.slice(0, equals), glued: argument.slice(equals + 1) };
  }
  const rest = argument.slice(2);
  return { name: argument.slice(0, 2), glued: rest === '' ? undefined : rest.replace(/^=/, '') };
}
