import { configDefaults, defineConfig } from 'vitest/config';

/*
 * Which tests need what. The folder says it, and where a folder has several kinds, the name:
 * NAME.unit.test.ts, NAME.system.test.ts. test/tidy.test.ts checks that they import no more than their project has.
 */
export const UNIT = [
  'test/{tidy,errors}.test.ts',
  'test/{config,dca,doctor,lib,typed}/**/*.test.ts',
  'test/**/*.unit.test.ts',
];
export const SYSTEM = ['test/cli/**/*.test.ts', 'test/**/*.system.test.ts'];
const PROOF = 'test/proof/**';

const POSTGRES = 'test/support/setup-postgres.ts';
const PROGRAM = 'test/support/setup-program.ts';

function project(name: string, include: string[], exclude: string[], globalSetup: string[]) {
  return {
    extends: true as const,
    test: { name, include, exclude: [...configDefaults.exclude, ...exclude], globalSetup },
  };
}

export default defineConfig({
  test: {
    watch: false,
    // Pages are made for 100 columns, however wide the terminal of the test run is.
    env: { COLUMNS: '' },
    pool: 'forks',
    // Most tests wait for processes that they started: three at once keep two cores busy.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One second is not enough for a process that starts while others keep the cores busy.
    expect: { poll: { timeout: 30_000 } },
    projects: [
      // The code alone: no database, no server, no process.
      project('unit', UNIT, [PROOF, '**/*.system.test.ts'], []),
      // In this process, on ledgers in SQLite and PostgreSQL and the LNbits simulator.
      project('integration', ['test/**/*.test.ts'], [PROOF, ...UNIT, ...SYSTEM], [POSTGRES]),
      // The program as processes of its own, and real parts: sshd, LNbits, systemd.
      project('system', SYSTEM, [PROOF, '**/*.unit.test.ts'], [POSTGRES, PROGRAM]),
      project('crash', ['test/proof/crash/**/*.test.ts'], [], [POSTGRES, PROGRAM]),
      project('soak', ['test/proof/soak/**/*.test.ts'], [], [POSTGRES, PROGRAM]),
      project(
        'proof',
        ['test/proof/{copies,faults,rows,seams,security,workers}/**/*.test.ts'],
        [],
        [POSTGRES, PROGRAM],
      ),
    ],
  },
});
