import { expect, test } from 'vitest';
import type { Principal } from '../../src/ledger/log/log.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { listPurchases, showPurchase, sumPurchases } from '../../src/operations/purchases.ts';
import { plus } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { now } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';
import { bookkeeper } from '../support/principals.ts';

const sessionOf = (ledger: Ledger, principal: Principal) => sessionOn(ledger, { principal });

const at = (minutes: number) => plus(now(), minutes * 60_000);

forEachLedger((_kind, open) => {
  /** Alice has two fundings at the machine, bob one. The first cash-out is paid, the second not yet. */
  async function twoCashOuts() {
    const ledger = await open();
    const book = await books(ledger);
    for (const name of ['alice', 'bob', 'carol']) await book.client(name, { mode: 'flow' }, at(-100));
    await book.cash('alice', 300, at(-99));
    await book.cash('alice', 100, at(-98));
    await book.cash('bob', 400, at(-97));
    const confirmedAt = at(-60);
    await book.cashOut(200, confirmedAt, at(-59), { commission: 40_000n });
    await book.pay(at(-58));
    await ledger.db
      .updateTable('payouts')
      .set({ state: 'settled', settled_at: at(-57) })
      .execute();
    await book.cashOut(400, at(-50), at(-49));
    return { ledger, book, confirmedAt, operator: sessionOf(ledger, { kind: 'operator' }) };
  }

  test('a purchase is what one client’s cash bought, with machine, time, price and payout', async () => {
    const { ledger, confirmedAt, operator } = await twoCashOuts();
    await ledger.db.updateTable('machines').set({ name: 'Antigua' }).execute();
    const first = {
      ...{ id: 'cash-out 1', client: 'alice', machine: 'm', machine_name: 'Antigua' },
      ...{ confirmed_at: confirmedAt, fiat: '100.00', currency: 'USD' },
      ...{ gross_sats: 100_000n, commission_sats: 20_000n, net_sats: 80_000n },
      // 100 USD for 80,000 sat.
      price: '125000.00',
      state: 'paid',
      payouts: [{ id: expect.stringMatching(/^p\d$/), state: 'settled', settled_at: expect.any(String) }],
    };
    const list = await perform(listPurchases, operator, { client: 'alice' });
    expect(list.total).toBe(2);
    expect(list.rows[1]).toEqual(first);
    expect(list.rows[0]).toMatchObject({
      ...{ id: 'cash-out 2', fiat: '200.00', net_sats: 200_000n, price: '100000.00' },
      ...{ state: 'waiting', payouts: [] },
    });
    const payout = list.rows[1]?.payouts[0]?.id;
    expect(await perform(showPurchase, operator, { id: 'cash-out 1', client: 'alice' })).toEqual({
      ...first,
      allocations: [
        {
          ...{ funding: 'f1', fiat: '75.00', gross_sats: 75_000n, commission_sats: 15_000n },
          ...{ net_sats: 60_000n, payout },
        },
        {
          ...{ funding: 'f2', fiat: '25.00', gross_sats: 25_000n, commission_sats: 5_000n },
          ...{ net_sats: 20_000n, payout },
        },
      ],
    });
    expect(await perform(listPurchases, operator, { client: 'alice', limit: '1' })).toMatchObject({
      ...{ rows: [{ id: 'cash-out 2' }], total: 2 },
    });
    expect(await perform(listPurchases, operator, { client: 'carol' })).toEqual({ rows: [], total: 0 });
  });

  test('sums by day and month are those of the list, and it can be chosen by month and state', async () => {
    const { operator } = await twoCashOuts();
    const { rows } = await perform(listPurchases, operator, { client: 'alice' });
    const total = rows.reduce((all, { net_sats: net }) => all + net, 0n);
    for (const by of ['day', 'month'] as const) {
      const sums = await perform(sumPurchases, operator, { client: 'alice', by });
      expect(sums.reduce((all, { net_sats: net }) => all + net, 0n)).toBe(total);
      expect(sums.reduce((all, { purchases }) => all + purchases, 0)).toBe(2);
      expect(sums.every(({ of }) => of.length === (by === 'day' ? 10 : 7))).toBe(true);
    }
    const [first] = await perform(sumPurchases, operator, { client: 'alice', by: 'day' });
    const day = first?.of ?? '';
    expect(await perform(sumPurchases, operator, { client: 'alice', by: 'day', from: day, to: day })).toEqual(
      [first],
    );
    expect(await perform(sumPurchases, operator, { client: 'alice', to: '2001-01-01' })).toEqual([]);
    const idsOf = async (choice: { month?: string; state?: 'paid' | 'waiting' }) =>
      (await perform(listPurchases, operator, { client: 'alice', ...choice })).rows.map(({ id }) => id);
    expect(await idsOf({ state: 'paid' })).toEqual(['cash-out 1']);
    expect(await idsOf({ state: 'waiting' })).toEqual(['cash-out 2']);
    expect(await idsOf({ month: '2001-01' })).toEqual([]);
    for (const field of ['from', 'to'])
      await expect(
        perform(sumPurchases, operator, { client: 'alice', [field]: '2026-02-30' }),
      ).rejects.toMatchObject({
        ...{ code: 'usage/invalid', field },
      });
  });

  test('it waits until every payout of it has arrived', async () => {
    const { ledger, book, operator } = await twoCashOuts();
    const stateOf = async () =>
      (await perform(showPurchase, operator, { id: 'cash-out 2', client: 'bob' })).state;
    await book.pay(at(-40));
    expect(await stateOf()).toBe('waiting');
    await ledger.db.updateTable('payouts').set({ state: 'held', reason: 'odd' }).execute();
    expect(await stateOf()).toBe('waiting');
    await ledger.db
      .updateTable('payouts')
      .set({ state: 'settled', settled_at: at(-39) })
      .execute();
    expect(await stateOf()).toBe('paid');
  });

  test('who is no client names one; a cash-out without it is none of its purchases', async () => {
    const { ledger, operator } = await twoCashOuts();
    for (const principal of [{ kind: 'operator' } as const, bookkeeper]) {
      const session = sessionOf(ledger, principal);
      for (const asked of [
        perform(listPurchases, session, {}),
        perform(showPurchase, session, { id: 'cash-out 1' }),
      ])
        await expect(asked).rejects.toMatchObject({ message: 'client: it is missing.' });
      expect((await perform(listPurchases, session, { client: 'bob' })).total).toBe(2);
    }
    await expect(perform(listPurchases, operator, { client: 'zoe' })).rejects.toMatchObject({
      ...{ kind: 'not-found', field: 'client' },
    });
    await expect(
      perform(showPurchase, operator, { id: 'cash-out 1', client: 'carol' }),
    ).rejects.toMatchObject({
      kind: 'not-found',
      message: 'id: there is no purchase of carol in cash-out "cash-out 1".',
    });
  });
});
