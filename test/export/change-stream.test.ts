import { expect, test } from 'vitest';
import { type ChangesChoice, changePages, countChanges } from '../../src/export/change-stream.ts';
import type { ExportRow } from '../../src/export/rows.ts';
import { findAbout } from '../../src/ledger/find-subject.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import type { Instant } from '../../src/time.ts';
import { type Books, books } from '../support/books.ts';
import { arriveAll } from '../support/client-scene.ts';
import { forEachLedger } from '../support/ledgers.ts';

const begin = '2026-11-01T00:00:00.000000Z';
const day = (number: number): Instant => `2026-11-${`${number}`.padStart(2, '0')}T18:00:00.000000Z`;
const ALL: ChangesChoice = { from: null, before: null, about: null, actor: null };

async function changes({ ledger }: Books, choice: Partial<ChangesChoice> = {}): Promise<ExportRow[]> {
  const pages = await Array.fromAsync(changePages(ledger.db, { ...ALL, ...choice }));
  const rows = pages.flat();
  expect(await countChanges(ledger.db, { ...ALL, ...choice })).toBe(rows.length);
  const newest = changePages(ledger.db, { ...ALL, ...choice, newestFirst: true });
  expect((await Array.fromAsync(newest)).flat()).toEqual(rows.toReversed());
  return rows;
}

const named = (rows: ExportRow[]) => rows.map(({ action, subject }) => `${action} ${subject}`);
const after = (row: ExportRow | undefined) => JSON.parse(`${row?.after}`) as Record<string, unknown>;

forEachLedger((_kind, open) => {
  test('cash entered late has its part in the log, and none in the first division', async () => {
    const book = await books(await open());
    const about = async (name: string) => changes(book, { about: await findAbout(book.ledger.db, name) });
    await book.client('alice', { mode: 'flow' }, begin);
    await book.client('bob', { mode: 'flow' }, begin);
    await book.cash('alice', 10, begin);
    await book.cashOut(30, day(2));
    await book.cash('bob', 15, day(3), { depositedAt: begin, past: 'from-own' });
    await book.pay(day(4));

    expect(named(await changes(book, { from: day(2) }))).toEqual([
      'cash-out divided cash-out 1',
      'funding add f2',
      'cash-out from own cash-out 1',
      'payout formed p1',
      'payout formed p2',
    ]);
    const [division] = await about('cash-out 1');
    expect(after(division)).toMatchObject({
      ...{ machine: 'm', fiat: '30.00', own_fiat: '20.00', net: '10000', own: '20000', commission: '0' },
      allocations: [{ client: 'alice', funding: 'f1', fiat: '10.00', net: '10000' }],
    });
    expect(named(await about('f1'))).toEqual(['funding add f1', 'cash-out divided cash-out 1']);
    expect(named(await about('f2'))).toEqual(['funding add f2', 'cash-out from own cash-out 1']);
    expect(named(await about('bob'))).toEqual([
      'client add client bob',
      'funding add f2',
      'cash-out from own cash-out 1',
      'payout formed p2',
    ]);
    expect(named(await about('p1'))).toEqual(['payout formed p1']);
    expect(named(await changes(book, { actor: 'test' }))).toEqual(['payout formed p1', 'payout formed p2']);
    await expect(about('cash-out 2')).rejects.toThrow('subject: the ledger knows nothing');
    expect((await verifyLedger(book.ledger)).differences).toEqual([]);
  });

  test('all of them, in the order of time, however many there are', async () => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, begin);
    await book.cash('alice', 1_000, begin);
    for (let number = 1; number <= 60; number += 1) {
      const at = `2026-11-02T18:${`${number % 60}`.padStart(2, '0')}:00.000000Z`;
      await book.cashOut(1, at, at);
      await book.pay(at);
    }
    const rows = await changes(book);
    expect(rows.filter(({ action }) => action === 'cash-out divided')).toHaveLength(60);
    expect(rows.filter(({ action }) => action === 'payout formed')).toHaveLength(60);
    const times = rows.map(({ at }) => `${at}`);
    expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : 1)));
    await arriveAll(book.ledger, '2026-11-03T18:00:00.000000Z');
    const later = (await changes(book)).slice(rows.length);
    expect(named(later)).toEqual(Array.from({ length: 60 }, (_, n) => `payout settled p${n + 1}`));
    expect((await verifyLedger(book.ledger)).differences).toEqual([]);
  });
});
