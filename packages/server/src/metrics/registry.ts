import { Registry, collectDefaultMetrics } from 'prom-client';
import { rows, type Sources } from './names.ts';
import { exposition } from './row.ts';

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
  const ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess, prefix: `${prefix}_` });
  return {
    contentType: ofProcess.contentType,
    text: async () => {
      const ours = rows.map((row) => exposition(row, `${prefix}_${row.name}`, sources));
      return `${ours.join('\n\n')}\n\n${await ofProcess.metrics()}`;
    },
  };
}
