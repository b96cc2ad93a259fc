/**
 * Reads the sources and says whether they keep the rules of the house (ARCHITECTURE.md). Prints the two roads and the
 * largest files and functions; fails where a station, an arrow or a confinement is broken. `pnpm house`
 *
 * Nothing is parsed: it reads lines as Prettier leaves them, which is enough and needs no dependency.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** What a package may import of the others. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  server: ['node', 'api', 'broker', 'presence-manager', 'redis', 'protocol'],
  node: ['broker', 'presence-manager', 'protocol'],
  api: ['broker', 'presence-manager', 'protocol'],
  broker: ['redis', 'protocol'],
  'presence-manager': ['redis', 'protocol'],
  redis: ['protocol'],
  protocol: [],
};
const stations = { out: 8, in: 5 } as const;
/** Stations of the road out that every engine of the broker has for itself. */
const engineStations = [4, 5, 6];
const most = { file: 400, function: 80, shown: 5 } as const;

interface Source {
  /** From the root. */
  readonly path: string;
  readonly package: string;
  /** Below `src`. */
  readonly inside: string;
  readonly lines: readonly string[];
  /** A test, or what only tests import. */
  readonly test: boolean;
}

interface Marker {
  readonly road: keyof typeof stations;
  readonly station: number;
  /** "" where the station is not an engine's. */
  readonly engine: string;
  readonly path: string;
  readonly text: string;
}

export interface Findings {
  /** Both roads and the sizes, ready to print. */
  readonly report: string;
  /** What has outgrown its measure. */
  readonly warnings: readonly string[];
  /** Broken rules. */
  readonly problems: readonly string[];
}

/**
 * Checks a tree.
 * @param root the folder that holds `packages`
 */
export function house(root: string): Findings {
  const paths = globSync('packages/*/src/**/*.{ts,lua}', { cwd: root }).sort();
  const sources = paths.map((path) => read(root, path));
  const markers = sources.flatMap(markersOf);
  const sizes = measure(sources.filter((source) => !source.test && !source.inside.startsWith('gen/')));
  const rules = [exportsStation, importsByArrow, siblingsApart, environmentReadOnce];
  return {
    report: [printRoad('out', markers), printRoad('in', markers), ...sizes.report].join('\n'),
    warnings: sizes.warnings,
    problems: [...roadProblems(sources, markers), ...rules.flatMap((rule) => sources.flatMap(rule))],
  };
}

function read(root: string, path: string): Source {
  const [, name = '', inside = ''] = /^packages\/([^/]+)\/src\/(.+)$/.exec(path) ?? [];
  const test = /(^|[-./])(test|contract|testing)(\.ts$|\/)/.test(inside);
  return {
    path,
    package: name,
    inside,
    test,
    lines: readFileSync(join(root, path), 'utf8').trimEnd().split('\n'),
  };
}

const isComment = (line: string): boolean => /^\s*(\/\/|\/\*|\*(\s|\/|$)|--)/.test(line);

// Roads

/** The markers among the comments that a file begins with. */
function markersOf({ path, package: name, inside, lines }: Source): Marker[] {
  const code = lines.findIndex((line) => !/^(\/\/|--)/.test(line));
  return lines.slice(0, code).flatMap((line) => {
    const [, road, station, text = ''] = /^(?:\/\/|--) road (out|in) (\d+)\/\d+: (.+)$/.exec(line) ?? [];
    if (road !== 'out' && road !== 'in') return [];
    const [engine = ''] = road === 'out' && engineStations.includes(Number(station)) ? inside.split('/') : [];
    return [{ road, station: Number(station), engine: name === 'broker' ? engine : '', path, text }];
  });
}

