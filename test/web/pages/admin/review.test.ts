import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { verifyLedger } from '../../../../src/ledger/verify/verify.ts';
import { previewSettle } from '../../../../src/operations/settlements.ts';
import { type Counter, openCounter } from '../../../support/counter.ts';
import { personSession, type TestSite, testSite } from '../../../support/site.ts';
import { type Browser, browser, type Visit } from '../../../support/visit.ts';

/* From Lamassu's row to the payout, by forms alone, over a whole installation. */

let counter: Counter;
let site: TestSite;
let operator: Browser;
let session: string;

beforeAll(async () => {
  const web = '[web.admin]\nlisten = "127.0.0.1:8092"\npublic_url = "http://localhost:8092"';
  counter = await openCounter({
    ledger: 'sqlite',
    config: `[review]\ncash_out_above = ["400 USD", "9000 GTQ"]\n${web}`,
  });
  site = testSite(counter.ledger, 'admin', { config: counter.config });
  session = await personSession(counter.ledger, 'operator');
  operator = browser(site, session);
});
afterAll(() => counter.stop());
afterEach(async () => {
  expect((await verifyLedger(counter.ledger)).differences).toEqual([]);
});

/** Where a form leads in the end. */
async function follow({ location, status }: Visit): Promise<Visit> {
  expect([status, location]).toEqual([303, expect.stringMatching(/^\//)]);
  return operator.get(location);
}

test('a dry run shows what a run would do and writes nothing; the run then does it', async () => {
  const shop = await counter.shop({ alice: 9000n });
  const fine = { dispense_confirmed: true, error: null, fiat: '300', crypto_atoms: '317460' };
  await shop.jammed({ ...fine, received_crypto_atoms: '317460' });
  const before = await counter.ledger.db.selectFrom('runs').select('id').execute();
  const dry = await operator.get('/run/dry');
  expect(dry.status).toBe(200);
  expect(dry.text).toContain('Nothing was written');
  expect(dry.figures).toContain('300.00 USD');
  expect(await counter.ledger.db.selectFrom('runs').select('id').execute()).toEqual(before);

  const begun = await operator.send('/run', { kind: 'poll' });
  expect(begun.location).toMatch(/^\/run\/[0-9a-f-]{36}$/);
  let page = await operator.get(begun.location);
  // What goes on is looked at again by a link.
  while (page.text.includes('Working…')) page = await operator.get(begun.location);
  expect(page.text).toContain('What the run did');
  const { settled } = await counter.ledger.db
    .selectFrom('payouts')
    .select((eb) => eb.fn.sum<bigint>('sats').as('settled'))
    .where('state', '=', 'settled')
    .executeTakeFirstOrThrow();
  expect(page.figures).toContain(`${settled}`);
  const runs = await operator.get('/runs');
  expect(runs.text).toContain('operator');
  expect((await operator.get('/run/00000000-0000-0000-0000-000000000000')).location).toBe('/runs');
});

test('a large cash-out is released as it was shown; if the row changes meanwhile, it is shown again', async () => {
  const shop = await counter.shop({ alice: 9000n });
  const id = await shop.jammed({ dispense_confirmed: true, error: null });
  await counter.poll();
  expect((await operator.get('/review')).text).toContain('It is large');
  const detail = await operator.get(`/review/${id}`);
  expect(detail.text).toContain(`href="/review/${id}/release"`);
  expect(detail.text).not.toContain(`href="/review/${id}/dismiss"`);
  const asked = await operator.send(`/review/${id}/release`, { reason: 'known' });
  expect(asked.text).toContain('Is this right?');
  await counter.world.lamassu.query(
    "update cash_out_txs set fiat = 450, crypto_atoms = '476190', received_crypto_atoms = '476190' where id = $1",
    [id],
  );
  const again = await operator.press(asked, `/review/${id}/release`, { step: 'apply' });
  expect(again.text).toContain('It changed while you looked');
  const done = await follow(await operator.press(again, `/review/${id}/release`, { step: 'apply' }));
  expect(done.text).toContain('Released. The next run divides it.');
  await counter.poll();
  expect((await shop.remaining('alice')).spent).toBe(450_00n);
});

test('a partial dispense is settled: the division is shown to the sat, and exactly that is written', async () => {
  const shop = await counter.shop({ alice: 1000n });
  const id = await shop.jammed();
  await counter.poll();
  const path = `/review/${id}/settle`;
  const form = await operator.get(path);
  expect(form.text).toContain('name="fiat"');
  const wrong = await operator.press(form, path, { fiat: '3.000,50', reason: 'jammed' });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain('value="3.000,50"');
  expect(wrong.text).toContain('id="field-fiat-error"');
  const bare = await operator.press(form, path, { reason: '' });
  expect(bare.text).toContain('id="field-reason-error"');

  const preview = await counter.perform(previewSettle, { id }, { reason: 'jammed' });
  const shown = await operator.press(form, path, { reason: 'jammed <i>' });
  const { net_sats, commission_sats, undelivered_sats, fiat } = preview;
  for (const figure of [net_sats, commission_sats, undelivered_sats, `${fiat} USD`]) {
    expect(shown.figures).toContain(`${figure}`);
  }
  const back = await operator.press(shown, path, { step: 'back' });
  expect(back.text).toContain('value="jammed &lt;i&gt;"');
  const done = await follow(await operator.press(shown, path, { step: 'apply' }));
  expect(done.text).toContain('Settled.');
  expect(await shop.remaining('alice')).toMatchObject({ spent: 200_00n });
  // The same form once more is done once.
  expect((await operator.press(shown, path, { step: 'apply' })).status).toBe(303);
  expect(await shop.remaining('alice')).toMatchObject({ spent: 200_00n });

  expect((await operator.get(`/cash-outs/${id}`)).text).toContain(`href="/cash-outs/${id}/void"`);
  const undo = await operator.send(`/cash-outs/${id}/void`, { reason: 'oops' });
  expect(undo.figures).toContain('1000.00 USD');
  await follow(await operator.press(undo, `/cash-outs/${id}/void`, { step: 'apply' }));
  expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
});

test('one that Lamassu never saw is settled by a reference; a new currency is asked for', async () => {
  const shop = await counter.shop({ alice: 1000n });
  const typed = {
    ...{ reference: 'receipt-17', machine: shop.machine, at: '2026-11-20 10:00', fiat: '100 USD' },
    ...{ gross: '105820', rate: '5.5%', reason: 'offline' },
  };
  const grouped = await operator.send('/settle', { ...typed, gross: '105,820' });
  expect(grouped.text).toContain('id="field-gross-error"');
  const unknown = await operator.send('/settle', { ...typed, reference: 'x' });
  expect(unknown.text).toContain('id="field-reference-error"');
  const shown = await operator.send('/settle', typed);
  expect(shown.figures).toContain('100.00 USD');
  const done = await operator.press(shown, '/settle', { step: 'apply' });
  expect(done.location).toBe('/review?done=settled');
});

test('an old proof is asked for anew, and what was typed comes back', async () => {
  const shop = await counter.shop({ alice: 1000n });
  const id = await shop.jammed();
  const { ledger } = counter;
  await ledger.db.updateTable('sessions').set({ proven_at: '2026-01-01T00:00:00.000000Z' }).execute();
  const asked = await operator.send(`/review/${id}/settle`, { fiat: '100 USD', reason: 'jammed' });
  const next = new URL(asked.location, 'http://x').searchParams.get('next') ?? '';
  expect(next).toContain(`/review/${id}/settle?`);
  await ledger.db.updateTable('sessions').set({ proven_at: ledger.clock.now() }).execute();
  const form = await operator.get(next);
  expect(form.text).toContain('value="100 USD"');
});
