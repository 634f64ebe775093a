import { expect, test } from 'vitest';
import { adminSite } from '../../../support/admin-pages.ts';

/* The clocks on the admin site. */

test('a time that cannot be read comes back at its field; an entry that is in no doubt is refused', async () => {
  const { page, send } = await adminSite();
  expect((await page('/clocks')).text).toContain('No entry is in doubt');
  const wrong = await send('/clocks/restate', { subject: 'client alice', at: 'noon' });
  expect([wrong.status, wrong.text.includes('id="field-at-error"')]).toEqual([422, true]);
  expect(wrong.text).toContain('value="noon"');
  expect(
    (await send('/clocks/restate', { subject: 'client nobody', at: '2026-11-01' })).status,
  ).toBeGreaterThanOrEqual(400);
});
