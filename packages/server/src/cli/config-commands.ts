import { nanoid } from 'nanoid';
import { configDoc, defaultConfig, defaultEnv, jsonSchema } from '../config/doc.ts';
import { redisOptions } from '../compose/redis-options.ts';
import { ConfigError, loadConfig, type Config, type OwnFlags } from '../config/load.ts';
import { schema } from '../config/schema.ts';
import { scopeOf } from '../config/table.ts';
import { tlsMaterial } from '../pem.ts';
import { commandLine } from './command-line.ts';
import { configText, writeConfig } from './config-file.ts';
import type { Terminal } from './run.ts';
import { tokensOf } from './tokens-of.ts';

/** The flags of each command, beside options of the configuration. */
export const configFlags = {
  checkconfig: { '--strict': 'switch', '-s': 'switch' },
  configdoc: {
    '--schema': 'switch',
    '--markdown': 'switch',
    '-m': 'switch',
    '--section': 'value',
    '-s': 'value',
    '--level': 'value',
    '-l': 'value',
  },
  defaultconfig: { '--base': 'value', '-b': 'value', '--dry-run': 'switch', '-d': 'switch' },
  defaultenv: { '--base': 'value', '-b': 'value', '--base-non-zero-only': 'switch' },
} as const satisfies Record<string, OwnFlags>;

/** Loads the configuration as the server would, and says what it thinks of it. */
export async function checkconfig(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { env, cwd, print, complain } = terminal;
  const { options, own } = commandLine(argv, configFlags.checkconfig);
  const { config, warnings, file } = loadConfig({ argv: options, env, cwd, strict: own.size > 0 });
  await tokensOf(config, complain);
  checkFiles(config);
  for (const warning of warnings) print(`warning: ${warning}\n`);
  print(`${file ?? 'The configuration'} can be served.\n`);
  return 0;
}

/** What the server is going to speak TLS with: only its own user may be able to read it, so no other command looks. */
function checkFiles({ http_server: http, grpc_api: grpc, engine }: Config): void {
  const faults: string[] = [];
  const tried = (use: () => unknown): void => {
    try {
      use();
    } catch (fault) {
      faults.push(fault instanceof Error ? fault.message : String(fault));
    }
  };
  tried(() => tlsMaterial(http.tls, 'http_server.tls'));
  tried(() => tlsMaterial(http.internal_tls, 'http_server.internal_tls'));
  if (grpc.enabled) tried(() => tlsMaterial(grpc.tls, 'grpc_api.tls'));
  if (engine.type === 'redis') tried(() => redisOptions(engine.redis, ''));
  if (faults.length > 0) throw new ConfigError(faults);
}

export function configdoc(argv: readonly string[], { print }: Terminal): number {
  const line = commandLine(argv, configFlags.configdoc);
  if (line.flag('--schema') !== undefined) {
    print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    return 0;
  }
  const section = line.flag('-s', '--section');
  const level = line.flag('-l', '--level') ?? '0';
  const errors: string[] = [];
  if (section !== undefined && !Object.hasOwn(schema.fields, section)) {
    errors.push(`there is no section ${JSON.stringify(section)}`);
  }
  if (!/^[0-4]$/.test(level)) errors.push('--level: expected a number from 0 to 4');
  if (errors.length > 0) throw new ConfigError(errors);
  print(configDoc(section, Number(level)));
  return 0;
}

export function defaultconfig(argv: readonly string[], { env, cwd, print }: Terminal): number {
  const line = commandLine(argv, configFlags.defaultconfig);
  const base = line.flag('-b', '--base');
  const config = base === undefined ? undefined : loadConfig({ argv: [`--config=${base}`], env, cwd }).config;
  const tree = defaultConfig(config);
  if (line.file === undefined || line.flag('-d', '--dry-run') !== undefined) {
    print(configText(line.file ?? 'config.json', tree));
    return 0;
  }
  writeConfig(cwd, line.file, tree);
  print(`Wrote ${line.file}, with every option.\n`);
  return 0;
}

export function defaultenv(argv: readonly string[], { env, cwd, print }: Terminal): number {
  const line = commandLine(argv, configFlags.defaultenv);
  const base = line.flag('-b', '--base');
  const onlySet = line.flag('--base-non-zero-only') !== undefined;
  if (base === undefined) {
    if (onlySet) throw new ConfigError(['--base-non-zero-only needs --base']);
    print(`${defaultEnv().join('\n')}\n`);
    return 0;
  }
  const { config, sources } = loadConfig({ argv: [`--config=${base}`], env, cwd });
  const isSet = (path: string, text: string): boolean =>
    sources.has(path) && !/^(0s?|false|\[\]|\{\})?$/.test(text);
  print(`${defaultEnv(config, onlySet ? isSet : undefined).join('\n')}\n`);
  return 0;
}

/** What a new configuration has to have of its own, with the length of it. */
const secrets: readonly (readonly [path: string, length: number])[] = [
  ['client.token.hmac_secret_key', 86],
  ['http_api.key', 86],
  ['admin.password', 22],
  ['admin.secret', 86],
];

export function genconfig(argv: readonly string[], { cwd, print }: Terminal): number {
  const { file: name = 'config.json' } = commandLine(argv, {});
  const { rows } = scopeOf(schema);
  // Of what is not served yet there is no secret: each start would warn of it.
  const served = secrets.filter(([path]) => rows.get(path)?.served === 'yes');
  const tree: Record<string, unknown> = { client: { allowed_origins: [] } };
  for (const [path, length] of served) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const section = keys.reduce((inner, key) => (inner[key] ??= {}) as Record<string, unknown>, tree);
    section[last] = nanoid(length);
  }
  writeConfig(cwd, name, tree);
  print(`Wrote ${name}, which only you can read, with new secrets:

${served.map(([path]) => `  ${path}`).join('\n')}

No channel may be subscribed to until the file allows it: by channel.without_namespace.allow_subscribe_for_client, or by
the same option of a namespace. Pages in browsers may connect once their origins are in client.allowed_origins.

To serve by it, and to make a token for a client:

  gyre --config ${name}
  gyre gentoken --config ${name} -u alice -q
`);
  return 0;
}
