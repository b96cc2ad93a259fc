import { about, type Findings } from './findings.ts';
import { nearest } from './near.ts';
import type { Leaf, ObjectsLeaf, Section } from './option.ts';
import { removed, replaced } from './options/removed.ts';
import { schema } from './schema.ts';
import { scopeOf, type Scope, type TableRow } from './table.ts';
import { cleanTree, isTree } from './tree.ts';
import { describe, parseJsonText, readValue, Unfit, type Raw } from './value.ts';

/** One option set by one source. */
export interface Setting extends Raw {
  readonly row: TableRow;
  /** As a message names it: a file, a variable, a flag. */
  readonly source: string;
}

/** Where a tree stands. */
interface Place {
  /** Before the paths of a scope, in messages: "" or `channel.namespaces[chat].` */
  readonly prefix: string;
  readonly source: string;
  readonly findings: Findings;
}

type Tree = Readonly<Record<string, unknown>>;

/** What a tree of data sets in a scope, each option once. Unknown keys go to the findings. */
export function collectSettings(scope: Scope, tree: Tree, place: Place): Setting[] {
  const found = new Map<string, Setting>();
  collect({ scope, place, found }, scope.section, '', tree);
  return [...found.values()];
}

interface Walk {
  readonly scope: Scope;
  readonly place: Place;
  readonly found: Map<string, Setting>;
}

function collect(walk: Walk, section: Section, prefix: string, tree: Tree): void {
  for (const [key, value] of Object.entries(tree)) {
    // Nothing written after a key of YAML: the key is not set.
    if (value === null || value === undefined) continue;
    collectKey(walk, section, prefix, key, value);
  }
}

/** At the top of a scope a key may be a flat name too; which one it is where it is both, the value tells. */
function collectKey(walk: Walk, section: Section, prefix: string, key: string, value: unknown): void {
  const { scope, place } = walk;
  const name = key.toLowerCase();
  const field = Object.hasOwn(section.fields, name) ? section.fields[name] : undefined;
  const path = prefix + name;
  if (field && field.type !== 'section') return put(walk, path, value, path);
  if (field && isTree(value)) return collect(walk, field, `${path}.`, value);

  const flat = prefix === '' ? scope.flat.get(name) : undefined;
  if (flat) return put(walk, flat.path, value, name);
  const flatSection = prefix === '' ? scope.flatSections.get(name) : undefined;
  if (flatSection !== undefined && isTree(value)) {
    return collect(walk, sectionAt(scope.section, flatSection), `${flatSection}.`, value);
  }

  if (field) {
    place.findings.errors.push(
      about(place.prefix + path, place.source, `expected an object, not ${describe(value, true)}`),
    );
    return;
  }
  const dot = key.indexOf('.');
  if (dot > 0) return collectKey(walk, section, prefix, key.slice(0, dot), { [key.slice(dot + 1)]: value });
  unknownKey(walk, section, prefix, key, value);
}

function put(walk: Walk, path: string, value: unknown, written: string): void {
  const { scope, place, found } = walk;
  const row = scope.rows.get(path);
  if (!row) throw new Error(`no row ${path}`);
  const source = written === path ? place.source : `"${written}" in ${place.source}`;
  const twin = found.get(path);
  if (twin)
    place.findings.warnings.push(about(place.prefix + path, place.source, 'set twice, by different names'));
  // The present name counts, wherever it stands.
  if (!twin || written === path) found.set(path, { row, value, text: false, source });
}

function unknownKey(walk: Walk, section: Section, prefix: string, key: string, value: unknown): void {
  const { scope, place } = walk;
  const { findings, source } = place;
  const top = prefix === '';
  const path = place.prefix + prefix + key;
  const name = key.toLowerCase();
  const gone = top && section === schema ? removed.get(key) : undefined;
  const now = top && section === schema ? replaced.get(name) : undefined;
  if (now !== undefined) return replacedKey(path, source, now, findings);
  if (gone) return goneKey(path, source, gone, value !== false && !isZero(value), findings);
  if (top && section === schema && key === '$schema') return;
  const names = [
    ...Object.keys(section.fields),
    ...(top ? [...scope.flat.keys(), ...scope.flatSections.keys()] : []),
  ];
  const near = nearest(name, names).map((known) => {
    const flat = top && !Object.hasOwn(section.fields, known) ? scope.flat.get(known) : undefined;
    return `"${place.prefix}${prefix}${known}"${flat ? ` (${place.prefix}${flat.path})` : ''}`;
  });
  if (near.length > 0)
    findings.errors.push(`${source}: unknown key "${path}", the nearest is ${near.join(' or ')}`);
  else findings.warnings.push(`${source}: unknown key "${path}"`);
}

