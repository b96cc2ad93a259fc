import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from './field.ts';
import { requests, results } from './schema.ts';
import { TestApi } from './testing/api.ts';
import { carriers, type Carrier } from './testing/carriers.ts';
import { errorMessages, rows } from './testing/rows.ts';
import type { Row } from './testing/rows/row.ts';

function expected(row: Row, carrier: Carrier): unknown {
  if (row.malformed) return carrier.malformed;
  if (row.error === undefined) return { result: row.result };
  const text = row.error === 102 ? carrier.unknownChannel : errorMessages[row.error];
  return { error: { code: row.error, message: row.message ?? text } };
}

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.start();
});
afterEach(() => api.close());

describe.each(carriers)('$name', (carrier) => {
  const said = rows.filter((row) => carrier.wire === 'json' || !(row.malformed ?? row.onlyJson));
  it.each(said)('$method: $what', async (row) => {
    await row.given?.(api);
    expect(await carrier.call(api, row.method, row.params)).toEqual(expected(row, carrier));
    await row.after?.(api);
    expect(api.errors).toEqual([]);
  });
});

/** Paths of all fields that a value in JSON has, maps and lists passed through. */
function fieldsIn(message: Message<object>, value: unknown, path: string, seen: Set<string>): void {
  for (const field of message.fields) {
    const part = (value as Record<string, unknown> | null)?.[field.wire];
    if (part === undefined || part === null) continue;
    seen.add(`${path}.${field.wire}`);
    if (field.of === undefined) continue;
    const parts = field.shape === 'one' ? [part] : Object.values(part);
    for (const one of parts) fieldsIn(field.of, one, `${path}.${field.wire}`, seen);
  }
}

function fieldsOf(message: Message<object>, path: string): string[] {
  return message.fields.flatMap((field) => [
    `${path}.${field.wire}`,
    ...(field.of === undefined ? [] : fieldsOf(field.of, `${path}.${field.wire}`)),
  ]);
}

/** What no row can show. */
const elsewhere = ['channels.missing_nodes', 'info.missing_nodes', 'rpc.data'];

describe('the list of calls', () => {
  it('has every parameter of every method', () => {
    const seen = new Set<string>();
    for (const row of rows) fieldsIn(requests[row.method], JSON.parse(row.params), row.method, seen);
    const all = Object.entries(requests).flatMap(([method, message]) => fieldsOf(message, method));
    expect(all.filter((path) => !seen.has(path))).toEqual([]);
  });

  it('has every field of every result', () => {
    const seen = new Set<string>();
    for (const row of rows) fieldsIn(results[row.method], row.result, row.method, seen);
    const all = Object.entries(results).flatMap(([method, message]) => fieldsOf(message, method));
    expect(all.filter((path) => !seen.has(path) && !elsewhere.includes(path))).toEqual([]);
  });
});
