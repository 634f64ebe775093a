import { afterEach, describe, expect, test } from 'vitest';
import { kinds } from '../../src/export/kinds.ts';
import { pages } from '../../src/export/rows.ts';
import { feeOn, rateOf } from '../../src/ledger/payouts/service-fee.ts';
import { readPayoutList } from '../../src/ledger/payouts/view.ts';
import { ledgerStatus } from '../../src/ledger/status.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { overview, shortSats } from '../../src/monitoring/overview.ts';
import { now } from '../support/clock.ts';
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
      expect((await verifyLedger(day.ledger)).differences).toEqual([]);
      await day.stop();
    });
    const fees = async () =>
      (await day.ledger.db.selectFrom('payments').select('fee_msat').orderBy('id').execute()).map(
        ({ fee_msat }) => fee_msat,
      );
    const codes = (report: { problems: { code: string }[] }) => report.problems.map(({ code }) => code);
    const status = () =>
      ledgerStatus(day.ledger.db, {
        ...{ now: now(), host: day.ledger.clock.host(), source: 'lamassu', staleBefore: '', agedBefore: '' },
        creditSource: day.config.lnbits.creditSource,
      });

    test('the client gets what is due, the fee is booked, and the first fee is reported once', async () => {
      const alice = await begin();
      await day.owe('alice', 100_050n);
      const first = await day.payNow();
      expect([first.settled, codes(first)]).toEqual([1, ['lnbits/service-fee']]);
      expect(first.problems[0]?.kind).toBe('attention');
      expect(day.lnbits.balance(alice.id)).toBe(100_050n);
      await day.owe('alice', 10n);
      const second = await day.payNow();
      expect([second.settled, codes(second)]).toEqual([1, []]);
      expect(await fees()).toEqual([1_000_500n, 100n]);
      expect((await status()).totals.feeMsat).toBe(1_000_600n);
      const everything = { from: null, before: null, client: null };
      const exported = (await Array.fromAsync(pages(day.ledger.db, kinds.payouts, everything))).flat();
      expect(exported.map((row) => row.fee_msat)).toEqual([1_000_500n, 100n]);
      expect(kinds.payouts.columns.map(({ name }) => name).slice(-3)).toEqual(['fee_msat', 'price', 'lack']);
      const { rows } = await readPayoutList(day.ledger.db, {}, { limit: 9 });
      expect(rows.map(({ feeMsat }) => feeMsat)).toEqual([100n, 1_000_500n]);
      // Off again, and on again: reported again.
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

    test('a balance that is enough without the fee is reported as short', async () => {
      const alice = await begin({ funds: 2_010n + 1_000n });
      await day.owe('alice', 1_000n);
      await day.payNow();
      await day.owe('alice', 2_000n);
      let short = await day.payNow();
      // Before 1.4 a look-up makes the refused invoice fail, and it may not be quiet yet.
      if (short.unknown > 0) short = await day.payNow();
      expect(short).toMatchObject({ settled: 0, deferred: 1, problems: [{ code: 'lnbits/balance' }] });
      expect(short.problems[0]?.message).toContain('are missing');
      await day.lnbits.topUp(day.source.id, 20n);
      expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
      expect(day.lnbits.balance(alice.id)).toBe(3_000n);
    });

    test.each([
      ['that no payment has told of', 0n, 1_000n],
      ['that was raised since', 1_000n, 1_012n],
    ])('a fee %s, and a balance that is enough without it', async (_, before, balance) => {
      const alice = await begin({ funds: before === 0n ? balance : 1_010n });
      if (before > 0n) {
        await day.owe('alice', before);
        await day.payNow();
        await day.lnbits.topUp(day.source.id, balance);
        await day.lnbits.setServiceFee({
          percent: 3,
          walletId: (await day.lnbits.createUserWallet('other')).id,
        });
      }
      await day.owe('alice', 1_000n);
      let refused = await day.payNow();
      if (refused.unknown > 0) refused = await day.payNow();
      expect(refused).toMatchObject({ settled: 0, deferred: 1, problems: [{ code: 'lnbits/balance' }] });
      expect((await day.payouts()).at(-1)?.reason).toContain('LNbits wants more');
      const view = async () => {
        const seen = await overview(day.ledger, day.config, now());
        return shortSats(seen, { balance: BigInt(day.lnbits.balance(day.source.id)) });
      };
      expect(await view()).toBe(1n);
      await day.lnbits.topUp(day.source.id, 30n);
      expect(await day.payNow()).toMatchObject({ settled: 1 });
      expect(await view()).toBe(0n);
      expect(day.lnbits.balance(alice.id)).toBe(before + 1_000n);
    });

    const credits = () => day.ledger.db.selectFrom('credits').select(['sats', 'fee']).orderBy('id').execute();

    test('credit_source covers it from the very first payment, by what LNbits tells its superuser', async () => {
      const alice = await begin({ funds: 0n, lnbits: SUPERUSER });
      await day.owe('alice', 1_000n);
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 1_012n });
      await day.owe('alice', 200_000n);
      // The rest of the first is used for the second.
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 202_000n });
      expect(day.lnbits.balance(alice.id)).toBe(201_000n);
      expect(await credits()).toEqual([
        { sats: 1_012n, fee: 12n },
        { sats: 202_000n, fee: 2_000n },
      ]);
    });

    test('switched on after the sats were credited: LNbits refuses, and the next run credits the fee alone, once', async () => {
      const alice = await begin({ funds: 0n, lnbits: SUPERUSER });
      const fees = (await day.lnbits.createUserWallet('later')).id;
      await day.lnbits.setServiceFee(null);
      await day.owe('alice', 10_000n);
      day.lnbits.onRequest = async ({ kind }, phase) => {
        if (kind === 'pay' && phase === 'before')
          await day.lnbits.setServiceFee({ percent: 1, walletId: fees });
      };
      let refused = await day.payNow();
      if (refused.unknown > 0) refused = await day.payNow();
      expect(refused).toMatchObject({ settled: 0, problems: [{ code: 'lnbits/balance' }] });
      expect(refused.problems[0]?.message).toContain('takes a service fee');
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 102n });
      expect(day.lnbits.balance(alice.id)).toBe(10_000n);
      expect(await day.payNow()).toMatchObject({ settled: 0, satsCredited: 0n });
      expect(await credits()).toEqual([
        { sats: 10_000n, fee: 0n },
        { sats: 102n, fee: 102n },
      ]);
    });

    test('if one payment is limited, the fee of each of several payments is credited', async () => {
      await begin({ funds: 0n, lnbits: SUPERUSER });
      await day.addClient('bob');
      await day.addClient('carol');
      const walletId = (await day.lnbits.createUserWallet('limited')).id;
      await day.lnbits.setServiceFee({ percent: 1, walletId, maxSats: 50 });
      for (const name of ['alice', 'bob', 'carol']) await day.owe(name, 100_000n);
      expect(await day.payNow()).toMatchObject({ settled: 3, satsCredited: 300_152n });
    });

    test('a fee above the payments is credited up to the sats themselves, never beyond', async () => {
      await begin({ funds: 0n, lnbits: SUPERUSER });
      const walletId = (await day.lnbits.createUserWallet('greedy')).id;
      await day.lnbits.setServiceFee({ percent: 700, walletId });
      await day.owe('alice', 1_000n);
      for (let runs = 0; runs < 4; runs += 1) await day.payNow();
      expect(await credits()).toEqual([{ sats: 2_002n, fee: 1_002n }]);
      expect((await day.payouts())[0]?.state).not.toBe('settled');
    });

    test('if the settings are hidden, the cost of payments shows the fee', async () => {
      await begin({ funds: 10n, lnbits: SUPERUSER });
      await day.owe('alice', 1_000n);
      const hidden = { status: 403, body: { detail: 'Forbidden' } };
      day.lnbits.rules.push({
        when: { kind: 'settings' },
        times: 9,
        fault: { at: 'before', answer: hidden },
      });
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 1_000n });
      await day.owe('alice', 200_000n);
      expect(await day.payNow()).toMatchObject({ settled: 1, satsCredited: 202_002n });
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
