import type { Distribution } from '@gyre/protocol';

/** Values by label values joined with {@link LABEL_SEPARATOR}; a metric without labels has the one key "". */
export type Values = Readonly<Record<string, number>>;
/** The same for distributions. */
export type Distributions = Readonly<Record<string, Distribution>>;

/** Stands between the label values of one key. */
export const LABEL_SEPARATOR = ':';

interface Named {
  /** Without prefix. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** A metric that is a number, and how it is read from `S` at the moment of a scrape. */
export interface NumberRow<S> extends Named {
  readonly type: 'gauge' | 'counter';
  readonly read: (sources: S) => Values;
}

/** A metric that is a distribution. A summary tells its number and sum alone. */
export interface DistributionRow<S> extends Named {
  readonly type: 'histogram' | 'summary';
  readonly read: (sources: S) => Distributions;
}

export type Row<S> = NumberRow<S> | DistributionRow<S>;

/** The metric as Prometheus reads it: help, type, and a line for each value. */
export function exposition<S>(row: Row<S>, name: string, sources: S): string {
  const lines = isNumber(row) ? numbers(row, name, sources) : distributions(row, name, sources);
  return [`# HELP ${name} ${row.help}`, `# TYPE ${name} ${row.type}`, ...lines].join('\n');
}

function isNumber<S>(row: Row<S>): row is NumberRow<S> {
  return row.type === 'gauge' || row.type === 'counter';
}

function numbers<S>({ labels, read }: NumberRow<S>, name: string, sources: S): string[] {
  return Object.entries(read(sources)).map(
    ([key, value]) => `${name}${braced(labelsOf(labels, key))} ${text(value)}`,
  );
}

function distributions<S>(row: DistributionRow<S>, name: string, sources: S): string[] {
  return Object.entries(row.read(sources)).flatMap(([key, distribution]) => {
    const labels = labelsOf(row.labels, key);
    const count = distribution.counts.reduce((sum, one) => sum + one, 0);
    return [
      ...(row.type === 'histogram' ? bucketsOf(name, labels, distribution) : []),
      `${name}_sum${braced(labels)} ${text(distribution.sum)}`,
      `${name}_count${braced(labels)} ${count}`,
    ];
  });
}

function bucketsOf(
  name: string,
  labels: readonly string[],
  { bounds, counts }: Pick<Distribution, 'bounds' | 'counts'>,
): string[] {
  let below = 0;
  return counts.map((count, i) => {
    below += count;
    return `${name}_bucket${braced([...labels, `le="${text(bounds[i] ?? Infinity)}"`])} ${below}`;
  });
}

function labelsOf(names: readonly string[], key: string): string[] {
  if (names.length === 0) return [];
  const values = key.split(LABEL_SEPARATOR);
  return names.map((name, i) => `${name}="${escaped(values[i] ?? '')}"`);
}

const braced = (labels: readonly string[]): string => (labels.length === 0 ? '' : `{${labels.join(',')}}`);

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const text = (value: number): string => (value === Infinity ? '+Inf' : `${value}`);
