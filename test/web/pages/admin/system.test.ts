import { expect, test } from 'vitest';
import { adminSite } from '../../../support/admin-pages.ts';

/* The system on the admin site. */

test('the configuration in force is shown, a secret only by whether it is set', async () => {
  const { page } = await adminSite();
  const { text } = await page('/system');
  expect(text).toContain('<code>lamassu.ssh.host</code>');
  expect(text).toContain('<code>lnbits.source_wallet_key</code>');
  expect((await page('/system', { role: 'bookkeeper' })).text).not.toContain('lamassu.ssh.host');
});

test('a check that lacks the keys of a run says so, and is not called a failure', async () => {
  const { send } = await adminSite();
  const { status, text } = await send('/doctor', {});
  expect(status).toBe(200);
  expect(text).toContain('runs without some keys');
  expect((await send('/doctor', {}, 'bookkeeper')).status).toBe(403);
});
