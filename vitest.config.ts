import { defineConfig } from 'vitest/config';

/** `unit` runs with `npm test`; `long` holds the heavy proofs (kills, a million fuzzed records) of `npm run test:long`, `trino` what a real engine must say the same to, of `npm run test:trino`. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/long/**', 'test/trino/**'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      { test: { name: 'long', include: ['test/long/**/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 600_000 } },
      {
        test: {
          name: 'trino',
          include: ['test/trino/**/*.test.ts'],
          globalSetup: './test/trino/server.ts',
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
    reporters: ['default', './test/closing-line.ts'],
    pool: 'forks',
    maxWorkers: 2,
  },
});
