import { writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { stringify as stringifyToml } from 'smol-toml';
import { stringify as stringifyYaml } from 'yaml';
import { ConfigError } from '../config/load.ts';

type Tree = Readonly<Record<string, unknown>>;

const formats: Readonly<Record<string, (tree: Tree) => string>> = {
  '.json': (tree) => `${JSON.stringify(tree, null, 2)}\n`,
  '.yaml': stringifyYaml,
  '.yml': stringifyYaml,
  '.toml': (tree) => `${stringifyToml(tree)}\n`,
};

/**
 * A configuration as the text of a file, JSON, YAML or TOML by its name.
 * @throws ConfigError for another name
 */
export function configText(name: string, tree: Tree): string {
  const format = formats[extname(name).toLowerCase()];
  if (format === undefined)
    throw new ConfigError([`${name}: the name must end in .json, .yaml, .yml or .toml`]);
  return format(tree);
}

/**
 * Writes a configuration, which may hold secrets, to a new file that only its owner reads.
 * @throws ConfigError where there is such a file, or it cannot be written
 */
export function writeConfig(cwd: string, name: string, tree: Tree): void {
  const text = configText(name, tree);
  try {
    writeFileSync(resolve(cwd, name), text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'is there already and is not overwritten' : `cannot be written (${code})`;
    throw new ConfigError([`${name} ${why}`]);
  }
}
