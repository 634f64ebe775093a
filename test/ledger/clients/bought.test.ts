import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { boughtBy, type PurchasedInAll } from '../../../src/ledger/clients/bought.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { type Instant, plus } from '../../../src/time.ts';
import { books } from '../../support/books.ts';
import { now } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const DAY = 86_400_000;
const at = (days: number): Instant => plus(now(), days * DAY);

/** By reading each allocation. */
async function oneByOne({ db }: Ledger, client: bigint): Promise<PurchasedInAll> {
  const rows = await db
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select(['allocations.net', 'allocations.fiat', 'allocations.cash_out_id', 'payouts.state'])
    .select('cash_outs.confirmed_at')
    .where('allocations.client_id', '=', client)
    .execute();
  const arrived = rows.filter(({ net, state }) => net === 0n || state === 'settled');
  const open = rows.filter((row) => !arrived.includes(row));
  const sum = (of: typeof rows, what: 'net' | 'fiat') => of.reduce((all, row) => all + row[what], 0n);
  const times = arrived.map((row) => row.confirmed_at).sort((a, b) => (a < b ? -1 : 1));
  return {
    ...{ sats: sum(arrived, 'net'), fiat: sum(arrived, 'fiat') },
    ...{ openSats: sum(open, 'net'), openFiat: sum(open, 'fiat') },
    purchases: BigInt(new Set(arrived.map((row) => row.cash_out_id)).size),
    ...{ firstAt: times[0] ?? null, lastAt: times.at(-1) ?? null },
  };
}

forEachLedger((_kind, open) => {
  test('it is what the allocations add up to, at each step of them', async () => {
    const ledger = await open();
    const book = await books(ledger);
    for (const name of ['alice', 'bob', 'carol']) await book.client(name, { mode: 'flow' }, at(-40));
    // Two lots of one client give for the same cash-outs, and are used up at different times.
    await book.cash('alice', 400, at(-39));
    await book.cash('alice', 90, at(-39));
    await book.cash('bob', 700, at(-39));
    const clients = await ledger.db.selectFrom('recipients').select(['id', 'name']).execute();
    const same = async () => {
      const of = await boughtBy(
        ledger.db,
        clients.map(({ id }) => id),
      );
      for (const { id, name } of clients) {
        expect([name, of(id, 'USD')]).toEqual([name, await oneByOne(ledger, id)]);
        expect((await boughtBy(ledger.db, [id]))(id, 'USD')).toEqual(of(id, 'USD'));
      }
    };
    const settle = (which: readonly bigint[] | 'all') =>
      ledger.db
        .updateTable('payouts')
        .set({ state: 'settled', settled_at: now() })
        .where('state', '<>', 'settled')
        .$if(which !== 'all', (some) => some.where('id', 'in', which === 'all' ? [] : which))
        .execute();
    await same();
    // Confirmed later than what was confirmed on a later local day, as in another time zone.
    for (const [day, zone] of [
      [-30, 'Pacific/Auckland'],
      [-29.9, 'Pacific/Honolulu'],
      [-20, 'Pacific/Auckland'],
      [-19.9, 'Pacific/Honolulu'],
    ] as const) {
      book.settings.timezone = zone;
      await book.cashOut(100, at(day));
      await same();
      await book.pay(at(day));
      await same();
    }
    await settle([1n, 3n, 5n]);
    await same();
    // For the last of the cash there is not a sat.
    await book.cashOut(30, at(-10), at(-10), { distributed: 1n });
    await same();
    await settle('all');
    await book.cashOut(200, at(-5));
    await same();
    await book.pay(at(-4));
    await same();
  });

  test('more fundings than one query takes values have their first and last day', async () => {
    const ledger = await open();
    const book = await books(ledger);
    await book.client('alice', { mode: 'flow' }, at(-40));
    await book.cash('alice', 90, at(-39));
    await book.cashOut(10, at(-30));
    await book.cashOut(10, at(-20));
    await book.pay(at(-19));
    await ledger.db.updateTable('payouts').set({ state: 'settled', settled_at: now() }).execute();
    const { id } = await ledger.db.selectFrom('recipients').select('id').executeTakeFirstOrThrow();
    const before = await oneByOne(ledger, id);
    const copies = sql.raw(
      'with recursive n (i) as (select 1 union all select i + 1 from n where i < 12000)',
    );
    // Each of them gave for both cash-outs, so a window for each day.
    await sql`insert into fundings (id, client_id, machine, currency, amount, remaining, spent, withdrawn, rate, status,
        created_at, deposited_at)
      ${copies} select 1000 + i, client_id, machine, currency, amount, remaining, spent, withdrawn, rate, status,
        created_at, deposited_at from fundings, n where id = 1`.execute(ledger.db);
    await sql`insert into allocations (cash_out_id, funding_id, client_id, mode, local_date, currency, fiat, gross,
        commission, net, payout_id)
      ${copies} select cash_out_id, 1000 + i, client_id, mode, local_date, currency, fiat, gross, commission, net,
        payout_id from allocations, n where funding_id = 1`.execute(ledger.db);
    const { firstAt, lastAt } = (await boughtBy(ledger.db, [id]))(id, 'USD');
    expect({ firstAt, lastAt }).toEqual({ firstAt: before.firstAt, lastAt: before.lastAt });
  });

  test('who bought nothing has nothing', async () => {
    const ledger = await open();
    const of = await boughtBy(ledger.db, [1n]);
    expect(of(1n, 'USD')).toMatchObject({ sats: 0n, purchases: 0n, lastAt: null });
  });
});
