import { parseDuration } from './duration.ts';

/**
 * What becomes of an option that somebody sets. `yes`: it works. `later`: leaving it out takes a comfort away, a
 * warning. `guards`: leaving it out would open something, the start ends.
 */
export type Served = 'yes' | 'later' | 'guards';

/** What a row says beside type, default and sentence. */
export interface Notes {
  /** Absent: as the section around it says; at the top `yes`. */
  readonly served?: Served;
  /** Flat names of older releases, at the top of the file or of a list's item. Absent: as `flat` of the section. */
  readonly alias?: readonly string[];
  /** Its value is never shown. */
  readonly secret?: boolean;
  /** An explicit zero in a file is a zero. Of the reference's options it stands for the default, as there. */
  readonly zeroCounts?: boolean;
}

interface Row<K extends string, T> extends Notes {
  readonly type: K;
  readonly default: T;
  /** One sentence. */
  readonly doc: string;
}

export type BoolLeaf = Row<'bool', boolean>;

export interface IntLeaf extends Row<'int', number> {
  readonly min: number;
  readonly max: number;
}

/** Milliseconds once loaded. */
export interface DurationLeaf extends Row<'duration', number> {
  /** A negative one is accepted, and means that there is none: -1 once loaded. */
  readonly canBeOff?: boolean;
}

export interface StringLeaf<V extends string = string> extends Row<'string', V> {
  /** All that is accepted, in any letter case. */
  readonly values?: readonly V[];
}

export interface ListLeaf<V extends string = string> extends Row<'list', readonly V[]> {
  readonly values?: readonly V[];
}

export type MapLeaf = Row<'map', Readonly<Record<string, string>>>;

/** A list of objects, each with the fields of `item`. */
export interface ObjectsLeaf<F extends Fields = Fields> extends Row<'objects', readonly never[]> {
  readonly item: Section<F>;
}

export type Leaf = BoolLeaf | IntLeaf | DurationLeaf | StringLeaf | ListLeaf | MapLeaf | ObjectsLeaf;

export interface SectionNotes extends Pick<Notes, 'served' | 'alias'> {
  /** Rows that name no alias have `<flat>_<key>`; "" makes it the key itself. */
  readonly flat?: string;
}

export interface Section<F extends Fields = Fields> extends SectionNotes {
  readonly type: 'section';
  readonly doc: string;
  readonly fields: F;
}

export interface Fields {
  readonly [key: string]: Leaf | Section;
}

/** The value that a leaf or section of the table has in a loaded configuration. */
export type Infer<O> =
  O extends Section<infer F>
    ? { readonly [K in keyof F]: Infer<F[K]> }
    : O extends ObjectsLeaf<infer F>
      ? readonly { readonly [K in keyof F]: Infer<F[K]> }[]
      : O extends { readonly default: infer T }
        ? T
        : never;

/** A switch. */
export function bool(initial: boolean, doc: string, notes: Notes = {}): BoolLeaf {
  return { type: 'bool', default: initial, doc, ...notes };
}

/** A whole number; without `min` not below zero. */
export function int(
  initial: number,
  doc: string,
  notes: Notes & { min?: number; max?: number } = {},
): IntLeaf {
  return { type: 'int', default: initial, doc, min: 0, max: Number.MAX_SAFE_INTEGER, ...notes };
}

/** A port number. */
export function port(initial: number, doc: string, notes: Notes = {}): IntLeaf {
  return int(initial, doc, { max: 65_535, ...notes });
}

/** A text. */
export function str(initial: string, doc: string, notes: Notes = {}): StringLeaf {
  return { type: 'string', default: initial, doc, ...notes };
}

/** A text out of `values`. */
export function choice<const V extends string>(
  values: readonly V[],
  initial: NoInfer<V>,
  doc: string,
  notes: Notes = {},
): StringLeaf<V> {
  return { type: 'string', default: initial, doc, values, ...notes };
}

/** A span of time; its default is written as in a file. Throws where that is no duration. */
export function duration(
  initial: string,
  doc: string,
  notes: Notes & { canBeOff?: boolean } = {},
): DurationLeaf {
  const ms = parseDuration(initial);
  if (ms === undefined) throw new Error(`no duration: ${initial}`);
  return { type: 'duration', default: ms, doc, ...notes };
}

/** A list of texts. */
export function list(initial: readonly string[], doc: string, notes: Notes = {}): ListLeaf {
  return { type: 'list', default: initial, doc, ...notes };
}

/** A list of texts out of `values`, empty unless set. */
export function choices<const V extends string>(
  values: readonly V[],
  doc: string,
  notes: Notes = {},
): ListLeaf<V> {
  return { type: 'list', default: [], doc, values, ...notes };
}

/** Texts by name, none unless set. */
export function map(doc: string, notes: Notes = {}): MapLeaf {
  return { type: 'map', default: {}, doc, ...notes };
}

/** A list of objects, empty unless set. */
export function objects<const F extends Fields>(fields: F, doc: string, notes: Notes = {}): ObjectsLeaf<F> {
  return { type: 'objects', default: [], doc, item: section(doc, fields), ...notes };
}

/** Options under a common key. */
export function section<const F extends Fields>(
  doc: string,
  fields: F,
  notes: SectionNotes = {},
): Section<F> {
  return { type: 'section', doc, fields, ...notes };
}
