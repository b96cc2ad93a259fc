import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { LABEL_SEPARATOR, rows, type Row, type Sources } from './names.ts';

/** What `/metrics` answers with. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

/**
 * Serves every row of the table, and what Node.js tells of the process.
 * @param prefix stands before each name, followed by an underscore
 */
export function createMetrics(prefix: string, sources: Sources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: `${prefix}_` });
  for (const row of rows) register(registry, `${prefix}_${row.name}`, row, sources);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

function register(registry: Registry, name: string, row: Row, sources: Sources): void {
  const settings = { name, help: row.help, labelNames: row.labels, registers: [registry] };
  if (row.type === 'gauge') {
    new Gauge({
      ...settings,
      collect() {
        this.reset();
        each(row, sources, (labels, value) => this.set(labels, value));
      },
    });
    return;
  }
  new Counter({
    ...settings,
    collect() {
      // The packages count themselves, from the start of the process on: each scrape shows their numbers.
      this.reset();
      each(row, sources, (labels, value) => this.inc(labels, value));
    },
  });
}

function each(
  row: Row,
  sources: Sources,
  set: (labels: Record<string, string>, value: number) => void,
): void {
  for (const [key, value] of Object.entries(row.read(sources))) {
    const values = key.split(LABEL_SEPARATOR);
    set(Object.fromEntries(row.labels.map((label, i) => [label, values[i] ?? ''])), value);
  }
}
