import { expect, test } from 'vitest';
import { cashLeft, pausedCash } from '../../../src/ledger/fundings/cash-left.ts';
import type { Instant } from '../../../src/time.ts';
import { books } from '../../support/books.ts';
import { forEachLedger } from '../../support/ledgers.ts';

/* The clients' cash per machine and currency. */

const day = (number: number): Instant => `2026-11-${`${number}`.padStart(2, '0')}T12:00:00.000000Z`;

forEachLedger((_kind, open) => {
  test('what is left, what is on its way, and what came out', async () => {
    const book = await books(await open());
    const { db } = book.ledger;
    expect(await cashLeft(db, day(1))).toEqual([]);
    await book.client('alice', { mode: 'flow' }, day(1));
    await book.client('bob', { mode: 'flow' }, day(1));
    await book.cash('alice', 100, day(1));
    await book.cash('alice', 50, day(1));
    await book.cash('bob', 30, day(1), { machine: null });
    await book.cash('bob', 70, day(1), { depositedAt: null });
    await book.cash('bob', 70, day(1), { amount: { minor: 7_000n, currency: 'GTQ', digits: 2 } });
    await book.cashOut(20, day(2));
    await book.cashOut(18, day(3));
    await book.cashOut(5, day(4), day(4), { machine: 'm2' });
    const rows = await cashLeft(db, day(3));
    const of = (machine: string | null, currency: string) =>
      rows.find((one) => one.machine === machine && one.currency === currency);
    expect(rows.map(({ machine, currency }) => `${machine} ${currency}`)).toEqual([
      'm GTQ',
      'm USD',
      'm2 USD',
      'null USD',
    ]);
    const whole = rows
      .filter(({ currency }) => currency === 'USD')
      .reduce((all, one) => all + one.remaining, 0n);
    expect(whole).toBe(18_000n - 4_300n);
    expect(of('m', 'USD')).toMatchObject({
      inFlight: 7_000n,
      clients: 1n,
      dispensed: 1_800n,
      own: 0n,
      digits: 2,
    });
    expect(of('m', 'GTQ')).toMatchObject({ remaining: 7_000n, clients: 1n, dispensed: 0n });
    expect(of('m2', 'USD')).toMatchObject({ remaining: 0n, clients: 0n, dispensed: 500n, own: 0n });
    expect(await pausedCash(db, day(9))).toEqual([]);
    await book.pause('bob', day(5));
    expect(await pausedCash(db, day(4))).toEqual([]);
    const paused = (currency: string) =>
      rows.filter((one) => one.currency === currency).reduce((all, one) => all + one.remaining, 0n);
    expect(await pausedCash(db, day(9))).toMatchObject([
      { client: 'bob', currency: 'GTQ', remaining: paused('GTQ'), digits: 2 },
      { client: 'bob', currency: 'USD' },
    ]);
    expect(of(null, 'USD')).toMatchObject({ name: null, clients: 1n, dispensed: 0n });
  });
});
