import { expect, test } from 'vitest';
import { adminSite, fieldsOf, figuresOf } from '../../../support/admin-pages.ts';

/* Machines on the admin site. */

test('a machine has the cash of each client in it; its count sheet has the same, to be printed', async () => {
  const { page, ledger } = await adminSite();
  const rows = await ledger.db
    .selectFrom('fundings')
    .select(['remaining'])
    .where('status', '=', 'deposited')
    .where('machine', '=', 'm')
    .execute();
  const cash = rows.map(({ remaining }) => `${`${remaining}`.slice(0, -2)}.${`${remaining}`.slice(-2)} USD`);
  expect(cash).toHaveLength(3);
  for (const path of ['/machines/m', '/machines/m/count']) {
    expect(figuresOf(await page(path))).toEqual(expect.arrayContaining(cash));
  }
  expect((await page('/machines/m/count')).text).toContain('data-print');
});

test('settings are shown before and after, and changed once they were agreed to', async () => {
  const { page, send } = await adminSite();
  const first = fieldsOf(await page('/machines/other/settings'));
  const asked = await send('/machines/other/settings', { ...first, commission_rate: '5%', name: 'Sur' });
  expect(asked.text).toContain('<strong>5%</strong>');
  const done = await send('/machines/other/settings', { ...fieldsOf(asked), step: 'apply' });
  expect(done.headers.get('location')).toBe('/machines/other?done=set');
  const shown = await page('/machines/other');
  expect(shown.text).toContain('5\u00a0%');
  expect(shown.text).toContain('Sur');
  const wrong = await send('/machines/other/settings', { ...first, commission_rate: '5', step: 'apply' });
  expect([wrong.status, wrong.text.includes('id="field-commission_rate-error"')]).toEqual([422, true]);
});

test('replacing shows what moves, and moves exactly that', async () => {
  const { page, send } = await adminSite();
  const asked = await send('/machines/m/replace', { new: 'other' });
  for (const id of ['f1', 'f2', 'f3', 'f4']) expect(asked.text).toContain(`href="/fundings/${id}"`);
  const done = await send('/machines/m/replace', { ...fieldsOf(asked), step: 'apply' });
  expect(done.headers.get('location')).toBe('/machines/other?done=replaced');
  expect((await page('/machines/other')).text).toContain('href="/fundings/f1"');
  expect((await page('/machines/m')).text).toContain('It was replaced');
  expect((await send('/machines/m/replace', { new: 'other' }, 'operator')).status).toBe(403);
});
