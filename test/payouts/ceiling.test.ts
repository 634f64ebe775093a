import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { releasePayout } from '../../src/ledger/payouts/operator-actions.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { plus } from '../../src/time.ts';
import { now } from '../support/clock.ts';
import { type Payday, payday } from '../support/payday.ts';

let day: Payday;

afterEach(async () => {
  expect((await verifyLedger(day.ledger)).differences).toEqual([]);
  await day.stop();
});

/** A ceiling of 1,000 sat a day; more lines for `[payouts]`. */
async function begin(payouts = ''): Promise<void> {
  day = await payday({ payouts: `daily_ceiling_sats = 1000\n${payouts}` });
  for (const name of ['alice', 'bob', 'carol']) await day.addClient(name);
}

async function release(id: bigint): Promise<void> {
  const run = await startRun(day.ledger, 'payouts release', { principal: OPERATOR, actor: 'dora' });
  await run.write((trx) => releasePayout(trx, { ...run.who, at: now() }, id));
  await run.finish('ok', null);
}

/** As if all payments until now had been made a day ago. */
async function tomorrow(): Promise<void> {
  const at = plus(now(), -86_400_000);
  await sql`drop trigger payments_are_final`.execute(day.ledger.db);
  await day.ledger.db.updateTable('payments').set({ created_at: at, sent_at: at, settled_at: at }).execute();
}

const states = async () => (await day.payouts()).map(({ name, state }) => [name, state]);

test('payouts up to the ceiling are paid; one above it is held with its reason, and smaller ones that fit are paid', async () => {
  await begin();
  await day.owe('alice', 600n);
  await day.owe('bob', 500n);
  await day.owe('carol', 400n);
  expect(await day.payNow()).toMatchObject({ settled: 2, satsSettled: 1_000n, held: 1, problems: [] });
  expect(await states()).toEqual([
    ['alice', 'settled'],
    ['bob', 'held'],
    ['carol', 'settled'],
  ]);
  expect((await day.payouts())[1]?.reason).toMatch(
    /^500 sat on top of 600 sat that were sent on \d{4}-\d\d-\d\d exceed daily_ceiling_sats, 1,000 sat$/,
  );
  expect(await day.payments()).toHaveLength(2);
});

test('stays held until the operator releases it, and is paid then', async () => {
  await begin();
  await day.owe('alice', 1_001n);
  expect(await day.payNow()).toMatchObject({ settled: 0, held: 1 });
  expect(await day.payNow()).toMatchObject({ settled: 0, held: 1 });
  await release(1n);
  expect(await day.payNow()).toMatchObject({ settled: 1, satsSettled: 1_001n, held: 0 });
  // A released payout counts as well: more than the ceiling was sent today.
  await day.owe('bob', 1n);
  expect(await day.payNow()).toMatchObject({ settled: 0, held: 1 });
});

test('a new day begins at nothing', async () => {
  await begin();
  await day.owe('alice', 1_000n);
  await day.payNow();
  await tomorrow();
  await day.owe('bob', 1_000n);
  expect(await day.payNow()).toMatchObject({ settled: 1, held: 0 });
});

test('a payout counts as a whole, whatever its parts', async () => {
  await begin('maximum_sats = 400');
  await day.owe('alice', 1_200n);
  await day.owe('bob', 1_000n);
  expect(await day.payNow()).toMatchObject({ settled: 1, held: 1 });
  expect(await states()).toEqual([
    ['alice', 'held'],
    ['bob', 'settled'],
  ]);
  expect(await day.payments()).toHaveLength(3);
});

test.each(['unknown', 'sending'] as const)(
  'a payment under way is followed up, and not held: %s',
  async (state) => {
    await begin('maximum_sats = 600');
    await day.owe('alice', 900n);
    day.loseEachPost('alice');
    expect(await day.payNow()).toMatchObject({ unknown: 1 });
    day.lnbits.rules = [];
    await day.ledger.db.updateTable('payments').set({ state }).execute();
    await day.owe('bob', 200n);
    expect(await day.payNow()).toMatchObject({ settled: 1, satsSettled: 900n, held: 1 });
    expect(await states()).toEqual([
      ['alice', 'settled'],
      ['bob', 'held'],
    ]);
  },
);

test.each(['unknown', 'sending'] as const)('payments that may have been sent count: %s', async (state) => {
  await begin();
  await day.owe('alice', 900n);
  day.loseEachPost('alice');
  expect(await day.payNow()).toMatchObject({ unknown: 1 });
  day.lnbits.rules = [];
  await day.ledger.db.updateTable('payments').set({ state }).execute();
  await day.ledger.db.updateTable('payouts').set({ state: 'held', reason: 'a person looks at it' }).execute();
  await day.owe('bob', 200n);
  expect(await day.payNow()).toMatchObject({ settled: 0, held: 2 });
});

test('of a payout that was begun, only what is left counts', async () => {
  await begin('maximum_sats = 600');
  await day.owe('alice', 1_000n);
  const stop = new AbortController();
  day.lnbits.onRequest = ({ kind }, phase) => {
    if (kind === 'pay' && phase === 'after') stop.abort();
  };
  expect(await day.payNow({ signal: stop.signal })).toMatchObject({ settled: 0, satsSettled: 600n });
  day.lnbits.onRequest = undefined;
  expect(await day.payNow()).toMatchObject({ settled: 1, satsSettled: 400n, held: 0 });
});