/** Reports an option of older releases that nothing has taken over. */
export function goneKey(
  name: string,
  source: string,
  mark: 'later' | 'guards',
  on: boolean,
  findings: Findings,
): void {
  if (mark === 'guards' && on)
    findings.errors.push(`${source}: "${name}" is an option no longer; leaving it out would open something`);
  else findings.warnings.push(`${source}: "${name}" is an option no longer`);
}

/** Reports an option of older releases that another one has taken over, which is written in another way. */
export function replacedKey(name: string, source: string, now: string, findings: Findings): void {
  const [flat = ''] = scopeOf(schema).rows.get(now)?.aliases ?? [];
  findings.errors.push(`${source}: "${name}" is an option no longer, "${flat}" (${now}) takes its place`);
}

function sectionAt(top: Section, path: string): Section {
  let section = top;
  for (const key of path.split('.')) {
    const field = section.fields[key];
    if (field?.type !== 'section') throw new Error(`no section ${path}`);
    section = field;
  }
  return section;
}

/**
 * The value that a setting gives its option; undefined where the option keeps what it has, since the value is not
 * fit (reported) or stands for the default.
 */
export function readSetting(setting: Setting, prefix: string, findings: Findings): unknown {
  const { row, source } = setting;
  const path = prefix + row.path;
  const value =
    row.leaf.type === 'objects'
      ? readObjects(row.leaf, setting, { prefix: path, source, findings })
      : readValue(row.leaf, setting);
  if (value instanceof Unfit) {
    const hidden = row.leaf.secret === true || row.leaf.type === 'objects' || row.leaf.type === 'map';
    const came = describe(setting.value, hidden);
    findings.errors.push(about(path, source, `expected ${value.expected}, not ${came}`));
    return undefined;
  }
  if (setting.text) return value;
  if (isZero(value) && !isZero(row.leaf.default) && row.leaf.zeroCounts !== true) {
    findings.warnings.push(about(path, source, 'an empty value in a file stands for the default'));
    return undefined;
  }
  if (
    row.leaf.type === 'duration' &&
    typeof setting.value === 'number' &&
    Number(value) > 0 &&
    Number(value) < 1
  ) {
    findings.warnings.push(about(path, source, `${setting.value} without a unit is nanoseconds`));
  }
  return value;
}

/** What Go takes for a value that nobody gave; a switch that is off is not among it, since it says something. */
function isZero(value: unknown): boolean {
  return (
    value === '' ||
    value === 0 ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  );
}

function readObjects(leaf: ObjectsLeaf, raw: Raw, place: Place): unknown {
  const named = Object.hasOwn(leaf.item.fields, 'name');
  const expected = new Unfit(
    `a list of objects${raw.text ? ` as JSON${named ? ', or names separated by blanks' : ''}` : ''}`,
  );
  const data = typeof raw.value === 'string' && raw.text ? objectsOfText(raw.value, named, place) : raw.value;
  if (!Array.isArray(data) || !data.every(isTree)) return expected;
  return data.map((item, index) => readItem(leaf.item, item, index, place));
}

function objectsOfText(text: string, named: boolean, place: Place): unknown {
  const start = text.trimStart();
  if (named && !start.startsWith('[') && !start.startsWith('{')) {
    return text
      .split(/\s+/)
      .filter(Boolean)
      .map((name) => ({ name }));
  }
  return cleanTree(parseJsonText(text), place.prefix, place.source, place.findings, (value) => value);
}

function readItem(item: Section, tree: Tree, index: number, place: Place): Record<string, unknown> {
  const scope = scopeOf(item);
  const label = itemLabel(tree, index);
  const prefix = `${place.prefix}[${label}].`;
  const values = new Map<string, unknown>();
  for (const setting of collectSettings(scope, tree, { ...place, prefix })) {
    const value = readSetting(setting, prefix, place.findings);
    if (value !== undefined) values.set(setting.row.path, value);
  }
  return buildTree(item, values);
}

/** How an item of a list is called in paths: by its name, else by its place. */
export function itemLabel(item: Tree, index: number): string {
  const name = item['name'];
  return typeof name === 'string' && name !== '' ? name : String(index);
}

/** The whole tree of a section: given values by path, defaults for the rest. */
export function buildTree(
  section: Section,
  values: ReadonlyMap<string, unknown>,
  prefix = '',
): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(section.fields)) {
    const path = prefix + key;
    if (field.type === 'section') tree[key] = buildTree(field, values, `${path}.`);
    else tree[key] = values.has(path) ? values.get(path) : fresh(field);
  }
  return tree;
}

/** Defaults are copied, so that freezing or changing a configuration does not reach the table. */
function fresh(leaf: Leaf): unknown {
  return structuredClone(leaf.default);
}
