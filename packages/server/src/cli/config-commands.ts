import { configDoc, defaultConfig, defaultEnv, jsonSchema } from '../config/doc.ts';
import { loadConfig, parseFlags } from '../config/load.ts';
import type { Terminal } from './run.ts';

/** Loads the configuration as the server would, and says what it thinks of it. */
export function checkconfig(argv: readonly string[], { env, cwd, print }: Terminal): number {
  const { own, options } = parseFlags(argv, { '--strict': 'switch', '-s': 'switch' });
  const { warnings, file } = loadConfig({ argv: options, env, cwd, strict: own.size > 0 });
  for (const warning of warnings) print(`warning: ${warning}\n`);
  print(`${file ?? 'The configuration'} can be served.\n`);
  return 0;
}

export function configdoc(argv: readonly string[], { print }: Terminal): number {
  const schema = parseFlags(argv, { '--schema': 'switch' }).own.size > 0;
  print(schema ? `${JSON.stringify(jsonSchema(), null, 2)}\n` : configDoc());
  return 0;
}

export function defaultconfig(_argv: readonly string[], { print }: Terminal): number {
  print(`${JSON.stringify(defaultConfig(), null, 2)}\n`);
  return 0;
}

export function defaultenv(_argv: readonly string[], { print }: Terminal): number {
  print(`${defaultEnv().join('\n')}\n`);
  return 0;
}
