import { defineConfig } from 'vitest/config';

/** The tests that mutants have to face: those of the arithmetic and of the states, which need no process but PostgreSQL. */
export default defineConfig({
  test: {
    include: ['test/dca/**/*.test.ts', 'test/payouts/decide.test.ts', 'test/ledger/payouts.test.ts'],
    pool: 'forks',
  },
});
