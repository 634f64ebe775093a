import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CashOut } from '../../../src/dca/cash-out.ts';
import { ingest } from '../../../src/ledger/cash-outs/ingest.ts';
import { closeReview, toReview } from '../../../src/ledger/cash-outs/review.ts';
import { bindSource, moveMark } from '../../../src/ledger/cash-outs/watermark.ts';
import { creditArrived, creditsIn, dropCredit, sendCredit } from '../../../src/ledger/credits/credits.ts';
import { intendCredits } from '../../../src/ledger/credits/plan.ts';
import { type Act, OPERATOR } from '../../../src/ledger/log/log.ts';
import { formPayouts } from '../../../src/ledger/payouts/form.ts';
import {
  addPayment,
  deferPayout,
  holdPayout,
  markDead,
  markUnknown,
  sendPayment,
  settlePayment,
} from '../../../src/ledger/payouts/payouts.ts';
import { type Run, startRun } from '../../../src/ledger/runs/lease.ts';
import { ALWAYS } from '../../../src/ledger/store/effective-dated.ts';
import { type Ledger, openLedger, type Trx } from '../../../src/ledger/store/open.ts';
import type { LedgerDifferenceCode } from '../../../src/ledger/verify/findings.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { systemClock } from '../../../src/time.ts';
import { bootless } from '../../support/clock.ts';
import { ledgerKinds } from '../../support/ledgers.ts';
import { type Database, freshDatabase } from '../../support/postgres.ts';

const AT = '2026-11-20T10:00:00.000000Z';
const LATER = '2026-11-20T12:00:00.000000Z';
const SOURCE = 'source-wallet';

