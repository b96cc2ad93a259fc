import { parseFlags, ConfigError, type OwnFlags } from '../config/load.ts';
import { helpText } from '../config/doc.ts';
import { version } from '../version.ts';
import { checksubtoken, checktoken } from './check-token.ts';
import {
  checkconfig,
  configdoc,
  configFlags,
  defaultconfig,
  defaultenv,
  genconfig,
} from './config-commands.ts';
import { gensubtoken, gentoken, makeFlags } from './make-token.ts';

/** What a command may use of the process. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly color: boolean;
}

/** A command gives the exit code of the process; what it throws as ConfigError is said, sentence by sentence. */
export type CommandFunction = (argv: readonly string[], terminal: Terminal) => Promise<number> | number;

interface CommandRow {
  readonly run: CommandFunction;
  /** Its flags beside the options of the configuration. */
  readonly own?: OwnFlags;
  readonly help: string;
}

const commands: Readonly<Record<string, CommandRow>> = {
  serve: {
    // Loaded when it is needed: the others have no use for sockets.
    run: async (argv, terminal) => (await import('./serve.ts')).serve(argv, terminal),
    help: 'Serve. This is what happens without a command.',
  },
  checkconfig: {
    run: checkconfig,
    own: configFlags.checkconfig,
    help: 'Say what is wrong with a configuration. -s: warnings are errors.',
  },
  genconfig: {
    run: genconfig,
    help: 'Write a configuration file with new secrets. -c config.json: which one.',
  },
  gentoken: {
    run: gentoken,
    own: makeFlags.gentoken,
    help: 'Make a connection token. -u user, -t seconds (604800; -1 for ever), -q: nothing else.',
  },
  gensubtoken: {
    run: gensubtoken,
    own: makeFlags.gensubtoken,
    help: 'Make a subscription token. -s channel, and as gentoken.',
  },
  checktoken: { run: checktoken, help: 'Say whether a connection token is good, and why not.' },
  checksubtoken: { run: checksubtoken, help: 'Say whether a subscription token is good, and why not.' },
  configdoc: {
    run: configdoc,
    own: configFlags.configdoc,
    help: 'Print every option as Markdown. -s section, -l level of headings. --schema: as a JSON Schema.',
  },
  defaultconfig: {
    run: defaultconfig,
    own: configFlags.defaultconfig,
    help: 'Print every option with its default. -b file: with what is set there, -c file: write it there.',
  },
  defaultenv: {
    run: defaultenv,
    own: configFlags.defaultenv,
    help: 'The same as variables. -b file: with what is set there, --base-non-zero-only: that alone.',
  },
  version: {
    run: (_argv, { print }) => {
      print(`Gyre ${version} (Node.js ${process.versions.node})\n`);
      return 0;
    },
    help: 'Print the version.',
  },
};

/** Runs the command that the arguments name, and gives the exit code. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  if (argv[0] === 'help') return run([...argv.slice(1), '--help'], terminal);
  const rest = argv.filter((argument) => argument !== '--help' && argument !== '-h');
  if (rest.length < argv.length) {
    terminal.print(usageOf(commandOf(rest)));
    return 0;
  }
  if (argv.length === 1 && argv[0] === '--version') return run(['version'], terminal);
  const name = commandOf(argv);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    terminal.complain(`gyre: there is no command ${JSON.stringify(name)}; gyre --help lists them\n`);
    return 2;
  }
  try {
    const at = argv.indexOf(name);
    return await command.run(at < 0 ? argv : argv.toSpliced(at, 1), terminal);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const message of error.messages) terminal.complain(`gyre: ${message}\n`);
    for (const warning of error.warnings) terminal.complain(`gyre: warning: ${warning}\n`);
    return 1;
  }
}

/** The first argument, or the first that is not about a flag before it. */
function commandOf(argv: readonly string[]): string {
  const [first = 'serve'] = argv;
  if (!first.startsWith('-')) return first;
  const own = Object.fromEntries(Object.values(commands).flatMap((row) => Object.entries(row.own ?? {})));
  // Which command a short flag is of is not known yet; before a command it has always meant strict.
  return parseFlags(argv, { ...own, ...configFlags.checkconfig }).positional[0] ?? 'serve';
}

/** What `--help` prints beside a command; all there is where it is none, or serves. */
function usageOf(name: string): string {
  const row = name !== 'serve' && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (row === undefined) return usage();
  const flags = Object.entries(row.own ?? {}).map(([flag, kind]) =>
    kind === 'value' ? `  ${flag} <value>\n` : `  ${flag}\n`,
  );
  const own = flags.length === 0 ? '' : `Flags of its own\n\n${flags.join('')}\n`;
  return `Usage: gyre ${name} [flags]

${row.help}

${own}It takes the options of the configuration as well: gyre --help lists them.
`;
}

/** What `--help` prints. */
export function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const list = Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(width)}  ${help}`);
  return `Gyre ${version}: a real-time messaging server.

Usage: gyre [command] [flags]          from a checkout: npm start -- [command] [flags]

Commands

${list.join('\n')}

${helpText()}`;
}
