import { parseFlags, ConfigError } from '../config/load.ts';
import { helpText } from '../config/doc.ts';
import { version } from '../version.ts';
import { checkconfig, configdoc, defaultconfig, defaultenv } from './config-commands.ts';

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
    help: 'Say what is wrong with a configuration. --strict: warnings are errors.',
  },
  configdoc: {
    run: configdoc,
    help: 'Print every option as Markdown. --schema: as a JSON Schema for editors.',
  },
  defaultconfig: { run: defaultconfig, help: 'Print a configuration file with every default.' },
  defaultenv: { run: defaultenv, help: 'Print every option as an environment variable with its default.' },
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
  if (argv.some((argument) => argument === '--help' || argument === '-h') || argv[0] === 'help') {
    terminal.print(usage());
    return 0;
  }
  if (argv.length === 1 && argv[0] === '--version') return run(['version'], terminal);
  const { positional } = parseFlags(argv, { '--strict': 'switch', '-s': 'switch', '--schema': 'switch' });
  const [name = 'serve'] = positional;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    terminal.complain(`gyre: there is no command ${JSON.stringify(name)}; gyre --help lists them\n`);
    return 2;
  }
  try {
    return await command.run(
      argv.filter((argument) => argument !== name),
      terminal,
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const message of error.messages) terminal.complain(`gyre: ${message}\n`);
    return 1;
  }
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
