import { expect, test } from 'vitest';
import type { Ledger } from '../../../../src/ledger/store/open.ts';
import { plus } from '../../../../src/time.ts';
import { books } from '../../../support/books.ts';
import { now } from '../../../support/clock.ts';
import { freshLedger } from '../../../support/ledgers.ts';
import { personSession, testSite } from '../../../support/site.ts';
import { browser } from '../../../support/visit.ts';

const DAY = 86_400_000;

/** One client with cash; a cash-out that is paid by a payout which is held, and one that waits. */
async function filled(ledger: Ledger) {
  const book = await books(ledger);
  const since = plus(now(), -3 * DAY);
  await book.client('alice', { mode: 'flow' }, since);
  await book.cash('alice', 1_000, since);
  await book.cashOut(30, plus(now(), -3_600_000), plus(now(), -3_500_000), { commission: 1_110n });
  await book.pay(plus(now(), -3_400_000));
  await book.cashOut(20, plus(now(), -3_000_000), plus(now(), -2_900_000));
  return book;
}

test('a new ledger shows the first steps, each with whether it is done', async () => {
  const ledger = await freshLedger('sqlite');
  const site = testSite(ledger, 'admin');
  const owner = await personSession(ledger, 'owner');
  const first = await browser(site, owner).get('/');
  expect(first.status).toBe(200);
  expect(first.text).toContain('First steps');
  expect(first.text.match(/>to do</g)).toHaveLength(5);
  const book = await books(ledger);
  await book.client('alice', { mode: 'flow' }, plus(now(), -DAY));
  expect((await browser(site, owner).get('/')).text.match(/>done</g)).toHaveLength(2);
  const reader = await personSession(ledger, 'bookkeeper');
  expect((await browser(site, reader).get('/')).text).not.toContain('First steps');
});

test('what needs somebody is there with its action, the oldest first; figures are those of the status', async () => {
  const ledger = await freshLedger('sqlite');
  await filled(ledger);
  const site = testSite(ledger, 'admin');
  const session = await personSession(ledger, 'operator');
  const visitor = browser(site, session);
  const held = await visitor.send('/payouts/p1/hold', { reason: 'odd', key: crypto.randomUUID() });
  expect([held.status, held.location]).toEqual([303, '/payouts/p1?done=held']);
  const status = (await site.ask('/api/v1/status', { session })).json;
  const page = await visitor.get('/');
  expect(page.text).toContain('A payout is held');
  expect(page.text).toMatch(/href="\/payouts\?state=held"[^>]*>Decide</);
  expect(page.figures.slice(0, 2)).toEqual([`${status.owed.sats}`, `${status.owed.waiting_sats}`]);
  const { remaining, in_flight, dispensed_7_days, own_7_days } = status.cash[0];
  for (const amount of [remaining, in_flight, dispensed_7_days, own_7_days]) {
    expect(page.figures).toContain(`${amount} USD`);
  }
  const { net_sats, commission_sats } = status.months[0].cash_outs > 0 ? status.months[0] : status.months[1];
  expect(page.figures).toContain(`${net_sats}`);
  expect(page.figures).toContain(`${commission_sats}`);
  const needs = status.needs.map(({ code }: { code: string }) => code);
  expect(needs).toContain('held');
  const spanish = await browser(site, session, 'es').get('/');
  expect(spanish.text).toContain('Un pago está retenido');
  expect(spanish.figures).toEqual(page.figures);
});

test('the brake takes one tap and a reason; going on needs a proof of who it is', async () => {
  const ledger = await freshLedger('sqlite');
  await filled(ledger);
  const site = testSite(ledger, 'admin');
  const session = await personSession(ledger, 'operator');
  const visitor = browser(site, session);
  expect((await visitor.send('/stop', { reason: ' ' })).status).toBe(422);
  expect((await visitor.send('/stop', { reason: '<b>odd</b>' })).location).toBe('/?done=stopped');
  const page = await visitor.get('/');
  expect(page.text).toContain('Paying has been stopped');
  expect(page.text).toContain('&lt;b&gt;odd&lt;/b&gt;');
  expect(page.text).not.toContain('<b>odd');
  // On every page, with the way on for those who may go it.
  const reader = browser(site, await personSession(ledger, 'bookkeeper'), 'es');
  for (const path of ['/', '/payouts', '/clients', '/fundings/f1', '/log', '/nowhere']) {
    const own = await visitor.get(path);
    expect([path, own.text.includes('Paying has been stopped')]).toEqual([path, path !== '/nowhere']);
    expect([path, /<main[\s\S]*href="\/resume"/.test(own.text)]).toEqual([path, path !== '/nowhere']);
    const read = await reader.get(path);
    expect([path, read.text.includes('Los pagos están detenidos')]).toEqual([path, path !== '/nowhere']);
    expect(read.text).not.toContain('href="/resume"');
  }
  await ledger.db
    .updateTable('sessions')
    .set({ proven_at: plus(now(), -DAY) })
    .execute();
  const asked = await visitor.send('/resume', { reason: 'fine again' });
  expect(asked.location).toBe('/prove?next=%2Fresume%3Freason%3Dfine%2Bagain');
  await ledger.db.updateTable('sessions').set({ proven_at: now() }).execute();
  const filledAgain = await visitor.get('/resume?reason=fine+again');
  expect(filledAgain.text).toContain('value="fine again"');
  expect((await visitor.press(filledAgain, '/resume', { reason: 'fine again' })).location).toBe(
    '/?done=resumed',
  );
  expect((await visitor.get('/payouts')).text).not.toContain('Paying has been stopped');
});
