import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ConfigError, loadConfig, type LoadedConfig, type LoadInput } from './load.ts';

/** A directory with the given files, gone after the test. */
export function directory(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'gyre-config-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

type Sources = Partial<LoadInput> & {
  /** Written as `config.json`. */
  readonly file?: unknown;
  /** Other files of the working directory. */
  readonly files?: Readonly<Record<string, string>>;
};

/** Loads from what is given, in a directory of its own; without anything, the defaults. */
export function load({ file, files, ...rest }: Sources = {}): LoadedConfig {
  const json = file === undefined ? {} : { 'config.json': JSON.stringify(file) };
  return loadConfig({ argv: [], env: {}, cwd: directory({ ...json, ...files }), ...rest });
}

/** The messages that loading ends with. Fails where it does not. */
export function loadErrors(sources: Sources): readonly string[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.messages;
    throw error;
  }
  throw new Error('loaded, though it should not have');
}

/** A file that sets one option by its path. */
export function nested(path: string, value: unknown): Record<string, unknown> {
  const keys = path.split('.');
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
}
