import { compilePattern, type Pattern } from '../regex.ts';
import type { KeyEndpoint } from './key-sets.ts';
import type { TokenSection } from './options.ts';

type Claims = Readonly<Record<string, unknown>>;

/** Where the keys of a token are. Undefined where its claims, not believed yet, do not lead to any. */
export type EndpointRule = (claims: Claims) => KeyEndpoint | undefined;

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g;

/** A placeholder, and where it is filled from. */
interface Source {
  readonly name: string;
  readonly claim: 'iss' | 'aud';
  readonly pattern: Pattern;
  /** All that may be filled in; undefined: whatever the group holds. */
  readonly words: ReadonlySet<string> | undefined;
}

/**
 * Reads `jwks_public_endpoint`. A `{{name}}` in it is filled from the group of this name in `issuer_regex` or
 * `audience_regex`, once the claim matches. A group has to list its words, so that whoever makes a token chooses among
 * addresses that the operator wrote; without that (`insecure_skip_jwks_endpoint_safety_check`) a filled host has to be
 * a public one.
 * @param path where the section stands in the configuration, for error messages
 * @throws Error where it is not the address of a key set
 */
export function endpointRule(section: TokenSection, path: string): EndpointRule {
  const template = section.jwks_public_endpoint;
  const option = `${path}.jwks_public_endpoint`;
  const names = new Set([...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name));
  const one = addressOf(template, () => 'a');
  if (one === undefined || !/^https?:$/.test(one.protocol) || /[{}]/.test(fill(template, () => ''))) {
    throw new Error(`${option}: not the address of a key set`);
  }
  if (names.size === 0) {
    const endpoint = { url: one.href, guarded: false };
    return () => endpoint;
  }
  const sources = [...names].map((name) => sourceOf(name, section, path));
  const guarded = sources.some(({ words }) => words === undefined) && changesHost(template, one);
  return (claims) => {
    const values = new Map(sources.map((source) => [source.name, valueOf(source, claims)]));
    if ([...values.values()].includes(undefined)) return undefined;
    const url = addressOf(template, (name) => values.get(name) ?? '');
    return url === undefined ? undefined : { url: url.href, guarded };
  };
}

function fill(template: string, value: (name: string) => string): string {
  return template.replaceAll(PLACEHOLDER, (_, name: string) => encodeURIComponent(value(name)));
}

/** Undefined where the filled template is no address. */
function addressOf(template: string, value: (name: string) => string): URL | undefined {
  try {
    return new URL(fill(template, value));
  } catch {
    return undefined;
  }
}

function changesHost(template: string, { host }: URL): boolean {
  return addressOf(template, () => 'b')?.host !== host;
}

function sourceOf(name: string, section: TokenSection, path: string): Source {
  const found = (
    [
      ['issuer_regex', 'iss'],
      ['audience_regex', 'aud'],
    ] as const
  ).flatMap(([key, claim]) => {
    if (section[key] === '') return [];
    const pattern = compilePattern(section[key]);
    return pattern.groups.includes(name) ? [{ key, claim, pattern }] : [];
  });
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(
      `${path}.jwks_public_endpoint: {{${name}}} has to be a named group of issuer_regex or of audience_regex`,
    );
  }
  const { key, claim, pattern } = first;
  if (section.insecure_skip_jwks_endpoint_safety_check) return { name, claim, pattern, words: undefined };
  const words = wordsOf(name, section[key]);
  if (words !== undefined) return { name, claim, pattern, words };
  throw new Error(
    `${path}.${key}: the group ${name} has to list its words, as (?P<${name}>one|two), since it stands in the address ` +
      'of the keys',
  );
}

/** The words of a group that is nothing but a list of words; undefined where it is not. */
function wordsOf(name: string, regex: string): ReadonlySet<string> | undefined {
  const [, body = ''] = new RegExp(`\\(\\?P?<${name}>([^()]*)\\)`).exec(regex) ?? [];
  const words = body.split('|');
  if (!words.every((word) => /^([A-Za-z0-9_~-]|\\[.-])+$/.test(word))) return undefined;
  return new Set(words.map((word) => word.replaceAll('\\', '')));
}

function valueOf({ name, claim, pattern, words }: Source, claims: Claims): string | undefined {
  const said = claims[claim];
  const texts: readonly unknown[] = Array.isArray(said) ? said : [said];
  for (const text of texts) {
    const value = typeof text === 'string' ? pattern.match(text)?.get(name) : undefined;
    if (value === undefined) continue;
    // Dots alone would climb up a path, however they are encoded.
    return (words?.has(value) ?? !/^\.*$/.test(value)) ? value : undefined;
  }
  return undefined;
}
