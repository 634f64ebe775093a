import { expect, test } from 'vitest';
import { listAllFundings } from '../../../../src/operations/fundings.ts';
import { plus } from '../../../../src/time.ts';
import { adminSite, fieldsOf, figuresOf } from '../../../support/admin-pages.ts';
import { now } from '../../../support/clock.ts';
import { perform } from '../../../support/operations.ts';
import { operator } from '../../../support/principals.ts';

/* Cash of clients on the admin site: what is shown is what the ledger has, and a form changes it once. */

const ADD = { client: 'alice', amount: '3000.50', currency: 'USD', machine: 'm' };

async function site() {
  const admin = await adminSite();
  const { ledger, config } = admin;
  const fundings = () =>
    perform(
      listAllFundings,
      {
        ...{ principal: operator, clock: ledger.clock, actor: 'dora', reason: undefined },
        config: async () => config,
        ...{ withLedger: (_use, work) => work(ledger), stopSignal: () => AbortSignal.any([]) },
      },
      {},
    );
  return { ...admin, fundings };
}

test('the list has each amount of the ledger, and what is on its way with the way to confirm it', async () => {
  const { page, fundings } = await site();
  const shown = figuresOf(await page('/fundings'));
  const all = await fundings();
  for (const one of all.filter(({ status }) => status === 'deposited')) {
    expect(shown).toContain(`${one.amount} ${one.currency}`);
    expect(shown).toContain(`${one.remaining} ${one.currency}`);
  }
  expect((await page('/fundings')).text).toContain('href="/fundings/f4/confirm"');
  const some = await page('/fundings?client=bob');
  expect(some.text).toContain('href="/fundings/f2"');
  expect(some.text).not.toContain('href="/fundings/f1"');
  expect((await page('/fundings?client=carla&status=withdrawn')).text).toContain('No cash fits');
});

test('cash is echoed in figures and words, and entered once, however often the form is sent', async () => {
  const { page, send, fundings } = await site();
  const before = (await fundings()).length;
  const asked = await send('/fundings/new', ADD);
  expect(asked.status).toBe(200);
  expect(figuresOf(asked)).toContain('3000.50 USD');
  expect(asked.text).toContain('three thousand US dollars and 50/100');
  expect((await fundings()).length).toBe(before);
  const agreed = { ...fieldsOf(asked), step: 'apply' };
  const done = await send('/fundings/new', agreed);
  expect([done.status, done.headers.get('location')]).toEqual([303, `/fundings/f${before + 1}?done=added`]);
  expect((await send('/fundings/new', agreed)).headers.get('location')).toBe(done.headers.get('location'));
  expect((await fundings()).length).toBe(before + 1);
  expect((await page(done.headers.get('location') ?? '')).text).toContain('To undo this, cancel it');
});

test.each([
  { name: 'another writing of the amount', change: { amount: '3.000,50' }, at: 'amount', kept: '3.000,50' },
  { name: 'no client', change: { client: '' }, at: 'client', kept: '3000.50' },
  { name: 'no machine where there are several', change: { machine: '' }, at: 'machine', kept: '3000.50' },
  { name: 'a machine that is not there', change: { machine: 'x' }, at: 'machine', kept: '3000.50' },
])('$name comes back at its field with what was typed', async ({ change, at, kept }) => {
  const { send, fundings } = await site();
  const before = (await fundings()).length;
  const answer = await send('/fundings/new', { ...ADD, ...change });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.text).toContain(`href="#field-${at}"`);
  expect(answer.text).toContain(`id="field-${at}-error"`);
  expect(answer.text).toContain(`value="${kept}"`);
  expect((await fundings()).length).toBe(before);
});

