import { expect, test } from 'vitest';
import { adminSite } from '../../../support/admin-pages.ts';

/* The commission on the admin site. */

test('weights are shown with their share; a change counts, and a wrong one comes back', async () => {
  const { page, send } = await adminSite();
  expect((await page('/commission')).text).toContain('100.00 %');
  const wrong = await send('/commission/house/settings', { weight: '1.5' });
  expect([wrong.status, wrong.text.includes('id="field-weight-error"')]).toEqual([422, true]);
  expect(wrong.text).toContain('value="1.5"');
  const done = await send('/commission/house/settings', { weight: '3', machine: '' });
  expect(done.headers.get('location')).toBe('/commission/house?done=set');
  expect((await page('/commission/house')).text).toMatch(/<td class="num">3<\/td>/);
});

test('removed, it gets nothing any more, and the commission stays in the source wallet', async () => {
  const { page, send } = await adminSite();
  expect((await send('/commission/house/remove', {}, 'operator')).status).toBe(403);
  const done = await send('/commission/house/remove', {});
  expect(done.headers.get('location')).toBe('/commission/house?done=removed');
  expect((await page('/commission')).text).toContain('stays in the source wallet');
  expect((await page('/commission/nobody')).status).toBe(404);
});

test('a key that cannot be tested is in no page', async () => {
  const { send } = await adminSite();
  const fields = { name: 'shop', wallet_key: 'not-to-be-seen', weight: '0' };
  const answer = await send('/add-recipient', fields);
  expect([answer.status, answer.text.includes('id="field-weight-error"')]).toEqual([422, true]);
  expect(answer.text).not.toContain('not-to-be-seen');
});
