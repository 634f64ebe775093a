import { expect, test } from 'vitest';
import { type LnbitsVersion, lnbitsVersions } from '../../support/lnbits.ts';
import { lnbitsAvailable } from '../../support/lnbits-real.ts';
import { sshdAvailable } from '../../support/sshd.ts';
import { long } from '../seed.ts';
import { type InstallationOptions, startInstallation } from './installation.ts';
import { furnish, soak, type Tally } from './rounds.ts';

/*
 * Installations of real parts, on which anything may die at any moment: the bridge, LNbits, sshd, Lamassu's PostgreSQL
 * and the ledger's. What the next runs find is all that there is; in the end every wallet holds what it must.
 */

const QUIET = '2 s';
const ROUNDS = long ? 250 : 75;
const VERSIONS: LnbitsVersion[] = long ? [...lnbitsVersions] : ['1.6.2', '1.6.2'];

const available = sshdAvailable() && VERSIONS.every(lnbitsAvailable);

test.skipIf(!available)(
  available
    ? 'random kills of real parts lose nothing and pay nothing twice'
    : 'skipped: no sshd or no LNbits',
  { timeout: long ? 7_200_000 : 1_200_000 },
  async () => {
    await using stack = new AsyncDisposableStack();
    const options = VERSIONS.flatMap((version): InstallationOptions[] => [
      { version, ledger: 'sqlite', quiet: QUIET },
      { version, ledger: 'postgresql', quiet: QUIET },
    ]);
    const installations = await Promise.all(
      options.map(async (one, index) => {
        const name = `installation ${index + 1} (LNbits ${one.version}, ${one.ledger})`;
        const installation = await startInstallation(name, one, stack);
        await furnish(installation);
        return installation;
      }),
    );
    const tallies = await Promise.all(
      installations.map((installation) => soak(installation, { rounds: ROUNDS, auditEvery: 25 })),
    );
    const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
    const victims = new Set(tallies.flatMap(({ kills }) => [...kills.keys()]));
    const killed = [...victims].map((victim) => `${victim} ${sum(({ kills }) => kills.get(victim) ?? 0)}`);
    process.stdout.write(
      `soak: ${ROUNDS * tallies.length} rounds; killed: ${killed.join(', ')}; runs cut short: ${sum((one) => one.cut)}; ` +
        `payouts settled: ${sum((one) => one.payments)}; debited by a killed LNbits and never credited: ${sum((one) => one.lostByLnbits.length)}; lost ${sum((one) => one.lost)}, twice ${sum((one) => one.twice)}\n`,
    );
    expect(tallies.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(sum(({ cut }) => cut)).toBeGreaterThan((ROUNDS * tallies.length) / 5);
  },
);
