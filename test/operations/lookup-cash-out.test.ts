import { expect, test } from 'vitest';
import { lamassuId } from '../../src/lamassu/id.ts';
import { findAbout } from '../../src/ledger/find-subject.ts';
import { findId } from '../../src/operations/lookup-cash-out.ts';
import { books } from '../support/books.ts';
import { forEachLedger } from '../support/ledgers.ts';

const OF_LAMASSU = '0b7c2f6a-1d7e-4c1b-9a53-5f2f3f6f8e01';
const OTHER = 'ATM1/2026/000017';

forEachLedger((_kind, open) => {
  test('a cash-out is found by its id, whatever form its source gives ids', async () => {
    const ledger = await open();
    const book = await books(ledger);
    for (const [usd, id] of [OF_LAMASSU, OTHER].entries())
      await book.cashOut(usd + 1, '2026-11-02T18:00:00.000000Z', undefined, { id });
    const find = (text: string) => findId(ledger.db, text);
    for (const text of [OF_LAMASSU, OF_LAMASSU.toUpperCase(), OF_LAMASSU.slice(0, 8)])
      expect(await find(text)).toBe(OF_LAMASSU);
    for (const text of [OTHER, OTHER.slice(0, 6)]) expect(await find(text)).toBe(OTHER);
    const unknown = OF_LAMASSU.replace('0b', '0c');
    expect(await find(unknown.toUpperCase()), 'Lamassu may know a whole id').toBe(unknown);
    await expect(find(OTHER.toLowerCase())).rejects.toMatchObject({ kind: 'not-found' });

    const about = (text: string) => findAbout(ledger.db, text, lamassuId(text));
    for (const text of [OF_LAMASSU.toUpperCase(), OF_LAMASSU.slice(0, 8)])
      expect(await about(text)).toEqual({ subjects: [OF_LAMASSU], cashOut: OF_LAMASSU });
    expect(await about(OTHER)).toEqual({ subjects: [OTHER], cashOut: OTHER });
    await expect(about(unknown)).rejects.toMatchObject({ kind: 'not-found' });
  });
});