/** Each breaks the books in one way, past every constraint; its first code is the expected one. */
const corruptions: [LedgerDifferenceCode, string][] = [
  ['cash-out/gross', `update cash_outs set gross = gross + 1 where id = 'c1'`],
  ['cash-out/net', `update cash_outs set net = net - 1, own = own + 1 where id = 'c1'`],
  ['cash-out/net', `delete from allocations where id = (select min(id) from allocations)`],
  ['cash-out/fiat', `update cash_outs set own_fiat = own_fiat + 1 where id = 'c2'`],
  ['cash-out/commission', `update cash_outs set commission = 0, own = own + commission where id = 'c1'`],
  ['cash-out/own', `update cash_outs set own = own - 9, undelivered = undelivered + 9 where id = 'c2'`],
  ['cash-out/negative', `update cash_outs set own = -1, undelivered = own + undelivered + 1 where id = 'c2'`],
  ['cash-out/time', `update cash_outs set confirmed_at = '2026-11-20 10:00' where id = 'c1'`],
  [
    'cash-out/before-start',
    `update cash_outs set confirmed_at = '2025-01-01T00:00:00.000000Z' where id = 'c1'`,
  ],
  ['cash-out/lamassu', `update cash_outs set machine = 'm2' where id = 'c1'`],
  ['cash-out/lamassu', `update cash_outs set lamassu = '{' where id = 'c1'`],
  ['cash-out/lamassu', `update cash_outs set gross = gross + 9, own = own + 9 where id = 'c2'`],
  ['cash-out/lamassu', `update cash_outs set fiat = fiat + 100, own_fiat = own_fiat + 100 where id = 'c2'`],
  ['source/unknown', `update cash_outs set source = 'other' where id = 'c1'`],
  [
    'source/twice',
    `insert into sources (name, start_at, system_identifier, created_at)
      select 'again', start_at, system_identifier, created_at from sources`,
  ],
  ['mark/behind', `update sources set mark_confirmed_at = '2026-11-01T00:00:00.000000Z'`],
  ['mark/behind', `update sources set mark_confirmed_at = null, mark_id = null`],
  ['mark/future', `update sources set mark_confirmed_at = '2996-11-01T00:00:00.000000Z'`],
  ['allocation/net', `update allocations set net = net + 1 where cash_out_id = 'c1'`],
  ['allocation/negative', `update allocations set commission = -1 where cash_out_id = 'c1'`],
  [
    'allocation/share',
    `update allocations set gross = gross + 2, net = net + 2 where cash_out_id = 'c1' and mode = 'flow'`,
  ],
  ['allocation/currency', `update allocations set currency = 'EUR' where cash_out_id = 'c1'`],
  ['allocation/client', `update allocations set client_id = 4 where cash_out_id = 'c1' and mode = 'flow'`],
  ['allocation/date', `update allocations set local_date = '2026-11-19' where cash_out_id = 'c1'`],
  [
    'allocation/deposited-later',
    `update fundings set deposited_at = '2026-11-20T11:00:00.000000Z' where id = 1`,
  ],
  [
    'allocation/twice',
    `insert into allocations select * from allocations where cash_out_id = 'c1' and mode = 'flow'`,
  ],
  ['client/daily-limit', `update client_limits set daily_limit = 9000`],
  ['client/daily-limit', `delete from client_limits`],
  ['client/closed', `update recipients set status = 'closed' where name = 'dave'`],
  ['client/source-wallet', `update recipients set wallet_id = '${SOURCE}' where name = 'alice'`],
  ['commission/shares', `update commission_shares set sats = sats - 1 where cash_out_id = 'c1'`],
  ['payout/sats', `delete from commission_shares where payout_id is not null`],
  ['commission/currency', `update commission_shares set currency = 'EUR'`],
  ['commission/negative', `update commission_shares set sats = 0`],
  ['commission/recipient', `update recipients set kind = 'client' where name = 'ops'`],
  ['commission/share', `update commission_shares set recipient_id = 1`],
  ['commission/share', `update commission_weights set weight = 0`],
  ['credit/sats', `update credits set sats = sats - 1 where id = 2`],
  ['credit/sats', `delete from credit_members where credit_id = 2`],
  [
    'credit/contradicted',
    `insert into contradictions (id, credit_id, payment_hash, shown, found_at, booked) values (1, 1, 'h', 'it came', '2026-11-20T10:00:00.000000Z', 0)`,
  ],
  [
    'payment/contradicted',
    `insert into contradictions (id, payment_id, payment_hash, shown, found_at, booked) values (1, 3, 'h', 'it arrived', '2026-11-20T10:00:00.000000Z', 0)`,
  ],
  ['credit/state', `update credits set state = 'unknown', credited_at = null, seen = null where id = 2`],
  ['credit/state', `update credits set payment_hash = null where id = 2`],
  [
    'credit/twice',
    `update credits set state = 'credited', credited_at = '${AT}', payment_hash = 'h' where id = 1`,
  ],
  ['credit/settlement', `update cash_outs set origin = 'external', lamassu = null where id = 'c1'`],
  [
    'commission/twice',
    `insert into commission_shares select * from commission_shares where cash_out_id = 'c1'`,
  ],
  ['funding/amount', `update fundings set amount = amount + 1 where id = 2`],
  ['funding/amount', `update fundings set remaining = remaining + 1 where id = 2`],
  ['funding/spent', `update fundings set spent = spent + 1, remaining = remaining - 1 where id = 2`],
  ['funding/status', `update fundings set status = 'exhausted' where id = 2`],
  ['funding/status', `update fundings set status = 'in_flight' where id = 2`],
  ['funding/status', `update fundings set deposited_at = '${AT}' where status = 'in_flight'`],
  ['funding/status', `update fundings set deposited_at = null where id = 2`],
  ['funding/status', `update fundings set remaining = -1, withdrawn = amount + 1 where status = 'in_flight'`],
  [
    'funding/client',
    `update fundings set client_id = (select id from recipients where name = 'ops') where id = 1`,
  ],
  ['funding/machine', `update machines set replaced_by = 'm1' where device_id = 'm2'`],
  ['funding/machine', `update machines set currency = 'EUR' where device_id = 'm2'`],
  ['machine/rates', `insert into machine_rates values (9, 'm1', '${AT}', 5000, 6000, 7000)`],
  ['payout/sats', `update payouts set sats = sats + 1 where id = 1`],
  ['payout/sats', `update allocations set payout_id = null where payout_id = 1`],
  ['payout/sats', `update payouts set sats = sats + 1 where kind = 'commission'`],
  ['payout/fiat', `update payouts set fiat = 1 where id = 1`],
  ['payout/currency', `update payouts set currency = 'EUR' where id = 1`],
  ['payout/recipient', `update payouts set recipient_id = 2 where id = 1`],
  ['payout/recipient', `update payouts set kind = 'commission' where id = 1`],
  ['payout/parts', `update payout_parts set sats = sats + 1 where payout_id = 1`],
  ['payout/parts', `delete from payout_parts where payout_id = 1 and part = 1`],
  ['payout/state', `update payouts set state = 'settled', settled_at = '${AT}' where state = 'deferred'`],
  ['payout/state', `update payouts set settled_at = null where state = 'settled'`],
  ['payout/state', `update payouts set state = 'planned', settled_at = null where state = 'settled'`],
  ['payout/state', `update payouts set state = 'paying', settled_at = null where state = 'settled'`],
  ['payout/state', `update payouts set reason = null where state = 'held'`],
  ['payout/state', `update payouts set state = 'deferred' where state = 'unknown'`],
  ['payout/state', `update payouts set state = 'planned' where state = 'unknown'`],
  ['payment/part', `update payments set part = 9 where id = 1`],
  ['payment/amount', `update payments set sats = sats + 1 where id = 1`],
  ['payment/live', `update payments set state = 'sending', sent_at = '${LATER}' where state = 'dead'`],
  ['payment/attempt', `update payments set attempt = 7 where id = 1`],
  [
    'payment/attempt',
    `update payments set attempt = 3 - attempt where payout_id = (select payout_id from payments where state = 'dead')`,
  ],
  ['payment/missing', `delete from payments where state = 'dead'`],
  [
    'payment/twice',
    `update payments set payment_hash = (select payment_hash from payments where id = 1) where id = 2`,
  ],
  ['payment/twice', `update payments set bolt11 = (select bolt11 from payments where id = 1) where id = 2`],
  ['payment/state', `update payments set settled_at = null where state = 'settled'`],
  ['payment/state', `update payments set sent_at = null where state = 'unknown'`],
  ['payment/times', `update payments set sent_at = '2026-11-20T09:00:00.000000Z' where state = 'settled'`],
  ['payment/times', `update payments set settled_at = '2026-11-20T09:00:00.000000Z' where state = 'settled'`],
  ['payment/times', `update payments set created_at = 'yesterday' where state = 'settled'`],
  ['payment/wallet', `update payments set client_wallet_id = source_wallet_id where id = 1`],
  ['payment/source-wallet', `update ledger set source_wallet_id = 'another'`],
  ['watch/processed', `insert into watch values ('c1', 'lamassu', '${AT}', '${AT}')`],
  ['review/processed', `update review set cash_out_id = 'c9'`],
  ['run/open', `update runs set finished_at = null, outcome = null`],
  ['lease/ended', `insert into lease values (1, 1, '{}', '${AT}')`],
  ['ledger/rows', `delete from ledger`],
  ['ledger/reference', `delete from machines where device_id = 'm1'`],
  ['ledger/reference', `delete from runs`],
  ['ledger/reference', `delete from fundings where id = 1`],
  ['ledger/reference', `delete from cash_outs where id = 'c1'`],
  ['ledger/reference', `delete from payouts where id = 1`],
  ['ledger/reference', `delete from wallets where id = 'wallet-alice'`],
  ['ledger/reference', `delete from currencies`],
];

