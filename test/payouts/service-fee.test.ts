import { afterEach, describe, expect, test } from 'vitest';
import { feeOn, rateOf } from '../../src/ledger/service-fee.ts';
import { ledgerStatus } from '../../src/ledger/status.ts';
import { verifyLedger } from '../../src/ledger/verify.ts';
import { now } from '../../src/time.ts';
import type { LnbitsVersion } from '../support/lnbits.ts';
import { type Payday, type PaydayOptions, payday } from '../support/payday.ts';

/* LNbits' service fee: it comes on top of each payment, and is booked, named and part of what is needed. */

const SUPERUSER =
  'credit_source = true\nsuperuser = "superuser"\nsuperuser_password = "the superuser may do everything"';

describe.each(['1.0.0', '1.6.2'] as LnbitsVersion[])(
  'at LNbits %s, with a fee of one percent,',
  (version) => {
    let day: Payday;
    const begin = async (options: PaydayOptions = {}) => {
      day = await payday({ version, ...options });
      await day.lnbits.setServiceFee({
        percent: 1,
        walletId: (await day.lnbits.createUserWallet('fees')).id,
      });
      return day.addClient('alice');
    };
    afterEach(async () => {
      expect((await verifyLedger(day.ledger.db)).differences).toEqual([]);
      await day.stop();
    });
    const fees = async () =>
      (await day.ledger.db.selectFrom('payments').select('fee_msat').orderBy('id').execute()).map(
        ({ fee_msat }) => fee_msat,
      );
    const codes = (report: { problems: { code: string }[] }) => report.problems.map(({ code }) => code);
    const status = () =>
      ledgerStatus(day.ledger.db, {
        ...{ now: now(), source: 'lamassu', staleBefore: '', agedBefore: '' },
        creditSource: day.config.lnbits.creditSource,
      });

    test('the client gets what he is due, the fee is booked, and the first one is told, once', async () => {
      const alice = await begin();
      await day.owe('alice', 100_050n);
      const first = await day.payNow();
      expect([first.settled, codes(first)]).toEqual([1, ['lnbits/service-fee']]);
      expect(first.problems[0]?.exitCode).toBe(2);
      expect(day.lnbits.balance(alice.id)).toBe(100_050n);
      await day.owe('alice', 10n);
      const second = await day.payNow();
      expect([second.settled, codes(second)]).toEqual([1, []]);
      expect(await fees()).toEqual([1_000_500n, 100n]);
      expect((await status()).totals.feeMsat).toBe(1_000_600n);
      // Off again, and on again: told again.
      await day.lnbits.setServiceFee(null);
      await day.owe('alice', 10n);
      expect(codes(await day.payNow())).toEqual([]);
      expect((await status()).fee).toBeNull();
    });

    test('what is booked later: LNbits is gone after it paid, and the next run finds it', async () => {
      const alice = await begin();
      await day.owe('alice', 1_000n);
      day.lnbits.rules.push({ when: { kind: 'pay' }, fault: { at: 'after', do: 'reset' } });
      await day.payNow();
      expect(day.lnbits.balance(alice.id)).toBe(1_000n);
      expect(await fees()).toEqual([10_000n]);
      await day.ledger.db.updateTable('payments').set({ fee_msat: 0n }).execute();
      await day.owe('alice', 7n);
      await day.payNow();
      expect(await fees()).toEqual([10_000n, 70n]);
    });

    test('a balance that is enough without the fee is told as short of it', async () => {
      const alice = await begin({ funds: 2_010n + 1_000n });
      await day.owe('alice', 1_000n);
      await day.payNow();
      await day.owe('alice', 2_000n);
      let short = await day.payNow();
      // Before 1.4 a look kills the invoice that was refused, and it may not be quiet yet.
      if (short.unknown > 0) short = await day.payNow();
      expect(short).toMatchObject({ settled: 0, deferred: 1, problems: [{ code: 'lnbits/balance' }] });
      expect(short.problems[0]?.message).toContain('are missing');
      await day.lnbits.topUp(day.source.id, 20n);
      expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
      expect(day.lnbits.balance(alice.id)).toBe(3_000n);
    });

    test('credit_source covers it, once it is known', async () => {
      const alice = await begin({ funds: 10n, lnbits: SUPERUSER });
      await day.owe('alice', 1_000n);
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 1_000n });
      await day.owe('alice', 200_000n);
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 202_002n });
      expect(day.lnbits.balance(alice.id)).toBe(201_000n);
      const rows = await day.ledger.db.selectFrom('credits').select(['sats', 'fee']).orderBy('id').execute();
      expect(rows).toEqual([
        { sats: 1_000n, fee: 0n },
        { sats: 202_002n, fee: 2_002n },
      ]);
    });

    test('no credit is more than LNbits takes at once, with its fee', async () => {
      await begin({ funds: 20_000n, lnbits: SUPERUSER });
      await day.owe('alice', 1_000n);
      await day.payNow();
      await day.owe('alice', 10_000_000n);
      await day.payNow();
      const rows = await day.ledger.db.selectFrom('credits').select('sats').orderBy('id').execute();
      expect(rows.map(({ sats }) => sats <= 10_000_000n)).toEqual([true, true, true]);
      expect(rows.reduce((all, { sats }) => all + sats, 0n)).toBeGreaterThan(1_000n + 10_100_000n);
    });

    test('it counts in the daily ceiling', async () => {
      await begin({ payouts: 'daily_ceiling_sats = 2015' });
      await day.owe('alice', 1_000n);
      await day.payNow();
      await day.owe('alice', 1_000n);
      expect(await day.payNow()).toMatchObject({ settled: 0, held: 1 });
      expect((await day.payouts())[1]?.reason).toContain('on top of 1,010 sat');
    });
  },
);

test('the rate is the highest share that was taken, up to the most that was seen', () => {
  const of = (paid: bigint, fee: bigint) => ({ paidMsat: paid * 1000n, feeMsat: fee });
  expect(rateOf([])).toBeNull();
  expect(rateOf([of(10n, 0n), of(10n, 100n)])).toBeNull();
  const one = rateOf([of(10n, 100n), of(1_000n, 10_000n)]);
  expect(one).toMatchObject({ capMsat: null });
  expect([feeOn(0n, one), feeOn(100_000n, one), feeOn(100_000n, null)]).toEqual([0n, 1_002n, 0n]);
  const capped = rateOf([of(10n, 100n), of(100_000n, 50_000n)]);
  expect(capped).toMatchObject({ capMsat: 50_000n });
  expect([feeOn(1_000n, capped), feeOn(1_000_000n, capped), feeOn(1_000_000n, capped, 3n)]).toEqual([
    12n,
    52n,
    152n,
  ]);
});
