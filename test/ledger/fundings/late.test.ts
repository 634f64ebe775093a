import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../../src/errors.ts';
import { addFunding, confirmFunding, type NewFunding } from '../../../src/ledger/fundings/fundings.ts';
import { historyOf } from '../../../src/ledger/fundings/history.ts';
import type { PastChoice } from '../../../src/ledger/fundings/late.ts';
import { findFunding } from '../../../src/ledger/fundings/view.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { replaceMachine, setMachine } from '../../../src/ledger/machine-changes.ts';
import { seeMachine } from '../../../src/ledger/machines/register.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import type { Instant } from '../../../src/time.ts';
import { type Books, books } from '../../support/books.ts';
import { bootless } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const begin = '2026-11-01T00:00:00.000000Z';
/** The nth of November at noon in Guatemala. */
const day = (number: number): Instant => `2026-11-${`${number}`.padStart(2, '0')}T18:00:00.000000Z`;

forEachLedger((_kind, open) => {
  /** Alice has 50 USD of 200 that come out on the 2nd; nobody has any of the 100 on the 3rd and the 300 on the 4th. */
  const story = async (): Promise<Books> => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, begin);
    await book.client('bob', { mode: 'flow' }, begin);
    await book.cash('alice', 50, begin);
    await book.cashOut(200, day(2), day(2), { distributed: 211_000n, commission: 11_000n });
    await book.cashOut(100, day(3), day(3), { distributed: 105_500n, commission: 5_500n });
    await book.cashOut(300, day(4), day(4), { distributed: 316_500n, commission: 16_500n });
    return book;
  };

  /** Bob's cash, in machine `m` since the 2nd at midnight, entered on the 20th. */
  const late = (ledger: Ledger, usd: number, past?: PastChoice, more: Partial<NewFunding> = {}) =>
    ledger.write((trx) =>
      addFunding(
        trx,
        { ...who, at: day(20) },
        {
          ...{ client: 'bob', amount: { minor: BigInt(usd) * 100n, currency: 'USD', digits: 2 } },
          ...{ machine: 'm', rate: null, depositedAt: '2026-11-02T06:00:00.000000Z', past },
          ...more,
        },
      ),
    );

  const shares = ({ ledger }: Books) =>
    ledger.db
      .selectFrom('cash_outs')
      .select(['own_fiat', 'own', 'net', 'commission'])
      .orderBy('confirmed_at')
      .execute();

  const balances = async ({ ledger }: Books) => expect((await verifyLedger(ledger)).differences).toEqual([]);

  const before = [
    { own_fiat: 15_000n, own: 150_000n, net: 50_000n, commission: 11_000n },
    { own_fiat: 10_000n, own: 100_000n, net: 0n, commission: 5_500n },
    { own_fiat: 30_000n, own: 300_000n, net: 0n, commission: 16_500n },
  ];

  describe('cash that is entered late', () => {
    test('gets out of the own share what it would have had, oldest first, and nobody else loses any', async () => {
      const book = await story();
      const others = await book.ledger.db.selectFrom('allocations').selectAll().execute();
      const { funding, past } = await late(book.ledger, 200, 'from-own');
      expect(funding).toMatchObject({ status: 'exhausted', remaining: 0n, spent: 20_000n });
      expect(past).toMatchObject({
        given: true,
        cashOuts: [
          { ownFiat: 15_000n, fiat: 15_000n, gross: 158_250n, commission: 8_250n, net: 150_000n },
          { ownFiat: 10_000n, fiat: 5_000n, gross: 52_750n, commission: 2_750n, net: 50_000n },
          { ownFiat: 30_000n, fiat: 0n, gross: 0n, commission: 0n, net: 0n },
        ],
      });
      expect(await shares(book)).toEqual([
        { own_fiat: 0n, own: 0n, net: 200_000n, commission: 11_000n },
        { own_fiat: 5_000n, own: 50_000n, net: 50_000n, commission: 5_500n },
        before[2],
      ]);
      expect(
        await book.ledger.db
          .selectFrom('allocations')
          .selectAll()
          .where('funding_id', '<>', funding.id)
          .execute(),
      ).toEqual(others);
      expect(await book.pay(day(20))).toEqual({ alice: 50_000n, bob: 200_000n });
      await balances(book);
    });

    test('shows in its history and in the log when and by whom it got that', async () => {
      const book = await story();
      const { funding } = await late(book.ledger, 200, 'from-own');
      expect(await historyOf(book.ledger.db, funding)).toMatchObject([
        { action: 'funding add', at: day(20) },
        { action: 'spent', cash_out: 'cash-out 1', at: day(20), fiat: '150.00', net_sats: 150_000n },
        { action: 'spent', cash_out: 'cash-out 2', at: day(20), fiat: '50.00', net_sats: 50_000n },
      ]);
      const log = await book.ledger.db
        .selectFrom('log')
        .select(['actor', 'subject', 'before', 'after'])
        .where('action', '=', 'cash-out from own')
        .orderBy('id')
        .execute();
      expect(log.map((row) => row.subject)).toEqual(['cash-out 1', 'cash-out 2']);
      expect(JSON.parse(log[0]?.before ?? '')).toEqual({
        own_fiat: '150.00',
        own_sats: '150000',
        net_sats: '50000',
        commission_sats: '11000',
      });
      expect(JSON.parse(log[0]?.after ?? '')).toMatchObject({
        own_sats: '0',
        net_sats: '200000',
        funding: `f${funding.id}`,
        fiat: '150.00',
        sats: '150000',
      });
    });

    test('leaves the past as it is if that was chosen', async () => {
      const book = await story();
      const { funding, past } = await late(book.ledger, 200, 'leave');
      expect(funding).toMatchObject({ status: 'deposited', remaining: 20_000n, spent: 0n });
      expect(past).toMatchObject({ given: false, cashOuts: [{ ownFiat: 15_000n }, {}, {}] });
      expect(await shares(book)).toEqual(before);
      await balances(book);
    });

    test('is not written without a choice; the error shows what it would have', async () => {
      const book = await story();
      const error = await late(book.ledger, 200).catch((thrown: unknown) => thrown);
      if (!(error instanceof BridgeError)) throw error;
      expect(error).toMatchObject({
        code: 'usage/invalid',
        message: expect.stringContaining(
          '3 cash-outs since then were divided without this cash, and 550.00 USD',
        ),
        next: { operation: 'fundings.preview_add' },
      });
      expect(`${error.hint}`).toMatch(/from_own.*200,000 sat for 200\.00 USD.*no_past/);
      expect(await book.ledger.db.selectFrom('fundings').select('id').execute()).toHaveLength(1);
      expect(await shares(book)).toEqual(before);
    });

    test('needs no choice if there is nothing to get', async () => {
      const book = await story();
      await late(book.ledger, 200, undefined, { depositedAt: day(5) });
      await late(book.ledger, 200, undefined, { depositedAt: null });
      await late(book.ledger, 200, undefined, { machine: null, depositedAt: day(20) });
      await book.pause('bob', begin);
      await late(book.ledger, 200);
      expect(await shares(book)).toEqual(before);
    });

    test('needs the choice at its confirmation as well, with the counted amount', async () => {
      const book = await story();
      const { funding } = await late(book.ledger, 200, undefined, { depositedAt: null });
      const confirm = (past?: PastChoice) =>
        book.ledger.write((trx) =>
          confirmFunding(trx, { ...who, at: day(20) }, funding.id, {
            depositedAt: day(3),
            counted: { minor: 15_000n, currency: 'USD' },
            past,
          }),
        );
      await expect(confirm()).rejects.toThrow('2 cash-outs');
      expect(await findFunding(book.ledger.db, funding.id)).toMatchObject({
        status: 'in_flight',
        amount: 20_000n,
      });
      expect(await confirm('from-own')).toMatchObject({
        funding: { amount: 15_000n, spent: 15_000n, status: 'exhausted' },
        past: { cashOuts: [{ fiat: 10_000n }, { fiat: 5_000n }] },
      });
      await balances(book);
    });

    test('several times, until nothing is left of the own share', async () => {
      const book = await story();
      for (let times = 0; times < 7; times += 1) await late(book.ledger, 77, 'from-own');
      expect(await shares(book)).toMatchObject([
        { own_fiat: 0n, own: 0n },
        { own_fiat: 0n, own: 0n },
        { own_fiat: 1_100n, own: 11_000n },
      ]);
      const last = await late(book.ledger, 77, 'from-own');
      expect(last.funding).toMatchObject({ spent: 1_100n, remaining: 6_600n });
      await balances(book);
    });
  });

  describe('what it would have had', () => {
    test('is charged its own rate; the commission of the cash-out follows', async () => {
      const book = await story();
      const { past } = await late(book.ledger, 100, 'from-own', { rate: 1_000n });
      expect(past.cashOuts[0]).toMatchObject({ gross: 105_500n, commission: 1_055n, net: 104_445n });
      expect((await shares(book))[0]).toEqual({
        own_fiat: 5_000n,
        own: 50_000n,
        net: 154_445n,
        commission: 6_555n,
      });
      await balances(book);
    });

    test('is charged the rate that its machine had then', async () => {
      const book = await story();
      const rate = (rate: bigint, at: Instant) =>
        book.ledger.write((trx) => setMachine(trx, { ...who, at }, 'm', { rate }));
      await rate(2_000n, day(3));
      await rate(9_000n, day(10));
      const { past } = await late(book.ledger, 250, 'from-own');
      expect(past.cashOuts.slice(0, 2)).toMatchObject([
        { gross: 158_250n, commission: 8_250n },
        { gross: 105_500n, commission: 2_110n },
      ]);
      await balances(book);
    });

    test('leaves to commission recipients what they have: then what was charged is paid', async () => {
      const book = await books(await open());
      await book.client('bob', { mode: 'flow' }, begin);
      await book.ledger.write(async (trx) => {
        const wallet = { id: 'of the operator', invoice_key: 'key', created_at: begin };
        await trx.insertInto('wallets').values(wallet).execute();
        const { id } = await trx
          .insertInto('recipients')
          .values({
            kind: 'commission',
            name: 'op',
            wallet_id: wallet.id,
            status: 'active',
            created_at: begin,
          })
          .returning('id')
          .executeTakeFirstOrThrow();
        await trx
          .insertInto('commission_weights')
          .values({ recipient_id: id, machine: null, from_at: begin, weight: 1n })
          .execute();
      });
      await book.cashOut(200, day(2), day(2), { distributed: 211_000n, commission: 11_000n });
      expect(await book.pay(day(2))).toEqual({ op: 11_000n });
      const { past } = await late(book.ledger, 100, 'from-own', { rate: 1_000n });
      expect(past.cashOuts).toMatchObject([{ gross: 105_500n, commission: 5_500n, net: 100_000n }]);
      expect(await shares(book)).toEqual([
        { own_fiat: 10_000n, own: 100_000n, net: 100_000n, commission: 11_000n },
      ]);
      await balances(book);
    });

    test('is for a fixed client no more than the daily limit left, and nothing while paused', async () => {
      const book = await books(await open());
      await book.client('bob', { mode: 'fixed', daily: 120 }, begin);
      await book.cash('bob', 40, begin);
      await book.cashOut(100, day(2));
      await book.cashOut(100, '2026-11-02T19:00:00.000000Z');
      await book.limit('bob', 70, day(3));
      await book.cashOut(100, day(4));
      await book.pause('bob', day(5));
      await book.cashOut(100, day(6));
      const { past } = await late(book.ledger, 1_000, 'from-own');
      // 40 of the limit of 120 on the 2nd were used.
      expect(past.cashOuts.map((one) => [one.ownFiat, one.fiat])).toEqual([
        [6_000n, 6_000n],
        [10_000n, 2_000n],
        [10_000n, 7_000n],
        [10_000n, 0n],
      ]);
      expect(await book.pay(day(20))).toEqual({ bob: 190_000n });
      await balances(book);
    });

    test('is in its own machine only, and in those whose place that machine took', async () => {
      const book = await books(await open());
      await book.client('bob', { mode: 'flow' }, begin);
      for (const machine of ['m', 'm2', 'm3']) {
        await book.ledger.write((trx) => seeMachine(trx, { ...who, at: begin }, machine, 'lamassu'));
        await book.cashOut(100, day(2), day(2), { machine });
      }
      await book.ledger.write((trx) => replaceMachine(trx, { ...who, at: day(10) }, 'm', 'm2'));
      const { past } = await late(book.ledger, 500, 'from-own', { machine: 'm2' });
      expect(past.cashOuts.map((one) => one.machine)).toEqual(['m', 'm2']);
      await balances(book);
    });
  });
});
