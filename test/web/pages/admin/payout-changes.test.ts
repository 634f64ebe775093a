import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { verifyLedger } from '../../../../src/ledger/verify/verify.ts';
import { type Counter, openCounter } from '../../../support/counter.ts';
import { personSession, testSite } from '../../../support/site.ts';
import { type Browser, browser, type Visit } from '../../../support/visit.ts';

/* What is decided of payouts, by forms, with a simulated LNbits. */

let counter: Counter;
let operator: Browser;

beforeAll(async () => {
  const config = '[web.admin]\nlisten = "127.0.0.1:8092"\npublic_url = "http://localhost:8092"';
  counter = await openCounter({ ledger: 'sqlite', config });
  const site = testSite(counter.ledger, 'admin', { config: counter.config });
  operator = browser(site, await personSession(counter.ledger, 'operator'));
});
afterAll(() => counter.stop());
afterEach(async () => {
  expect((await verifyLedger(counter.ledger)).differences).toEqual([]);
});

const fine = { dispense_confirmed: true, error: null };
const states = () => counter.ledger.db.selectFrom('payouts').select(['id', 'state']).orderBy('id').execute();

/** What would be done, or the form with the error, once both wallets were read. */
async function decided({ location }: Visit): Promise<Visit> {
  let page = await operator.get(location);
  while (page.text.includes('Look again')) page = await operator.get(location);
  return page;
}

test('what became of a payment: both wallets on the page, then the decision; what they contradict is refused', async () => {
  const shop = await counter.shop({ alice: 3000n });
  const simulator = counter.world.simulator();
  simulator.rules.push({ when: { kind: 'pay' }, fault: { pay: 'debit-only' } });
  await shop.jammed(fine);
  await counter.poll();
  expect(await states()).toEqual([{ id: 1n, state: 'held' }]);
  const page = await operator.get('/payouts/p1');
  expect(page.text).toContain('href="/payouts/p1/resolve"');

  const nothing = await operator.send('/payouts/p1/resolve', { reason: 'x' });
  const refused = await operator.get(nothing.location);
  expect([refused.status, refused.text.includes('id="field-word"')]).toEqual([422, true]);

  const typed = { word: 'not_paid', reason: '<em>gone</em>' };
  const pending = await decided(await operator.send('/payouts/p1/resolve', typed));
  expect([pending.status, pending.text.includes('client’s as pending')]).toEqual([422, true]);
  expect(pending.text).toContain('value="&lt;em&gt;gone&lt;/em&gt;"');

  const { payment_hash: hash, client_wallet_id: wallet } = await counter.ledger.db
    .selectFrom('payments')
    .select(['payment_hash', 'client_wallet_id'])
    .executeTakeFirstOrThrow();
  simulator.change(wallet, hash, { status: 'failed' });
  const begun = await operator.send('/payouts/p1/resolve', typed);
  expect(begun.location).toMatch(/^\/payouts\/p1\/resolve\?task=/);
  const asked = await decided(begun);
  expect(asked.text).toContain('The source wallet shows it');
  expect(asked.text).not.toContain('<em>');
  // The task of one payout shows nothing at another's address.
  const elsewhere = await operator.get(begun.location.replace('/p1/', '/p2/'));
  expect(elsewhere.text).not.toContain('The source wallet shows it');

  simulator.rules.length = 0;
  const done = await operator.press(asked, '/payouts/p1/resolve', { step: 'apply' });
  expect(done.location).toBe('/payouts/p1?done=resolved');
  await counter.poll();
  expect(await states()).toEqual([{ id: 1n, state: 'settled' }]);
});

test('all are held and released, as the page showed them', async () => {
  const shop = await counter.shop({ alice: 3000n });
  await operator.send('/stop', { reason: 'looking' });
  await shop.jammed(fine);
  await counter.poll();
  const held = await operator.send('/payouts/hold', { reason: 'odd' });
  expect(held.location).toBe('/payouts?done=heldAll');
  const list = await operator.get('/payouts?state=held');
  expect(list.text).toContain('href="/payouts/p2"');
  const asked = await operator.send('/payouts/release', {});
  expect(asked.text).toContain('href="/payouts/p2"');
  const done = await operator.press(asked, '/payouts/release', { step: 'apply' });
  expect(done.location).toBe('/payouts?done=releasedAll');
  await operator.send('/resume', {});
  await counter.poll();
  expect((await states()).map(({ state }) => state)).toEqual(['settled', 'settled']);
});