describe.each(ledgerKinds)('%s', (kind) => {
  const closers: (() => Promise<unknown>)[] = [];
  let ledger: Ledger;
  let tables: string[];

  beforeAll(async () => {
    ledger = await openLedger({ clock: systemClock, url: await place(kind, closers), use: 'create' });
    closers.unshift(() => ledger.close());
    await fill(ledger);
    const found = await verifyLedger(ledger);
    expect(found.differences).toEqual([]);
    tables = await strip(ledger);
  });
  beforeEach(() => restore(ledger, tables));
  afterAll(async () => {
    for (const close of closers) await close();
  });

  test('books that balance are counted', async () => {
    const found = await verifyLedger(ledger);
    expect(found).toMatchObject({
      ok: true,
      differences: [],
      checked: {
        cash_outs: 2,
        allocations: 7,
        fundings: 5,
        payouts: 5,
        payments: 5,
        commission_shares: 2,
        fixed_days: 1,
      },
    });
  });

  test.for(corruptions)('%s: %s', async ([code, text]) => {
    await sql.raw(text).execute(ledger.db);
    const found = await verifyLedger(ledger);
    expect(found.ok).toBe(false);
    expect(found.differences.map((one) => one.code)).toContain(code);
    for (const { hint } of found.differences) expect(`${hint}`).toMatch(/\w/);
  });

  test('times out of order are explained by a clock that was set back, where the log says so of that payout', async () => {
    const change = { at: LATER, actor: 'dora', run_id: null, action: 'clock set back', subject: 'p9' };
    await ledger.db
      .updateTable('payments')
      .set({ settled_at: '2026-11-20T09:00:00.000000Z' })
      .where('id', '=', 1n)
      .execute();
    const codes = async () => (await verifyLedger(ledger)).differences.map((one) => one.code);
    await ledger.db.insertInto('log').values(change).execute();
    expect(await codes()).toEqual(['payment/times']);
    await ledger.db.updateTable('log').set({ subject: 'p1' }).where('subject', '=', 'p9').execute();
    expect(await codes()).toEqual([]);
  });

  test('a difference names its subject and both sides', async () => {
    await sql`update cash_outs set fiat = fiat + 100, own_fiat = own_fiat + 100 where id = 'c2'`.execute(
      ledger.db,
    );
    const found = await verifyLedger(ledger);
    const { hint, ...shown } = found.differences.find((one) => one.code === 'cash-out/lamassu') ?? {
      hint: '',
    };
    expect(shown).toEqual({
      code: 'cash-out/lamassu',
      what: 'cash-out c2',
      ledger: 'fiat 3001.00 USD',
      other: '3000.00 USD',
    });
    expect(String(hint)).toContain('payouts.pause');
  });

  test('the list of differences of a ledger that is wrong throughout has an end', async () => {
    await sql`insert into watch select 'w' || id, 'lamassu', null, ${AT} from cash_outs`.execute(ledger.db);
    const numbers = Array.from({ length: 1200 }, (_, n) => `x${String(n).padStart(5, '0')}`);
    for (const id of numbers) {
      await sql`insert into cash_outs (id, source, machine, confirmed_at, processed_at, local_date, currency, fiat,
        gross, commission, net, own, undelivered, own_fiat, method, origin, run_id, lamassu) select ${id}, source, machine, confirmed_at, processed_at, local_date, currency, fiat,
        gross + 1, commission, net, own, undelivered, own_fiat, method, origin, run_id, lamassu from cash_outs where id = 'c2'`.execute(
        ledger.db,
      );
    }
    const found = await verifyLedger(ledger);
    expect(found.differences).toHaveLength(1001);
    expect(found.differences.at(-1)).toMatchObject({ code: 'verify/more' });
  });
});