function roadProblems(sources: readonly Source[], markers: readonly Marker[]): string[] {
  // An engine is a folder of the broker with a door.
  const doors = sources.map(
    ({ path }) => /^packages\/broker\/src\/([^/]+)\/index\.ts$/.exec(path)?.[1] ?? '',
  );
  const engines = doors.filter((engine) => engine !== '');
  const problems: string[] = [];
  const left = new Set(markers);
  for (const road of ['out', 'in'] as const) {
    for (let station = 1; station <= stations[road]; station++) {
      for (const engine of road === 'out' && engineStations.includes(station) ? engines : ['']) {
        const found = markers.filter((m) => m.road === road && m.station === station && m.engine === engine);
        const name = `road ${road} ${station}${engine && ` of ${engine}`}`;
        if (found.length === 0) problems.push(`${name} is missing`);
        if (found.length > 1) problems.push(`${name} is doubled: ${found.map((m) => m.path).join(', ')}`);
        for (const marker of found) left.delete(marker);
      }
    }
  }
  for (const { path, road, station } of left)
    problems.push(`${path}: there is no road ${road} ${station} here`);
  return problems;
}

/** In the order of travel: an engine's stations one after the other, then the next engine's. */
function printRoad(road: keyof typeof stations, markers: readonly Marker[]): string {
  const leg = ({ station, engine }: Marker) => (engine === '' && station > 3 ? 2 : Number(engine !== ''));
  const lines = markers
    .filter((marker) => marker.road === road)
    .sort((a, b) => leg(a) - leg(b) || a.engine.localeCompare(b.engine) || a.station - b.station)
    .map((m) => `  ${m.station}  ${m.path.replace(/^packages\/|src\//g, '').padEnd(38)} ${m.text}`);
  return [`road ${road}`, ...lines, ''].join('\n');
}

/** The exported function of a station has the name of its file. */
function exportsStation(source: Source): string[] {
  if (markersOf(source).length === 0 || source.path.endsWith('.lua')) return [];
  const name = posix
    .basename(source.path, '.ts')
    .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const named = new RegExp(`^export (async )?(function\\*?|const|class) ${name}\\b`, 'i');
  return source.lines.some((line) => named.test(line))
    ? []
    : [`${source.path}: exports no ${name}, and is a station`];
}

// Arrows

/** What a file imports, of types too. Relative ones are given as paths from the root. */
function importsOf(source: Source): string[] {
  const code = source.lines.filter((line) => !isComment(line)).join('\n');
  const found = code.matchAll(/\bfrom '([^']+)'|\bimport '([^']+)'|\b(?:import|require)\(\s*'([^']+)'/g);
  return [...found].map(([, from, bare, call]) => {
    const name = from ?? bare ?? call ?? '';
    return name.startsWith('.') ? posix.join(posix.dirname(source.path), name) : name;
  });
}

function importsByArrow(source: Source): string[] {
  const { path, package: own, inside, test } = source;
  const uwsRooms = /^(node\/transports|server\/http)\//;
  return importsOf(source).flatMap((name) => {
    const [, other = '', door] = /^@gyre\/([^/]+)(?:\/(.+))?$/.exec(name) ?? [];
    const forTests = door === 'contract' || door === 'testing';
    const refused =
      (other !== '' && arrows[own]?.includes(other) !== true && `${own} may not import ${other}`) ||
      (name.startsWith('packages/') &&
        !name.startsWith(`packages/${own}/src/`) &&
        'reaches into another package') ||
      (door !== undefined &&
        !test &&
        (forTests || own !== 'server') &&
        `only ${forTests ? '' : 'server and '}tests name it`) ||
      (own === 'protocol' && !test && !name.startsWith('packages/') && 'protocol imports nothing') ||
      (name === 'uWebSockets.js' &&
        !test &&
        !uwsRooms.test(`${own}/${inside}`) &&
        'only node/transports and server/http');
    return refused ? [`${path}: imports ${name}: ${refused}`] : [];
  });
}

