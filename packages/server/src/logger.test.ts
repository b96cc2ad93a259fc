import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogger, type Logger } from './logger.ts';

function logInto(level: string) {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'deep', 'gyre.log');
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: createLogger({ level, file }), lines };
}

const methodsOf = (log: Logger) =>
  (['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const).filter((name) => log[name] !== undefined);

test('writes lines of JSON', async () => {
  const { log, lines } = logInto('info');
  log.warn?.('careful', { port: 1 });
  log.error?.('broken', { error: new Error('why') });
  await vi.waitFor(() => expect(lines()).toHaveLength(2));
  expect(lines()).toMatchObject([
    { level: 'warn', message: 'careful', port: 1, time: expect.stringMatching(/^\d{4}-.*Z$/) as string },
    { level: 'error', message: 'broken', error: { message: 'why', stack: expect.any(String) as string } },
  ]);
});

test('has the methods of its level, and those of another one once that is set', async () => {
  const { log, lines } = logInto('warn');
  expect(methodsOf(log)).toEqual(['warn', 'error', 'fatal']);
  log.setLevel('debug');
  expect(methodsOf(log)).toEqual(['debug', 'info', 'warn', 'error', 'fatal']);
  log.debug?.('now');
  log.setLevel('none');
  expect(methodsOf(log)).toEqual([]);
  log.setLevel('fatal');
  expect(methodsOf(log)).toEqual(['fatal']);
  await vi.waitFor(() => expect(lines()).toMatchObject([{ level: 'debug', message: 'now' }]));
});