test('cash that was in the machine before asks what happens to the cash-outs since then', async () => {
  const { send, fundings } = await site();
  const late = { ...ADD, machine: 'other', at: plus(now(), -86_400_000).slice(0, 10) };
  const asked = await send('/fundings/new-inside', late);
  expect(asked.status).toBe(200);
  expect(figuresOf(asked)).toContain('70.00 USD');
  expect(asked.text).toContain('type="radio" name="past" value="from_own"');
  const undecided = await send('/fundings/new-inside', { ...fieldsOf(asked), step: 'apply' });
  expect([undecided.status, undecided.text.includes('value="3000.50"')]).toEqual([422, true]);
  const done = await send('/fundings/new-inside', { ...fieldsOf(asked), past: 'from_own', step: 'apply' });
  expect(done.headers.get('location')).toBe('/fundings/f5?done=inside');
  expect((await fundings()).at(-1)).toMatchObject({ amount: '3000.50', remaining: '2930.50' });
});

test('counted cash is confirmed with the amount that was counted', async () => {
  const { send, fundings } = await site();
  const asked = await send('/fundings/f4/confirm', { counted: '450', currency: 'USD' });
  expect(figuresOf(asked)).toEqual(expect.arrayContaining(['511.00 USD', '450.00 USD']));
  expect(asked.text).toContain('four hundred fifty US dollars');
  const done = await send('/fundings/f4/confirm', { ...fieldsOf(asked), step: 'apply' });
  expect(done.headers.get('location')).toBe('/fundings/f4?done=confirmed');
  expect((await fundings()).find(({ id }) => id === 'f4')).toMatchObject({
    ...{ amount: '450.00', status: 'deposited' },
  });
});

test('a correction needs a reason, and a proof of the last five minutes', async () => {
  const { send, page, ledger, fundings } = await site();
  const fields = { amount: '-50', currency: 'USD', reason: '' };
  const asked = await send('/fundings/f1/adjust', fields);
  expect(asked.text).toContain('minus fifty US dollars');
  const refused = await send('/fundings/f1/adjust', { ...fieldsOf(asked), ...fields, step: 'apply' });
  expect([refused.status, refused.text.includes('id="field-reason-error"')]).toEqual([422, true]);
  await ledger.db
    .updateTable('sessions')
    .set({ proven_at: plus(now(), -360_000) })
    .execute();
  const again = await send('/fundings/f1/adjust', { ...fields, reason: 'recount', step: 'apply' });
  expect(again.status).toBe(303);
  expect(again.headers.get('location')).toMatch(/^\/prove\?next=/);
  expect(decodeURIComponent(decodeURIComponent(again.headers.get('location') ?? ''))).toContain(
    'reason=recount',
  );
  expect((await page('/fundings/f1/adjust')).headers.get('location')).toMatch(/^\/prove/);
  expect((await fundings()).find(({ id }) => id === 'f1')?.amount).toBe('1031.00');
});

test('cash is taken out, moved and cancelled, each with the way back', async () => {
  const { send, page, fundings } = await site();
  const fields = { amount: '100', currency: 'USD', reason: 'asked for' };
  const asked = await send('/fundings/f2/withdraw', fields);
  // Lamassu cannot be reached from here: that is said before it counts.
  expect(asked.text).toContain('Lamassu could not be read now');
  expect(figuresOf(asked)).toContain('100.00 USD');
  const taken = await send('/fundings/f2/withdraw', { ...fieldsOf(asked), step: 'apply' });
  expect(taken.headers.get('location')).toBe('/fundings/f2?done=withdrawn');
  expect((await page('/fundings/f2?done=withdrawn')).text).toContain('To undo this, adjust it');
  const moved = await send('/fundings/f2/move', { machine: 'other' });
  expect(moved.headers.get('location')).toBe('/fundings/f2?done=moved');
  const cancelled = await send('/fundings/f4/cancel', { reason: '' });
  expect(cancelled.headers.get('location')).toBe('/fundings/f4?done=cancelled');
  expect((await send('/fundings/f4/cancel', { reason: '' })).status).toBe(422);
  const all = await fundings();
  expect(all.find(({ id }) => id === 'f2')).toMatchObject({ withdrawn: '100.00', machine: 'other' });
  expect(all.find(({ id }) => id === 'f4')?.status).toBe('cancelled');
});
