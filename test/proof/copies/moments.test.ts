import { describe, expect, onTestFinished, test } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { testClock } from '../../support/clock.ts';
import { copyOf, type LedgerCopy } from '../../support/ledger-copy.ts';
import { type LnbitsVersion, lnbitsVersions } from '../../support/lnbits.ts';
import type { Phase, SeenRequest } from '../../support/lnbits-simulator.ts';
import { oweTwo, type Payday, payday } from '../../support/payday.ts';

/*
 * A second copy of the ledger begins to pay at any moment of the first one's run: it was made before that run or at
 * just that moment, and the first one goes on while the second one waits, or when that is done (a machine that slept).
 */

const codes = ({ problems }: { problems: { code: string }[] }) => problems.map(({ code }) => code);
const NOT_ALONE = /^ledger\/(in-use-elsewhere|restored)$/;

interface Moment {
  n: number;
  phase: Phase;
  made: 'before' | 'meanwhile';
  wakes: 'while the other waits' | 'when the other is done';
}

/** Stops the first copy at its nth request, lets the other one run, and lets it go on. Null: it has no such request. */
async function meet(version: LnbitsVersion, { n, phase, made, wakes }: Moment) {
  const clock = testClock();
  const day = await payday({ version, clock });
  onTestFinished(() => day.stop());
  const { balances } = await oweTwo(day);
  const copied = async () => {
    const copy = await copyOf(day);
    onTestFinished(() => copy.stop());
    return copy;
  };
  let copy: LedgerCopy | undefined = made === 'before' ? await copied() : undefined;
  let other: ReturnType<LedgerCopy['payNow']> | undefined;
  let seen: SeenRequest | undefined;
  let first: ReturnType<Payday['payNow']>;
  const wake = Promise.withResolvers<void>();
  clock.meanwhile = async (ms) => {
    // Only that for what an earlier run may still send.
    if (ms < 10_000 || wakes === 'when the other is done') return;
    wake.resolve();
    await first;
  };
  day.lnbits.onRequest = async (request, at) => {
    if (seen || request.n !== n || at !== phase) return;
    seen = request;
    copy ??= await copied();
    other = copy.payNow();
    void other.then(() => {
      if (wakes === 'when the other is done') clock.ahead += 3_600_000;
      wake.resolve();
    });
    await wake.promise;
  };
  first = day.payNow();
  const reports = [await first, await (other ?? first)];
  day.lnbits.onRequest = undefined;
  expect((await verifyLedger(day.ledger)).differences).toEqual([]);
  if (!seen) return null;
  return { day, seen, reports, balances: balances() };
}

describe.each(lnbitsVersions)('a second copy of the ledger pays at LNbits %s', (version) => {
  describe.each(['before', 'meanwhile'] as const)('made %s', (made) => {
    test.each(['while the other waits', 'when the other is done'] as const)(
      'nobody is paid twice where the first goes on %s',
      async (wakes) => {
        let moments = 0;
        for (const phase of ['before', 'after'] as const)
          for (let n = 1; ; n += 1) {
            const met = await meet(version, { n, phase, made, wakes });
            if (!met) break;
            const { day, seen, reports, balances } = met;
            const where = `${phase} ${seen.kind}, the request ${n}`;
            // A payment that is an hour on its way: its run gave it up long before, and any other waits for that.
            if (seen.kind === 'pay' && phase === 'before' && made === 'meanwhile' && wakes.startsWith('when'))
              continue;
            moments += 1;
            const [alice = 0n, bob = 0n] = balances;
            expect([where, [0n, 1000n].includes(alice), [0n, 2000n].includes(bob)]).toEqual([
              where,
              true,
              true,
            ]);
            if (reports.flatMap(codes).some((code) => NOT_ALONE.test(code))) continue;
            // Everything that the first one paid was in the copy, too. The next to pay is refused.
            await day.owe('alice', 1n);
            expect([where, codes(await day.payNow())]).toEqual([where, ['ledger/in-use-elsewhere']]);
          }
        expect(moments).toBeGreaterThan(15);
      },
      120_000,
    );
  });
});
