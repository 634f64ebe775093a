import { expect, test } from 'vitest';
import { adminSite } from '../../../support/admin-pages.ts';

/* The books on the admin site. */

test('books that balance say so; a difference stands there with what to do', async () => {
  const { page, ledger } = await adminSite();
  expect((await page('/books/verify')).text).toContain('The books balance');
  await ledger.db
    .updateTable('fundings')
    .set(({ eb }) => ({ spent: eb('spent', '+', 1n), remaining: eb('remaining', '-', 1n) }))
    .where('id', '=', 1n)
    .execute();
  const { text } = await page('/books/verify');
  expect(text).toContain('The books do not balance');
  expect(text).toContain('What to do');
});

test('what cannot be compared from here says why; a bookkeeper is told who compares', async () => {
  const { page } = await adminSite();
  const { text } = await page('/books');
  expect(text).toContain('lnbits.source_wallet_key_file');
  expect(text).not.toContain('action="/books/reconcile"');
  expect((await page('/books', { role: 'bookkeeper' })).text).toContain('owners and operators do it');
  expect((await page('/books/reconcile', { role: 'bookkeeper' })).status).toBe(403);
});
