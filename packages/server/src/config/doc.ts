import { formatDuration } from './duration.ts';
import type { Fields, Leaf, Section, Served } from './option.ts';
import { buildTree } from './read.ts';
import { schema, type Config } from './schema.ts';
import { envName, scopeOf, valueAt } from './table.ts';

const width = 100;

/** Flags that a newcomer looks for, before all others. */
const mainFlags = [
  'http_server.address',
  'http_server.port',
  'http_server.internal_port',
  'http_api.key',
  'http_api.insecure',
  'client.token.hmac_secret_key',
  'client.allowed_origins',
  'client.insecure',
  'channel.namespaces',
  'log.level',
];

const shortOf: Readonly<Record<string, string>> = {
  'http_server.port': '-p, ',
  'http_server.address': '-a, ',
};

/** What `gyre --help` says of flags: the main ones, then every option that is served, by section. */
export function helpText(): string {
  const { rows } = scopeOf(schema);
  const lines = [
    'Main flags',
    '',
    ...entry(
      '-c, --config <file>',
      '',
      'File with options, JSON, YAML or TOML; unasked, config.json of the working directory where there is one.',
    ),
  ];
  for (const path of mainFlags) {
    const row = rows.get(path);
    if (row) lines.push(...flagEntry(path, row.leaf, shortOf[path] ?? ''));
  }
  lines.push('', ...wrap(howToSet, ''), '', 'All options', '');
  for (const [name, field] of Object.entries(schema.fields)) {
    const served = [...rows.values()].filter(
      (row) => row.served === 'yes' && row.path.split('.')[0] === name,
    );
    if (served.length === 0) continue;
    lines.push(...(field.type === 'section' ? wrap(`${name}: ${field.doc}`, '') : []));
    for (const row of served) lines.push(...flagEntry(row.path, row.leaf, ''));
    lines.push('');
  }
  lines.push(
    ...wrap('Options that are known but not served yet are in `gyre configdoc`, with all the rest.', ''),
  );
  return `${lines.join('\n')}\n`;
}

const howToSet =
  'Every option can be set by a flag, by a variable (GYRE_ and the path in capitals, GYRE_HTTP_SERVER_PORT for ' +
  'http_server.port) and in the file, nested as its path says; the first of these that sets it counts. Durations are ' +
  'written as 300ms, 25s or 1h30m. Lists in flags and variables are separated by blanks.';

function flagEntry(path: string, leaf: Leaf, short: string): string[] {
  const value = leaf.type === 'bool' ? '' : ` <${typeText(leaf)}>`;
  return entry(`${short}--${path}${value}`, defaultText(leaf), leaf.doc);
}

function entry(head: string, initial: string, doc: string): string[] {
  return [`  ${head}${initial === '' ? '' : `  (${initial})`}`, ...wrap(doc, '      ')];
}

/** Lines of at most `width` columns. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}

function typeText(leaf: Leaf): string {
  switch (leaf.type) {
    case 'string':
      return leaf.values ? leaf.values.filter(Boolean).join('|') : 'text';
    case 'list':
      return leaf.values ? `list of ${leaf.values.join('|')}` : 'list';
    case 'objects':
      return 'list of objects';
    case 'bool':
    case 'int':
    case 'duration':
    case 'map':
      return leaf.type;
  }
}

/** Nothing where the default is nothing. */
function defaultText(leaf: Leaf): string {
  if (leaf.type === 'duration') return leaf.default === 0 ? '' : formatDuration(leaf.default);
  if (Array.isArray(leaf.default)) return leaf.default.join(' ');
  return leaf.type === 'map' || !leaf.default ? '' : String(leaf.default);
}

const servedText: Readonly<Record<Served, string>> = {
  yes: '',
  later: ' *Not served yet: a warning.*',
  guards: ' *Not served yet: ends the start.*',
};

/**
 * All options, as a page of Markdown.
 * @param only the name of the one section to write about
 * @param level of headings above the page's own
 */
export function configDoc(only?: string, level = 0): string {
  const mark = '#'.repeat(level + 1);
  const fields = Object.entries(schema.fields).filter(([name]) => only === undefined || name === only);
  const tables = fields.flatMap(([name, field]) => [
    `${mark}# ${name}`,
    '',
    field.doc,
    '',
    ...tableOf(section(name, field)),
    '',
  ]);
  if (only !== undefined) return `${tables.join('\n').trimEnd()}\n`;
  const lines = [`${mark} Options`, '', howToSet, ''];
  lines.push(
    'A list of objects with names is set in a variable as JSON, or by its names separated by blanks; a variable with ' +
      'the name in it sets an option of one of them.',
    '',
  );
  return `${[...lines, ...tables].join('\n').trimEnd()}\n`;
}

