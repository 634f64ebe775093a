/**
 * Mutation testing of what decides about money: the arithmetic, the state machine of payouts and what takes its steps.
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'test/proof/mutation/vitest.config.ts', related: false },
  // Stryker would rewrite the paths of tsconfig.json with TypeScript 5's API, which TypeScript 7 does not have.
  tsconfigFile: 'none',
  coverageAnalysis: 'perTest',
  mutate: ['src/dca/**/*.ts', 'src/payouts/*.ts', 'src/ledger/payouts/{payouts,open-payouts,form}.ts'],
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: 'coverage/mutation.json' },
  tempDirName: 'node_modules/.cache/stryker',
  // However slow the machine is.
  timeoutMS: 20_000,
  concurrency: 2,
  thresholds: { high: 95, low: 90, break: 90 },
};
