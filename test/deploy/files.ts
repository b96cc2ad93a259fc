import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The folder of the whole project. */
export const root = join(import.meta.dirname, '..', '..');

/** The part of the package `yaml` that is used here; it is the server's, which reads configuration files with it. */
interface Yaml {
  parseAllDocuments(
    text: string,
    options: { merge: boolean },
  ): readonly { readonly errors: readonly Error[]; toJS(): unknown }[];
}
const yaml = createRequire(join(root, 'packages/server/package.json'))('yaml') as Yaml;

/** A file of the project as text. */
export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The files of the project that match, by their paths from its folder. */
export function files(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).sort();
}

/** Every document of a YAML text, `<<` resolved. Throws where it is none. */
export function parseYaml<T>(source: string): T[] {
  return yaml.parseAllDocuments(source, { merge: true }).map((document) => {
    for (const error of document.errors) throw error;
    return document.toJS() as T;
  });
}

/** The only document of a YAML file of the project. */
export function yamlFile<T>(path: string): T {
  const [document, ...more] = parseYaml<T>(text(path));
  if (document === undefined || more.length > 0) throw new Error(`${path} is not one document`);
  return document;
}

/** Lines `NAME=value`, without comments. */
export function parseEnvFile(source: string): Record<string, string> {
  const lines = source.split('\n').filter((line) => /^[A-Z]/.test(line));
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
}
