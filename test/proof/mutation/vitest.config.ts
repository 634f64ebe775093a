import { defineConfig } from 'vitest/config';

/**
 * The tests that mutants have to face: those of the arithmetic and of the payouts' states, all within one process. Not
 * `payouts/pay.test.ts` and `payouts/top-up.test.ts`, which wait for real silences of LNbits: a mutant that nobody
 * notices meets all tests, and would take a minute. What they notice, the others have to notice as well.
 */
export default defineConfig({
  test: {
    include: [
      'test/dca/**/*.test.ts',
      'test/ledger/payouts/{form,payouts}.test.ts',
      'test/payouts/{ceiling,destination,invoice,preflight,preflight.steps,session,top-up.steps}.test.ts',
      'test/payouts/pay.{commission,refusals,silence,steps}.test.ts',
      'test/payouts/{decide,evidence,resolve,top-up.judge-credit}.unit.test.ts',
    ],
    pool: 'forks',
    testTimeout: 20_000,
  },
});
