import { defineConfig } from 'vitest/config';

// Packages are run from source: the `source` condition must be known to vite's resolver and to its SSR resolver.
const source = { conditions: ['source', 'node', 'import', 'default'] };

export default defineConfig({
  resolve: source,
  ssr: { resolve: source },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/**/*.test.ts'],
    // Those need a Redis, which `npm test` sees to (scripts/redis.ts).
    exclude: ['**/node_modules/**', ...(process.env['REDIS_TESTS'] === '1' ? [] : ['**/*.redis.test.ts'])],
    // A test that waits for a condition has a deadline of its own; this one only catches a hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
