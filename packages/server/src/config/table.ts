import type { Leaf, Section, Served } from './option.ts';

/** A leaf of the table with all that its sections say of it. */
export interface TableRow {
  /** Dotted, from the top of its scope. */
  readonly path: string;
  readonly leaf: Leaf;
  readonly served: Served;
  /** Flat names of older releases. */
  readonly aliases: readonly string[];
}

/**
 * The names that lead to rows: of the whole file, or of one item of a list of objects. Names of items are looked up
 * within the item.
 */
export interface Scope {
  readonly section: Section;
  readonly rows: ReadonlyMap<string, TableRow>;
  /** By flat name. */
  readonly flat: ReadonlyMap<string, TableRow>;
  /** Paths of sections by flat name. */
  readonly flatSections: ReadonlyMap<string, string>;
  /** By the part of a variable's name after the prefix; flat names included. */
  readonly env: ReadonlyMap<string, TableRow>;
}

const scopes = new WeakMap<Section, Scope>();

/** The scope that a section is the top of. Throws where two rows of the table claim the same name. */
export function scopeOf(section: Section): Scope {
  const known = scopes.get(section);
  if (known) return known;
  const rows = new Map<string, TableRow>();
  const flatSections = new Map<string, string>();
  gather(section, '', section.served ?? 'yes', rows, flatSections);
  const flat = new Map<string, TableRow>();
  const env = new Map<string, TableRow>();
  for (const row of rows.values()) claim(env, envName(row.path), row);
  for (const row of rows.values()) {
    for (const alias of row.aliases) {
      claim(flat, alias, row);
      claim(env, envName(alias), row);
    }
  }
  const scope = { section, rows, flat, flatSections, env };
  scopes.set(section, scope);
  return scope;
}

/** How a path or flat name is written in a variable, without prefix: `http_api.key` is `HTTP_API_KEY`. */
export function envName(path: string): string {
  return path.replaceAll(/[-.]/g, '_').toUpperCase();
}

/** The value at a dotted path of a tree of objects; undefined where the path ends early. */
export function valueAt(tree: unknown, path: string): unknown {
  let value = tree;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}

function gather(
  section: Section,
  prefix: string,
  served: Served,
  rows: Map<string, TableRow>,
  flatSections: Map<string, string>,
): void {
  for (const alias of section.alias ?? []) flatSections.set(alias, prefix.slice(0, -1));
  for (const [key, field] of Object.entries(section.fields)) {
    const path = prefix + key;
    if (field.type === 'section') {
      gather(field, `${path}.`, field.served ?? served, rows, flatSections);
      continue;
    }
    const automatic =
      section.flat === undefined ? [] : [section.flat === '' ? key : `${section.flat}_${key}`];
    const within = (section.alias ?? []).map((alias) => `${alias}.${key}`);
    const aliases = [...(field.alias ?? automatic), ...within];
    rows.set(path, { path, leaf: field, served: field.served ?? served, aliases });
  }
}

function claim(names: Map<string, TableRow>, name: string, row: TableRow): void {
  const holder = names.get(name);
  if (holder && holder !== row) throw new Error(`${name} is claimed by ${holder.path} and ${row.path}`);
  names.set(name, row);
}
