import { defineConfig } from 'vitest/config';

/** The tests that mutants have to face: those of the arithmetic and of the payouts' states, all within one process. */
export default defineConfig({
  test: {
    include: [
      'test/dca/**/*.test.ts',
      'test/ledger/payouts.test.ts',
      'test/payouts/{ceiling,commission,decide,pay}.test.ts',
    ],
    pool: 'forks',
  },
});
