import { expect, test } from 'vitest';
import { now } from '../../../support/clock.ts';
import { freshLedger } from '../../../support/ledgers.ts';
import { personSession, testSite } from '../../../support/site.ts';
import { browser, plain } from '../../../support/visit.ts';

test('somebody is added by a link that is shown once, gets another role, is shut out and let in', async () => {
  const ledger = await freshLedger('sqlite');
  const site = testSite(ledger, 'admin');
  const owner = browser(site, await personSession(ledger, 'owner', 'dora'));
  const wrong = await owner.send('/people/new', { name: '<b>:x', role: 'operator' });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('id="field-name-error"');
  expect(wrong.text).toContain('value="&lt;b&gt;:x"');
  const made = await owner.send('/people/new', { name: 'bea', role: 'bookkeeper' });
  expect(made.status).toBe(200);
  const link = /data-copy="([^"]*\/welcome#[^"]*)"/.exec(made.text)?.[1] ?? '';
  const secret = plain(link).split('#')[1] ?? '';
  expect(secret.length).toBeGreaterThan(30);
  expect(made.text).toContain('<svg');
  for (const path of ['/people', '/log']) expect((await owner.get(path)).text).not.toContain(secret);
  const entered = await site.ask('/sign-in/link', { method: 'POST', body: { secret } });
  expect(entered.json).toEqual({ kind: 'person', name: 'bea' });

  expect((await owner.send('/people/bea/role', { role: 'operator' })).location).toBe('/people?done=set');
  expect((await owner.send('/people/bea/disable')).location).toBe('/people?done=disabled');
  expect((await owner.get('/people')).text).toContain('href="/people/bea/enable"');
  expect((await owner.send('/people/bea/enable')).location).toBe('/people?done=enabled');
  // Nobody changes the own rights.
  expect((await owner.send('/people/dora/disable')).status).toBe(422);
});

test('a token is shown once, counts for what it says, and is revoked', async () => {
  const ledger = await freshLedger('sqlite');
  const site = testSite(ledger, 'admin');
  const owner = browser(site, await personSession(ledger, 'owner', 'dora'));
  const none = await owner.send('/tokens/new', { name: 'till-2' });
  expect([none.status, none.text.includes('id="field-scope.read-error"')]).toEqual([422, true]);
  const made = await owner.send('/tokens/new', { name: 'till-2', 'scope.read': 'on', expires: '90 days' });
  const token = /data-copy="(aiodca_[^"]*)"/.exec(made.text)?.[1] ?? '';
  expect((await site.ask('/api/v1/status', { token })).status).toBe(200);
  const list = await owner.get('/tokens');
  expect(list.text).toContain('till-2');
  expect(list.text).not.toContain(token);
  expect((await owner.send('/tokens/till-2/revoke')).location).toBe('/tokens?done=revoked');
  expect((await site.ask('/api/v1/status', { token })).status).toBe(401);
});

test('own sign-ins are listed with their devices, as text, and ended', async () => {
  const ledger = await freshLedger('sqlite');
  const site = testSite(ledger, 'admin');
  const session = await personSession(ledger, 'bookkeeper', 'bea');
  await personSession(ledger, 'bookkeeper', 'bea');
  await ledger.db.updateTable('sessions').set({ device: '<img src=x>', proven_at: now() }).execute();
  const own = browser(site, session);
  const page = await own.get('/account');
  expect(page.text).toContain('&lt;img src=x&gt;');
  expect(page.text).not.toContain('<img');
  const [end = ''] = /\/account\/sessions\/\d+\/end/.exec(page.text) ?? [];
  expect((await own.send(end)).location).toBe('/account?done=ended');
  expect((await own.get('/account')).text).not.toMatch(/\/account\/sessions\/\d+\/end/);
  const password = await own.get('/account/password');
  const typed = await own.press(password, '/account/password', { password: 'too short', code: '123456' });
  expect([typed.status, typed.text.includes('too short"')]).toEqual([422, false]);
  expect((await own.send('/account/sessions/end')).location).toBe('/sign-in');
  expect((await own.get('/account')).location).toMatch(/^\/sign-in/);
});