function section(name: string, field: Leaf | Section): Section {
  return { type: 'section', doc: '', fields: { [name]: field }, served: schema.served ?? 'yes' };
}

function tableOf(top: Section): string[] {
  const lines = ['| key | type | default | variable | flat name | |', '|---|---|---|---|---|---|'];
  tableRows(top, '', 'GYRE_', lines);
  return lines;
}

function tableRows(top: Section, prefix: string, variable: string, lines: string[]): void {
  for (const { path, leaf, served, aliases } of scopeOf(top).rows.values()) {
    const name = variable + envName(path);
    const initial = defaultText(leaf);
    const cells = [
      code(prefix + path),
      typeText(leaf).replaceAll('|', ', '),
      initial === '' ? '' : code(initial),
      code(name),
      aliases.map(code).join(' '),
      leaf.doc + servedText[served],
    ];
    lines.push(`| ${cells.join(' | ')} |`);
    if (leaf.type === 'objects') tableRows(leaf.item, `${prefix}${path}[].`, `${name}_<NAME>_`, lines);
  }
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A JSON Schema (2020-12) of the file, for editors. Flat names of older releases are in it, as deprecated. */
export function jsonSchema(): Record<string, unknown> {
  const { flat } = scopeOf(schema);
  const properties: Record<string, unknown> = { $schema: { type: 'string' } };
  for (const [name, row] of flat) {
    const old = { ...leafSchema(row.leaf), deprecated: true, description: `Now ${row.path}.` };
    const present = schema.fields[name as keyof typeof schema.fields];
    properties[name] = present ? { anyOf: [fieldSchema(present), old] } : old;
  }
  for (const [name, field] of Object.entries(schema.fields)) properties[name] ??= fieldSchema(field);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Gyre',
    type: 'object',
    properties,
    additionalProperties: false,
  };
}

function fieldSchema(field: Leaf | Section): Record<string, unknown> {
  return field.type === 'section' ? objectSchema(field) : leafSchema(field);
}

function objectSchema({ doc, fields }: Section): Record<string, unknown> {
  const properties = Object.fromEntries(
    Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)]),
  );
  return { type: 'object', description: doc, properties, additionalProperties: false };
}

function leafSchema(leaf: Leaf): Record<string, unknown> {
  return { description: leaf.doc, ...typeSchema(leaf), default: fileValue(leaf, leaf.default) };
}

function typeSchema(leaf: Leaf): Record<string, unknown> {
  const text = { type: 'string' };
  switch (leaf.type) {
    case 'bool':
      return { type: 'boolean' };
    case 'int':
      return { type: 'integer', minimum: leaf.min, maximum: leaf.max };
    case 'duration':
      return { type: ['string', 'integer'], ...(leaf.canBeOff ? {} : { minimum: 0 }) };
    case 'string':
      return leaf.values ? { enum: leaf.values } : text;
    case 'list':
      return { type: ['array', 'string'], items: leaf.values ? { enum: leaf.values } : text };
    case 'map':
      return { type: ['object', 'array'], additionalProperties: text };
    case 'objects':
      return { type: 'array', items: objectSchema(leaf.item) };
  }
}

const defaults = buildTree(schema, new Map()) as unknown as Config;

/** A configuration as a file has it: durations are texts. Without one, the defaults. */
export function defaultConfig(config: Config = defaults): Record<string, unknown> {
  return fileTree(schema.fields, config);
}

function fileTree(fields: Fields, tree: unknown): Record<string, unknown> {
  const values = Object.entries(fields).map(([key, field]) => {
    const value = valueAt(tree, key);
    return [key, field.type === 'section' ? fileTree(field.fields, value) : fileValue(field, value)];
  });
  return Object.fromEntries(values) as Record<string, unknown>;
}

function fileValue(leaf: Leaf, value: unknown): unknown {
  if (leaf.type === 'duration') return formatDuration(value as number);
  if (leaf.type !== 'objects') return value;
  return (value as readonly unknown[]).map((item) => fileTree(leaf.item.fields, item));
}

/**
 * A configuration as variables, `GYRE_X=value`, sorted. Without one, the defaults.
 * @param wanted tells by path and written value whether an option is in it
 */
export function defaultEnv(
  config: Config = defaults,
  wanted: (path: string, text: string) => boolean = () => true,
): string[] {
  const lines: string[] = [];
  for (const { path, leaf } of scopeOf(schema).rows.values()) {
    const value = fileValue(leaf, valueAt(config, path));
    const json = leaf.type === 'map' || leaf.type === 'objects';
    const text = json ? JSON.stringify(value) : Array.isArray(value) ? value.join(' ') : String(value);
    if (wanted(path, text)) lines.push(`GYRE_${envName(path)}=${text}`);
  }
  return lines.sort();
}
