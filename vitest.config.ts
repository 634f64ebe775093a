import { configDefaults, defineConfig } from 'vitest/config';

const PROOF = 'test/proof/**';

function project(name: string, include: string[], exclude: string[] = []) {
  return {
    extends: true as const,
    test: { name, include, exclude: [...configDefaults.exclude, ...exclude] },
  };
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Most tests wait for processes that they started: three at once keep two cores busy.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      project('main', ['test/**/*.test.ts'], [PROOF]),
      project('crash', ['test/proof/crash/**/*.test.ts']),
      project('soak', ['test/proof/soak/**/*.test.ts']),
      project('proof', ['test/proof/{copies,faults,rows,seams,security,workers}/**/*.test.ts']),
    ],
  },
});