/** Folders of server meet in compose.ts; the command line stands on it, and on the configuration. */
function siblingsApart(source: Source): string[] {
  const [folder = '', deeper] = source.inside.split('/');
  if (source.package !== 'server' || source.test || /^compose[./]/.test(source.inside)) return [];
  const below = importsOf(source).flatMap((name) => /^packages\/server\/src\/(.+)$/.exec(name)?.[1] ?? []);
  const met = new Set(
    below
      .filter((name) => name.includes('/') || name === 'compose.ts')
      .map((name) => name.split('/')[0] ?? ''),
  );
  if (deeper === undefined)
    return met.size > 1 ? [`${source.path}: joins ${[...met].join(' and ')}: only compose.ts does`] : [];
  const allowed = folder === 'cli' ? ['cli', 'compose.ts', 'compose', 'config'] : [folder];
  return [...met]
    .filter((name) => !allowed.includes(name))
    .map((name) => `${source.path}: imports its sibling ${name}`);
}

function environmentReadOnce({ path, package: own, inside, lines, test }: Source): string[] {
  if (test || (own === 'server' && ['config/load.ts', 'cli/main.ts'].includes(inside))) return [];
  // Not an option: uWebSockets.js is told by it, before it loads.
  const reads = /process\.env(?!(\.|\[')UWS_HTTP_MAX_HEADERS_SIZE)|\benv\b.*from 'node:process'/;
  const at = lines.findIndex((line) => !isComment(line) && reads.test(line));
  return at === -1 ? [] : [`${path}:${at + 1}: reads the environment: only config/load.ts does`];
}

// Sizes

interface Sized {
  readonly name: string;
  readonly lines: number;
}

function measure(sources: readonly Source[]): { report: string[]; warnings: string[] } {
  const largest = (all: Sized[]): Sized[] => all.sort((a, b) => b.lines - a.lines);
  const files = largest(sources.map(({ path, lines }) => ({ name: path, lines: lines.length })));
  const functions = largest(sources.flatMap(functionsOf));
  const written = sources.flatMap(({ lines }) => lines).filter((line) => line.trim() !== '');
  const share = (100 * written.filter(isComment).length) / Math.max(1, written.length);
  const print = (all: Sized[]) =>
    all.slice(0, most.shown).map(({ name, lines }) => `  ${String(lines).padStart(4)}  ${name}`);
  const over = (all: Sized[], limit: number) =>
    all
      .filter(({ lines }) => lines > limit)
      .map(({ name, lines }) => `${name}: ${lines} lines, more than ${limit}`);
  return {
    report: [
      'largest files',
      ...print(files),
      '',
      'largest functions',
      ...print(functions),
      '',
      `comments ${share.toFixed(0)} %`,
    ],
    warnings: [...over(files, most.file), ...over(functions, most.function)],
  };
}

/** A function begins where its head does and ends with the brace that is indented like it. */
function functionsOf({ path, lines }: Source): Sized[] {
  const notAHead =
    /^\s*(\} )?(if|else|for|while|switch|try|catch|finally|do|class|interface|return \{|export (class|interface))\b/;
  const indent = (line: string): number => line.search(/\S/);
  return lines.flatMap((line, at) => {
    if (isComment(line) || !/(\bfunction\b.*|\).*|=>) \{$/.test(line)) return [];
    // Arguments on lines of their own: the head is above.
    const continued = /^\s*[\])}]*\)/.test(line);
    const above = lines
      .slice(0, at)
      .findLastIndex((other) => indent(other) === indent(line) && !/^\s*[\])}]/.test(other));
    const first = continued ? above : at;
    const head = lines[first] ?? '';
    const last = lines.findIndex(
      (other, i) => i > at && indent(other) === indent(line) && /^\s*\}/.test(other),
    );
    if (last === -1 || notAHead.test(head)) return [];
    const [, named, assigned, method] = /function\*? (\w+)|(?:const|let) (\w+)|([\w#]+)\(/.exec(head) ?? [];
    return [{ name: `${path}:${first + 1} ${named ?? assigned ?? method ?? ''}`, lines: last - first + 1 }];
  });
}

if (import.meta.main) {
  const { report, warnings, problems } = house(join(import.meta.dirname, '..'));
  console.log(report);
  for (const warning of warnings) console.log(`warning: ${warning}`);
  for (const problem of problems) console.error(`broken: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