test('a run that goes on meanwhile makes no difference, and is not delayed', async () => {
  const closers: (() => Promise<unknown>)[] = [];
  const url = await place('sqlite', closers);
  const ledger = await openLedger({ clock: systemClock, url, use: 'create' });
  const other = await openLedger({ clock: systemClock, url, use: 'write' });
  try {
    await fill(ledger);
    const done = new AbortController();
    const writer = (async () => {
      for (let n = 0; !done.signal.aborted; n += 1)
        await other.write((trx) => ingest(trx, actOf(null), cashOut(`d${n}`, 100n, 1000n), HOW));
    })();
    for (let n = 0; n < 10; n += 1) expect((await verifyLedger(ledger)).differences).toEqual([]);
    done.abort();
    await writer;
  } finally {
    await other.close();
    await ledger.close();
    for (const close of closers) await close();
  }
});

async function place(kind: string, closers: (() => Promise<unknown>)[]): Promise<string> {
  if (kind === 'postgresql') {
    const database: Database = await freshDatabase();
    closers.push(() => database.drop());
    return database.url;
  }
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-verify-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, 'ledger.sqlite')}`;
}

function cashOut(id: string, fiat: bigint, gross: bigint): CashOut {
  const lamassu = {
    id,
    device_id: 'm1',
    confirmed_at: AT,
    fiat_code: 'USD',
    fiat: `${fiat / 100n}.00000`,
    crypto_atoms: `${gross + 5n}`,
    received_crypto_atoms: `${gross}`,
  };
  return {
    id,
    source: 'lamassu',
    machine: 'm1',
    confirmedAt: AT,
    currency: 'USD',
    digits: 2,
    fiat,
    distributed: gross,
    undelivered: 0n,
    commission: gross / 10n,
    method: 'ticker',
    lamassu,
  };
}

const HOW = { timezone: 'UTC', priority: 'shared', origin: 'lamassu' } as const;

function actOf(run: bigint | null): Act {
  return { principal: OPERATOR, actor: 'test', run, clock: bootless, at: LATER };
}

/** Books with an example of everything: flow and fixed, an own part, commission, payments in every state. */
async function fill(ledger: Ledger): Promise<void> {
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
  await run.write(async (trx) => {
    for (const code of ['USD', 'EUR'])
      await trx.insertInto('currencies').values({ code, digits: 2n }).execute();
    for (const device_id of ['m1', 'm2'])
      await trx.insertInto('machines').values({ device_id, first_seen: AT }).execute();
    for (const name of ['alice', 'bob', 'carol', 'dave', 'ops']) {
      await trx
        .insertInto('wallets')
        .values({ id: `wallet-${name}`, invoice_key: `key-${name}`, created_at: AT })
        .execute();
      await trx
        .insertInto('recipients')
        .values({
          kind: name === 'ops' ? 'commission' : 'client',
          name,
          wallet_id: `wallet-${name}`,
          status: 'active',
          created_at: AT,
        })
        .execute();
    }
    for (const client_id of [1n, 2n, 3n, 4n]) {
      await trx
        .insertInto('client_settings')
        .values({ client_id, from_at: ALWAYS, mode: client_id === 2n ? 'fixed' : 'flow', paused: 0n })
        .execute();
      await trx.insertInto('fundings').values(funding(client_id, 1_000_00n)).execute();
    }
    await trx
      .insertInto('fundings')
      .values({ ...funding(4n, 50_00n), machine: 'm2', status: 'in_flight', deposited_at: null })
      .execute();
    await trx
      .insertInto('client_limits')
      .values({
        client_id: 2n,
        from_at: ALWAYS,
        currency: 'USD',
        daily_limit: 100_00n,
        max_daily_limit: null,
      })
      .execute();
    await trx
      .insertInto('commission_weights')
      .values({ recipient_id: 5n, from_at: ALWAYS, weight: 1n })
      .execute();
    await trx.updateTable('ledger').set({ source_wallet_id: SOURCE }).execute();
    await bindSource(
      trx,
      { name: 'lamassu', startAt: '2026-01-01T00:00:00.000000Z', systemIdentifier: '77' },
      AT,
    );
    const finding = {
      cashOutId: 'c1',
      source: 'lamassu',
      machine: 'm1',
      reason: 'error',
      detail: '',
      lamassu: {},
    };
    await toReview(trx, { ...run.who, at: AT }, finding);
    await closeReview(trx, { ...run.who, at: AT, reason: 'test' }, 'c1', 'processed');
    await moveMark(trx, 'lamassu', { confirmedAt: AT, id: 'c2' });
  });
  await run.write(async (trx) => {
    await ingest(trx, actOf(run.id), cashOut('c1', 400_00n, 400_000n), HOW);
    await formPayouts(trx, {
      batch: 'poll',
      minimumSats: 1n,
      maximumSats: 60_000n,
      fixedDueAt: LATER,
      now: LATER,
      run: run.id,
    });
  });
  await run.write((trx) => ingest(trx, actOf(run.id), cashOut('c2', 3_000_00n, 3_000_000n), HOW));
  await run.write((trx) => payments(trx, run));
  await run.write((trx) => credits(trx, run));
  await run.finish('ok', null);
}

function funding(client_id: bigint, amount: bigint) {
  return {
    client_id,
    machine: null as string | null,
    currency: 'USD',
    amount,
    remaining: amount,
    spent: 0n,
    withdrawn: 0n,
    status: 'deposited' as 'deposited' | 'in_flight',
    created_at: AT,
    deposited_at: AT as string | null,
  };
}

/** p1 settled in two parts, p2 unknown after a dead payment, p3 deferred, p4 held, p5 (commission) invoiced. */
async function payments(trx: Trx, run: Run): Promise<void> {
  const invoice = async (id: bigint, payout: bigint, part: bigint, sats: bigint, wallet: string) =>
    addPayment(
      trx,
      {
        id,
        payout,
        part,
        sats,
        hash: `hash-${id}`,
        bolt11: `lnbc-${id}`,
        clientWallet: wallet,
        sourceWallet: SOURCE,
        run: run.id,
      },
      LATER,
    );
  for (const [id, sats] of [
    [1n, 60_000n],
    [2n, 30_000n],
  ] as const) {
    const payment = await invoice(id, 1n, id, sats, 'wallet-alice');
    await sendPayment(trx, { ...run.who, at: LATER }, payment);
    await settlePayment(trx, { ...run.who, at: LATER }, payment);
  }
  const failed = await invoice(3n, 2n, 1n, 60_000n, 'wallet-bob');
  await sendPayment(trx, { ...run.who, at: LATER }, failed);
  await markDead(trx, { ...run.who, at: LATER }, failed, 'it failed');
  const again = await invoice(4n, 2n, 1n, 60_000n, 'wallet-bob');
  await sendPayment(trx, { ...run.who, at: LATER }, again);
  await markUnknown(trx, again, 'no answer');
  await deferPayout(trx, 3n, 'balance too small');
  await holdPayout(trx, { ...run.who, at: LATER }, 4n, 'somebody asked');
  await invoice(5n, 5n, 1n, 40_000n, 'wallet-ops');
}

/** Replaces every table by a bare copy, without checks, keys and triggers, and keeps a second one to restore from. */
async function strip(ledger: Ledger): Promise<string[]> {
  const { db } = ledger;
  const run = (text: string) => sql.raw(text).execute(db);
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  if (!postgres)
    for (const pragma of ['foreign_keys = off', 'legacy_alter_table = on', 'synchronous = off'])
      await run(`pragma ${pragma}`);
  const tables = (await db.introspection.getTables()).map((one) => one.name);
  for (const name of tables) {
    await run(`create table ${name}_bare as select * from ${name}`);
    await run(`create table ${name}_kept as select * from ${name}`);
    await run(`drop table ${name}${postgres ? ' cascade' : ''}`);
    await run(`alter table ${name}_bare rename to ${name}`);
  }
  return tables;
}

async function restore(ledger: Ledger, tables: string[]): Promise<void> {
  await ledger.db.transaction().execute(async (trx) => {
    for (const name of tables) {
      await sql.raw(`delete from ${name}`).execute(trx);
      await sql.raw(`insert into ${name} select * from ${name}_kept`).execute(trx);
    }
  });
}

/** Both cash-outs are credited, by the second credit that was recorded; the first one did not happen. */
async function credits(trx: Trx, { who }: Run): Promise<void> {
  for (const arrives of [false, true]) {
    await intendCredits(trx, { ...who, at: AT }, { wallet: SOURCE, largest: 10_000_000n });
    const [intended] = await creditsIn(trx, ['intended']);
    if (!intended) throw new Error('nothing was to be credited');
    const credit = await sendCredit(trx, intended, [], AT);
    if (arrives) await creditArrived(trx, { ...who, at: AT }, credit, 'f'.repeat(64));
    else await dropCredit(trx, { ...who, at: AT }, credit, 'LNbits gave no answer');
  }
}
