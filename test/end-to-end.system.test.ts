import { describe, expect, test } from 'vitest';
import { audit } from './support/auditor.ts';
import type { LnbitsVersion } from './support/lnbits.ts';
import { lnbitsAvailable, startLnbits } from './support/lnbits-real.ts';
import { sshdAvailable } from './support/sshd.ts';
import { startWorld } from './support/world.ts';

/*
 * The whole way of a cash-out, with nothing simulated: PostgreSQL, OpenSSH's sshd, and the oldest and the newest LNbits
 * that are supported, each with one of the two ledgers.
 */
describe.each<{ version: LnbitsVersion; ledger: 'sqlite' | 'postgresql' }>([
  { version: '1.0.0', ledger: 'sqlite' },
  { version: '1.6.2', ledger: 'postgresql' },
])('OpenSSH, LNbits $version and a ledger in $ledger', ({ version, ledger }) => {
  const available = sshdAvailable() && lnbitsAvailable(version);
  const name = available
    ? 'from cash to sats'
    : `skipped: no sshd, or no LNbits ${version} in $AIO_DCA_LNBITS_VENVS`;

  test.skipIf(!available)(name, { timeout: 240_000 }, async () => {
    const world = await startWorld({ tunnel: 'sshd', ledger, lnbits: await startLnbits({ version }) });
    try {
      await world.must(['migrate']);
      await world.must(['doctor']);
      await world.addClient('alice');
      await world.addClient('bob');
      await world.addFunding('alice', '10000 GTQ');
      await world.addFunding('bob', '5000 GTQ');
      await world.insertCashOut();
      await world.insertCashOut({ error: 'jam', dispense_confirmed: false });

      const first = await world.aioDca(['poll', '--json']);
      expect(first.code).toBe(2);
      expect(first.json()).toMatchObject({
        source: { read: 2, new: 1, to_review: 1 },
        distributed: {
          cash_outs: 1,
          gross_sats: 512_400,
          commission_sats: 28_193,
          net_sats: 484_207,
          own_sats: 0,
        },
        payouts: { settled: 2, sats_settled: 484_207, unknown: 0, held: 0 },
        problems: [],
      });
      expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 0 } });

      await world.insertCashOut();
      await world.must(['poll']);
      const seen = await audit(world);
      expect(seen.violations).toEqual([]);
      expect(seen.spent).toBe(968_414n);
      expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
    } finally {
      await world.stop();
    }
  });
});
