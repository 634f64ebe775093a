import { expect, test } from 'vitest';
import type * as z from 'zod';
import type { Principal } from '../../src/ledger/log/log.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { exportRows } from '../../src/operations/export.ts';
import type { Needs, Operation } from '../../src/operations/operation.ts';
import { showStatement } from '../../src/operations/statements.ts';
import { type Instant, systemClock } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';

const day = (text: string): Instant => `2026-${text}.000000Z`;

/** Asks in November of 2026. */
function asking(
  ledger: Ledger,
  principal: Principal = { kind: 'operator' },
  now: Instant = day('11-30T18:00:00'),
) {
  const clock = { ...systemClock, now: () => now };
  return <N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
    operation: Operation<N, Input, View>,
    input: z.input<Input>,
  ) => perform(operation, sessionOn(ledger, { principal, clock }), input);
}

forEachLedger((_kind, open) => {
  async function aliceBought() {
    const ledger = await open();
    const book = await books(ledger);
    for (const name of ['alice', 'bob']) {
      await book.client(name, { mode: 'flow' }, day('10-02T12:00:00'));
      await book.cash(name, 100, day('10-02T12:00:00'));
    }
    // The last of October and the first of November, where it is UTC-6.
    await book.cashOut(10, day('11-01T05:59:59'), undefined, { commission: 400n });
    await book.cashOut(21, day('11-01T06:00:00'), undefined, { commission: 771n });
    await book.cashOut(33, day('11-20T12:00:00'), undefined, { commission: 1_234n });
    return ledger;
  }

  test('months are local, and agree with the export of the same month to the sat and the cent', async () => {
    const ask = asking(await aliceBought());
    const statement = await ask(showStatement, { name: 'alice', month: '2026-11' });
    expect(statement).toMatchObject({
      ...{ from: day('11-01T06:00:00'), before: day('12-01T06:00:00'), as_of: day('11-30T18:00:00') },
      document: null,
    });
    const [usd] = statement.currencies;
    expect(usd?.cash.opening).toBe('95.00');
    expect(usd?.purchases.map((one) => one.cash_out)).toEqual(['cash-out 2', 'cash-out 3']);
    const { totals } = await ask(exportRows, { kind: 'allocations', client: 'alice', month: '2026-11' });
    expect(totals.USD).toMatchObject({ rows: 2, ...usd?.totals });
    const october = await ask(showStatement, { name: 'alice', month: '2026-10' });
    expect(october).toMatchObject({ as_of: null, currencies: [{ cash: { closing: usd?.cash.opening } }] });
  });

  test('a month before the first entry is empty; one that has not begun is refused, and so is what is no month', async () => {
    const ask = asking(await aliceBought());
    const empty = await ask(showStatement, { name: 'alice', month: '2026-09', format: 'text' });
    expect(empty).toMatchObject({
      currencies: [],
      document: expect.stringContaining('alice had no cash and no satoshi here, neither'),
    });
    const refused: [month: string, says: string][] = [
      ['2026-12', 'month: 2026-12 has not begun yet.'],
      ['2026-13', 'month: "2026-13" is not a month.'],
      ['november', 'month: "november" is not a month.'],
    ];
    for (const [month, says] of refused)
      await expect(ask(showStatement, { name: 'alice', month })).rejects.toThrow(says);
    await expect(ask(showStatement, { name: 'zoe', month: '2026-11' })).rejects.toThrow('name: ');
  });

  test('a fixed client sees what is paid next, and when, as long as the month goes on', async () => {
    const ledger = await open();
    const book = await books(ledger);
    await book.client('carla', { mode: 'fixed', daily: 50 }, day('10-02T12:00:00'));
    await book.cash('carla', 100, day('10-02T12:00:00'));
    await book.cashOut(30, day('11-30T17:00:00'), day('11-30T17:01:00'));
    const carla = asking(ledger, { kind: 'client', client: 'carla' }, day('11-30T17:30:00'));
    const of = (month: string) => carla(showStatement, { name: 'carla', month, format: 'text' });
    expect(await of('2026-11')).toMatchObject({
      payday: { at: day('11-30T18:00:00'), sats: 30_000n },
      document: expect.stringContaining('30,000 sat are paid at Nov 30, 2026, 12:00.'),
    });
    expect(await of('2026-10')).toMatchObject({ payday: null });
  });

  test('each format is written in each language; a client may have its own', async () => {
    const ledger = await aliceBought();
    const alice = asking(ledger, { kind: 'client', client: 'alice' });
    const of = async (format: 'text' | 'csv' | 'html', lang: 'en' | 'es') =>
      (await alice(showStatement, { name: 'alice', month: '2026-11', format, lang })).document;
    expect(await of('text', 'en')).toContain('Statement of alice, November 2026');
    expect(await of('csv', 'es')).toMatch(/^tipo,hora_utc,hora_local,moneda,/);
    expect(await of('csv', 'en')).toContain('purchase,2026-11-01T06:00:00.000000Z,2026-11-01 00:00:00,USD,');
    expect(await of('html', 'es')).toMatch(/^<!doctype html>\n<html lang="es-GT">/);
    await expect(alice(showStatement, { name: 'bob', month: '2026-11' })).rejects.toThrow('bob');
  });
});
