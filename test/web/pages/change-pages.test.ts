import { expect, test } from 'vitest';
import { mayDo } from '../../../src/operations/rights.ts';
import { plus } from '../../../src/time.ts';
import { adminPages } from '../../../src/web/pages/admin/admin-pages.ts';
import { books } from '../../support/books.ts';
import { now } from '../../support/clock.ts';
import { freshLedger } from '../../support/ledgers.ts';
import { everyOperation } from '../../support/operations.ts';
import { person } from '../../support/principals.ts';
import { personSession, testSite } from '../../support/site.ts';
import { browser } from '../../support/visit.ts';

/** Pages, and the operation without which there is nothing to see. */
const PAGES: [path: string, operation: string][] = [
  ['/', 'status'],
  ['/stop', 'payouts.pause'],
  ['/resume', 'payouts.resume'],
  ['/run', 'status'],
  ['/runs', 'runs.list'],
  ['/review', 'review.list'],
  ['/review/none/dismiss', 'review.dismiss'],
  ['/review/none/release', 'review.release'],
  ['/review/none/settle', 'settlements.settle'],
  ['/settle', 'settlements.external'],
  ['/cash-outs/none/void', 'settlements.void'],
  ['/payouts', 'payouts.list'],
  ['/payouts?state=all', 'payouts.list'],
  ['/payouts?state=settled&client=alice', 'payouts.list'],
  ['/payouts/hold', 'payouts.hold_all'],
  ['/payouts/release', 'payouts.release_all'],
  ['/payouts/p1', 'payouts.show'],
  ['/payouts/p1/hold', 'payouts.hold'],
  ['/payouts/p1/release', 'payouts.release'],
  ['/payouts/p1/retry', 'payouts.retry'],
  ['/payouts/p1/resolve', 'payouts.resolve'],
  ['/payouts/p1/overpaid', 'payouts.overpaid'],
  ['/credits', 'credits.list'],
  ['/people', 'people.list'],
  ['/people/new', 'people.add'],
  ['/people/owner/role', 'people.set'],
  ['/people/owner/invite', 'people.invite'],
  ['/people/owner/disable', 'people.disable'],
  ['/people/owner/enable', 'people.enable'],
  ['/tokens', 'tokens.list'],
  ['/tokens/new', 'tokens.add'],
  ['/tokens/till/revoke', 'tokens.revoke'],
  ['/account', 'sessions.list'],
  ['/account/password', 'credentials.set_password'],
  ['/account/credentials/1/remove', 'credentials.remove'],
];

test('each page × role × language: who may see it sees it, who may not gets 403', async () => {
  const ledger = await freshLedger('sqlite');
  const book = await books(ledger);
  const since = plus(now(), -86_400_000);
  await book.client('alice', { mode: 'flow' }, since);
  await book.cash('alice', 100, since);
  await book.cashOut(30, plus(now(), -3_600_000));
  await book.pay(plus(now(), -3_000_000));
  const site = testSite(ledger, 'admin');
  const operations = new Map((await everyOperation()).map((one) => [one.name, one]));
  for (const role of ['owner', 'operator', 'bookkeeper'] as const) {
    const session = await personSession(ledger, role);
    for (const [path, name] of PAGES) {
      const operation = operations.get(name);
      if (!operation) throw new Error(name);
      for (const language of ['en', 'es'] as const) {
        const { status, text } = await browser(site, session, language).get(path);
        expect([role, path, status]).toEqual([role, path, mayDo(operation, person(role)) ? 200 : 403]);
        expect(text).toContain(`<html lang="${language}"`);
        // No page is larger than goes to a phone at once.
        expect([path, Buffer.byteLength(text) < 30_720]).toEqual([path, true]);
      }
    }
  }
});

test('a form that nobody here may send has no page of its own to send it from', async () => {
  const ledger = await freshLedger('sqlite');
  const site = testSite(ledger, 'admin');
  const session = await personSession(ledger, 'bookkeeper');
  const posts = adminPages.filter(({ method, open }) => method === 'POST' && !open);
  for (const { path } of posts.filter(({ path: at }) => !at.startsWith('/account'))) {
    const { status, location } = await browser(site, session).send(path.replaceAll(/:\w+(\{[^}]*\})?/g, 'x'));
    expect([path, status, location]).toEqual([path, 403, '']);
  }
});
