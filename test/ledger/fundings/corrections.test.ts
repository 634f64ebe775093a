import { describe, expect, test } from 'vitest';
import { closeClient } from '../../../src/ledger/clients/close.ts';
import { adjustFunding, moveFunding } from '../../../src/ledger/fundings/corrections.ts';
import { cancelFunding, confirmFunding, withdrawFunding } from '../../../src/ledger/fundings/fundings.ts';
import { historyOf } from '../../../src/ledger/fundings/history.ts';
import { findFunding, listFundings } from '../../../src/ledger/fundings/view.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { setMachine } from '../../../src/ledger/machine-changes.ts';
import { seeMachines } from '../../../src/ledger/machines/register.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { type Books, books } from '../../support/books.ts';
import { bootless } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const begin = '2026-11-01T00:00:00.000000Z';
const later = '2026-11-10T00:00:00.000000Z';
const out = '2026-11-05T00:00:00.000000Z';

forEachLedger((_kind, open) => {
  const start = async () => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, begin);
    return book;
  };
  const centro = ({ ledger }: Books) =>
    ledger.write((trx) =>
      seeMachines(trx, { ...who, at: begin }, [{ deviceId: 'm2', name: 'Centro' }], 'lamassu'),
    );
  const adjust = ({ ledger }: Books, id: bigint, minor: bigint, currency = 'USD') =>
    ledger.write((trx) =>
      adjustFunding(trx, { ...who, at: later, reason: 'counted again' }, id, { minor, currency }),
    );
  const move = ({ ledger }: Books, id: bigint, machine: string | null) =>
    ledger.write((trx) => moveFunding(trx, { ...who, at: later }, id, machine));
  const confirm = ({ ledger }: Books, id: bigint, minor: bigint, currency = 'USD') =>
    ledger.write((trx) =>
      confirmFunding(trx, { ...who, at: later }, id, { depositedAt: begin, counted: { minor, currency } }),
    );
  const balances = async ({ ledger }: Books) => expect((await verifyLedger(ledger)).differences).toEqual([]);

  describe('counted at the confirmation', () => {
    test.each([
      ['less', 9_500n, '-5.00'],
      ['more', 10_500n, '5.00'],
    ])(
      '%s than announced: that is the amount, and the log has the difference',
      async (_, minor, difference) => {
        const book = await start();
        const id = await book.cash('alice', 100, begin, { depositedAt: null });
        const { funding } = await confirm(book, id, minor);
        expect(funding).toMatchObject({ amount: minor, remaining: minor, status: 'deposited' });
        expect((await historyOf(book.ledger.db, funding)).at(-1)).toMatchObject({
          action: 'funding confirm',
          before: { amount: '100.00' },
          after: { difference },
        });
        await balances(book);
      },
    );

    test('in another currency is refused', async () => {
      const book = await start();
      const id = await book.cash('alice', 100, begin, { depositedAt: null });
      await expect(confirm(book, id, 100n, 'GTQ')).rejects.toThrow('counted: f1 is cash in USD, not in GTQ');
    });
  });

  describe('an adjustment', () => {
    test('changes what was given and what remains, and says why', async () => {
      const book = await start();
      const id = await book.cash('alice', 100, begin);
      await book.cashOut(30, out);
      expect(await adjust(book, id, -5_000n)).toMatchObject({
        amount: 5_000n,
        remaining: 2_000n,
        spent: 3_000n,
      });
      const funding = await adjust(book, id, 1_000n);
      expect(funding).toMatchObject({ amount: 6_000n, remaining: 3_000n });
      expect((await historyOf(book.ledger.db, funding)).at(-1)).toMatchObject({
        action: 'funding adjust',
        actor: 'dora',
        reason: 'counted again',
        before: { amount: '50.00', remaining: '20.00' },
        after: { amount: '60.00', remaining: '30.00', difference: '10.00' },
      });
      await balances(book);
    });

    test('takes no more than remains', async () => {
      const book = await start();
      const id = await book.cash('alice', 100, begin);
      await book.cashOut(30, out);
      await expect(adjust(book, id, -7_001n)).rejects.toThrow(
        '70.01 USD is more than the 70.00 USD that remain of f1',
      );
      await expect(adjust(book, id, -1n, 'GTQ')).rejects.toThrow('f1 is cash in USD, not in GTQ');
      expect(await findFunding(book.ledger.db, id)).toMatchObject({ amount: 10_000n, remaining: 7_000n });
    });

    test('to nothing ends it; an exhausted one continues with what is added', async () => {
      const book = await start();
      const spent = await book.cash('alice', 100, begin);
      await book.cashOut(30, out);
      expect(await adjust(book, spent, -7_000n)).toMatchObject({ status: 'exhausted', remaining: 0n });
      expect(await adjust(book, spent, 500n)).toMatchObject({ status: 'deposited', remaining: 500n });
      expect(await book.cashOut(30, out)).toMatchObject({ alice: '5.00' });
      const unspent = await book.cash('alice', 10, later);
      expect(await adjust(book, unspent, -1_000n)).toMatchObject({ status: 'withdrawn', amount: 0n });
      await balances(book);
    });

    test('brings back what was withdrawn by mistake, and it shares in cash-outs again', async () => {
      const book = await start();
      const id = await book.cash('alice', 100, begin);
      await book.cashOut(30, out);
      const act = { ...who, at: later, reason: 'the wrong client' };
      await book.ledger.write((trx) => withdrawFunding(trx, act, id, null));
      expect(await adjust(book, id, 5_000n)).toMatchObject({
        ...{ status: 'deposited', remaining: 5_000n, amount: 15_000n, spent: 3_000n, withdrawn: 7_000n },
      });
      expect(await book.cashOut(60, out)).toEqual({ alice: '50.00', own: '10.00' });
      expect(await findFunding(book.ledger.db, id)).toMatchObject({ status: 'exhausted' });
      await balances(book);
    });

    test('of cash on its way changes what is announced, but not to nothing', async () => {
      const book = await start();
      const id = await book.cash('alice', 100, begin, { depositedAt: null });
      expect(await adjust(book, id, -2_000n)).toMatchObject({ status: 'in_flight', amount: 8_000n });
      await expect(adjust(book, id, -8_000n)).rejects.toMatchObject({
        next: { operation: 'fundings.cancel', args: { id: 'f1' } },
      });
    });

    test('is refused for a funding without cash, and for a closed client', async () => {
      const book = await start();
      const cancelled = await book.cash('alice', 100, begin, { depositedAt: null });
      await book.ledger.write((trx) => cancelFunding(trx, { ...who, at: later }, cancelled));
      await expect(adjust(book, cancelled, 1n)).rejects.toThrow('f1 is cancelled');
      const spent = await book.cash('alice', 10, begin);
      await book.cashOut(10, out);
      await book.pay(later);
      await book.ledger.db.updateTable('payouts').set({ state: 'settled', settled_at: later }).execute();
      await book.ledger.write((trx) => closeClient(trx, { ...who, at: later }, 'alice'));
      await expect(adjust(book, spent, 100n)).rejects.toThrow('alice, who is closed');
    });
  });

  describe('a move', () => {
    test('to another machine, or to all: it shares in what is read from then on', async () => {
      const book = await start();
      await centro(book);
      const id = await book.cash('alice', 100, begin);
      expect(await move(book, id, 'Centro')).toMatchObject({ machine: 'm2', remaining: 10_000n });
      expect(await book.cashOut(30, out)).toEqual({ own: '30.00' });
      expect(await book.cashOut(30, out, out, { machine: 'm2' })).toEqual({ alice: '30.00' });
      const funding = await move(book, id, null);
      expect(funding.machine).toBeNull();
      expect(await book.cashOut(30, out)).toEqual({ alice: '30.00' });
      const moves = (await historyOf(book.ledger.db, funding)).filter(
        ({ action }) => action === 'funding move',
      );
      expect(moves).toMatchObject([
        { before: { machine: 'm' }, after: { machine: 'm2' } },
        { before: { machine: 'm2' }, after: { machine: null } },
      ]);
      await balances(book);
    });

    test('is refused where the machine pays out another currency or does not allow the rate', async () => {
      const book = await start();
      await centro(book);
      const set = (change: Parameters<typeof setMachine>[3]) =>
        book.ledger.write((trx) => setMachine(trx, { ...who, at: begin }, 'm2', change));
      const id = await book.cash('alice', 100, begin, { rate: 9_000n });
      await set({ max_rate: 8_000n });
      await expect(move(book, id, 'Centro')).rejects.toThrow(
        'rate: 9 % is outside of what Centro (m2) allows, at most 8 %',
      );
      await expect(move(book, id, null)).rejects.toThrow('9 % is outside');
      await set({ max_rate: null, currency: { code: 'GTQ', digits: 2 } });
      await expect(move(book, id, 'm2')).rejects.toThrow('Centro (m2) pays out GTQ, not USD');
      await expect(move(book, id, 'm3')).rejects.toThrow('there is no machine "m3"');
      expect(await listFundings(book.ledger.db)).toMatchObject([{ machine: 'm' }]);
    });
  });
});
