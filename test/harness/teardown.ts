import { afterAll, onTestFinished } from 'vitest';

const atEnd: (() => Promise<void>)[] = [];

// Runs when a test file imports the harness, so it belongs to that file.
afterAll(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

/**
 * Ends something when the running test has finished; outside a test (in `beforeAll`, say) when its file has. Last in,
 * first out. What it throws fails the test or the file.
 */
export function teardown(end: () => Promise<void>): void {
  try {
    onTestFinished(end);
  } catch {
    atEnd.push(end);
  }
}
