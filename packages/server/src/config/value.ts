import { parseDuration } from './duration.ts';
import type { DurationLeaf, IntLeaf, Leaf, ListLeaf, ObjectsLeaf, StringLeaf } from './option.ts';
import { isPoison, isTree } from './tree.ts';

/** A value as its source gave it. */
export interface Raw {
  readonly value: unknown;
  /** Out of a variable or flag, where all is text; otherwise out of parsed data. */
  readonly text: boolean;
}

/** What was expected in place of what came. */
export class Unfit {
  readonly expected: string;

  constructor(expected: string) {
    this.expected = expected;
  }
}

/** A duration that is none. */
const OFF = -1;

/** The value of a leaf out of what a source gave, or what was expected. */
export function readValue(leaf: Exclude<Leaf, ObjectsLeaf>, raw: Raw): unknown {
  switch (leaf.type) {
    case 'bool':
      return readBool(raw.value);
    case 'int':
      return readInt(leaf, raw.value);
    case 'duration':
      return readDuration(leaf, raw.value);
    case 'string':
      return readString(leaf, raw.value);
    case 'list':
      return readList(leaf, raw);
    case 'map':
      return readMap(raw);
  }
}

/** The texts that Go's ParseBool knows, and their meaning. */
export function parseBool(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  return undefined;
}

/** Parsed JSON, or undefined where it is none; what the parser says would quote the text, which may be secret. */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A value named for a message, without what is secret in it. */
export function describe(value: unknown, secret: boolean): string {
  if (Array.isArray(value)) return 'a list';
  if (isTree(value)) return 'an object';
  if (value instanceof Date) return 'a date';
  if (secret) return `a ${typeof value}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function readBool(value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  const parsed =
    typeof value === 'string' || typeof value === 'number' ? parseBool(String(value)) : undefined;
  return parsed ?? new Unfit('true or false');
}

function readInt(leaf: IntLeaf, value: unknown): unknown {
  const written =
    typeof value === 'string' && /^[-+]?(0|[1-9]\d*|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(value);
  const number = written
    ? value.startsWith('-')
      ? -Number(value.slice(1))
      : Number(value.replace('+', ''))
    : value;
  const fits = Number.isSafeInteger(number) && Number(number) >= leaf.min && Number(number) <= leaf.max;
  if (fits) return number;
  const top = leaf.max === Number.MAX_SAFE_INTEGER ? '' : ` to ${leaf.max}`;
  return new Unfit(`a whole number from ${leaf.min}${top}`);
}

function readDuration(leaf: DurationLeaf, value: unknown): unknown {
  if (leaf.canBeOff === true && /^-\d/.test(String(value))) return OFF;
  // A bare number in a file is nanoseconds, as in the files of Centrifugo.
  const ms =
    typeof value === 'number' ? value / 1e6 : typeof value === 'string' ? parseDuration(value) : undefined;
  return ms !== undefined && ms >= 0 ? ms : new Unfit('a duration with its unit, such as "300s" or "1h30m"');
}

function readString(leaf: StringLeaf, value: unknown): unknown {
  const text = scalarText(value);
  if (text === undefined) return new Unfit(leaf.values ? oneOf(leaf.values) : 'a text');
  if (!leaf.values) return text;
  return among(leaf.values, text) ?? new Unfit(oneOf(leaf.values));
}

function readList(leaf: ListLeaf, raw: Raw): unknown {
  const { value } = raw;
  // In data a single text is a list of one, whatever is in it; in variables blanks separate.
  const items =
    typeof value !== 'string'
      ? value
      : raw.text
        ? value.split(/\s+/).filter(Boolean)
        : [value].filter(Boolean);
  const expected = new Unfit(leaf.values ? `a list out of ${leaf.values.join(', ')}` : 'a list of texts');
  if (!Array.isArray(items)) return expected;
  const texts = items
    .map(scalarText)
    .map((text) => (text !== undefined && leaf.values ? among(leaf.values, text) : text));
  return texts.includes(undefined) ? expected : texts;
}

function readMap(raw: Raw): unknown {
  const expected = new Unfit('an object of texts, or a list of {key, value}');
  const data = raw.text && typeof raw.value === 'string' ? parseJsonText(raw.value) : raw.value;
  const entries = mapEntries(data, raw.text);
  if (!entries || entries.some(([key]) => isPoison(key))) return expected;
  const texts = entries.map(([key, value]) => [key, scalarText(value)] as const);
  return texts.some(([, value]) => value === undefined) ? expected : Object.fromEntries(texts);
}

function mapEntries(data: unknown, keepCase: boolean): (readonly [string, unknown])[] | undefined {
  if (isTree(data)) {
    return Object.entries(data).map(([key, value]) => [keepCase ? key : key.toLowerCase(), value] as const);
  }
  if (!Array.isArray(data)) return undefined;
  const entries: (readonly [string, unknown])[] = [];
  for (const item of data as readonly unknown[]) {
    if (!isTree(item) || typeof item['key'] !== 'string') return undefined;
    entries.push([item['key'], item['value']]);
  }
  return entries;
}

/** YAML writes many texts as numbers; one that would not come back as it was written has to be quoted. */
function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

function among<V extends string>(values: readonly V[], text: string): V | undefined {
  return values.find((value) => value.toLowerCase() === text.toLowerCase());
}

function oneOf(values: readonly string[]): string {
  return `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
}
