import { expect, test } from 'vitest';
import { sum } from '../../../src/dca/money.ts';
import { replay } from '../../../src/ledger/clients/replay.ts';
import type { Instant } from '../../../src/time.ts';
import { type Books, books } from '../../support/books.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const day = (number: number, hour = 18): Instant =>
  `2026-11-${`${number}`.padStart(2, '0')}T${`${hour}`.padStart(2, '0')}:00:00.000000Z`;

const range = { currency: 'USD', digits: 2, from: day(1), until: day(30), priority: 'shared' as const };

async function idOf({ ledger }: Books, name: string): Promise<bigint> {
  const { id } = await ledger.db
    .selectFrom('recipients')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return id;
}

async function actual({ ledger }: Books, client: bigint) {
  const rows = await ledger.db
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .select(['allocations.fiat', 'allocations.net'])
    .where('client_id', '=', client)
    .where('cash_outs.confirmed_at', '>=', range.from)
    .execute();
  return { fiat: sum(rows.map(({ fiat }) => fiat)), net: sum(rows.map(({ net }) => net)) };
}

/** Cash that comes and goes, a pause, a limit that changes, and cash-outs that exhaust a funding. */
async function eventful(book: Books): Promise<void> {
  await book.client('alice', { mode: 'flow' }, day(1, 1));
  await book.client('bob', { mode: 'fixed', daily: 20 }, day(1, 1));
  await book.client('carl', { mode: 'flow' }, day(1, 1));
  await book.cash('alice', 300, day(1, 2));
  await book.cash('bob', 500, day(1, 2));
  await book.cash('carl', 40, day(1, 2));
  await book.cashOut(50, day(2));
  await book.cashOut(37, day(2, 19));
  await book.cash('carl', 200, day(3));
  await book.cashOut(90, day(4));
  await book.pause('carl', day(5));
  await book.limit('bob', 5, day(5));
  await book.cashOut(61, day(6));
  await book.cashOut(23, day(6, 20));
  await book.cash('alice', 70, day(7));
  await book.cashOut(400, day(8));
}

forEachLedger((_kind, open) => {
  test('without a difference it is what happened, to the sat', async () => {
    const book = await books(await open());
    await eventful(book);
    for (const name of ['alice', 'bob', 'carl']) {
      const id = await idOf(book, name);
      const { fiat, net, cashOuts, addedFiat } = await replay(book.ledger, id, range);
      expect([name, { fiat, net }]).toEqual([name, await actual(book, id)]);
      expect([cashOuts, addedFiat]).toEqual([6, 0n]);
    }
    // Also from a moment in between.
    const id = await idOf(book, 'alice');
    const later = { ...range, from: day(5) };
    const { fiat, cashOuts } = await replay(book.ledger, id, later);
    const whole = await replay(book.ledger, id, range);
    const first = await replay(book.ledger, id, { ...range, until: day(5) });
    expect([cashOuts, first.fiat + fiat]).toEqual([3, whole.fiat]);
  });

  test('a limit, more cash, and a client who was paused', async () => {
    const book = await books(await open());
    await eventful(book);
    const [alice, bob, carl] = [await idOf(book, 'alice'), await idOf(book, 'bob'), await idOf(book, 'carl')];
    const limited = await replay(book.ledger, alice, range, { settings: { mode: 'fixed', daily: 100n } });
    // At most 1 USD on each of the four days with a cash-out.
    expect([limited.fiat, limited.net, limited.purchases]).toEqual([400n, 4_000n, 4]);
    const none = await replay(book.ledger, bob, range, { settings: { mode: 'fixed', daily: null } });
    expect([none.fiat, none.purchases]).toEqual([0n, 0]);
    const active = await replay(book.ledger, carl, range, { settings: { mode: 'flow', daily: null } });
    expect(active.fiat).toBeGreaterThan((await actual(book, carl)).fiat);
    const more = await replay(book.ledger, alice, range, { added: 10_000n });
    expect(more.addedFiat).toBeGreaterThan(0n);
    expect(more.addedFiat).toBeLessThanOrEqual(10_000n);
    expect(more.fiat - more.addedFiat).toBeLessThanOrEqual((await actual(book, alice)).fiat);
    // The replay writes nothing.
    expect(await book.ledger.db.selectFrom('fundings').select('id').execute()).toHaveLength(5);
  });
});
