import { defineConfig } from 'vitest/config';

/**
 * The tests that mutants have to face: those of the arithmetic and of the payouts' states, all within one process. Not
 * `payouts/pay.test.ts` and `payouts/credit.test.ts`, which wait for real silences of LNbits: a mutant that nobody notices
 * meets all tests, and would take a minute. What they notice, the others have to notice as well.
 */
export default defineConfig({
  test: {
    include: [
      'test/dca/**/*.test.ts',
      'test/ledger/payouts/payouts.test.ts',
      'test/payouts/{ceiling,check,check-steps,commission,context,credit-steps,decide,form,invoice}.test.ts',
      'test/payouts/{judge-credit,look,refusals,resolve,silence,steps}.test.ts',
    ],
    pool: 'forks',
    testTimeout: 20_000,
  },
});
