import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import pkg from '../../package.json' with { type: 'json' };
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { systemClock } from '../../src/time.ts';
import { MACHINE } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { startWorld, type World } from '../support/world.ts';

interface Status {
  waits: object[];
  owed: { payouts: number; sats: number; waiting_sats: number };
  source_wallet: { balance_sats: number; short_sats: number } | null;
  attention: Record<string, number | boolean>;
  totals: Record<string, number>;
  running: object | null;
}

const nothing = {
  clock: 0,
  overrun: false,
  review: 0,
  held: 0,
  unknown: 0,
  stale: false,
  aged: 0,
  short_sats: 0,
};

let world: World;
let ledger: Ledger;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct', ledger: 'postgresql', quiet: '1 ms' });
});
afterEach(async () => {
  if (ledger) expect((await verifyLedger(ledger)).differences).toEqual([]);
});
afterAll(async () => {
  await ledger.close();
  await world.stop();
});

async function status(): Promise<Status & { code: number | null }> {
  const ran = await world.aioDca(['status', '--json']);
  return { ...ran.json<Status>(), code: ran.code };
}

async function configure(from: string, to: string): Promise<void> {
  const text = await readFile(world.configFile, 'utf8');
  await writeFile(world.configFile, text.replace(from, to));
  onTestFinished(() => writeFile(world.configFile, text));
}

test('makes no ledger', async () => {
  const ran = await world.aioDca(['status', '--json']);
  expect(ran.code).toBe(78);
  expect(ran.json()).toMatchObject({ error: { code: 'ledger/missing' } });
  await configure(
    /^url = "postgresql.*$/m.exec(await readFile(world.configFile, 'utf8'))?.[0] ?? '',
    'url = "sqlite:none.sqlite"',
  );
  expect((await world.aioDca(['status'])).code).toBe(78);
  expect(existsSync(join(world.folder, 'none.sqlite'))).toBe(false);
});

test('a new ledger says what comes next', async () => {
  await world.must(['migrate']);
  ledger = await openLedger({ clock: systemClock, url: world.ledgerUrl, use: 'write' });
  const ran = await world.must(['status', '--json']);
  expect(ran.json()).toEqual({
    version: pkg.version,
    at: expect.any(String),
    ledger: { id: ledger.id, url: expect.stringContaining('postgresql://'), schema: ledger.schema },
    start_at: { at: expect.any(String), problem: null },
    mark: null,
    last_success_at: null,
    last_run: null,
    next_run_at: expect.any(String),
    running: null,
    owed: { payouts: 0, sats: 0, waiting_sats: 0, overdue_sats: 0 },
    deferred: [],
    waits: [],
    cash: [],
    own_shares: [],
    paused_cash: [],
    paid_today: {
      day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      payouts: 0,
      client_sats: 0,
      commission_sats: 0,
    },
    paused: false,
    pause: null,
    source_wallet: { balance_sats: 10_000_000, short_sats: 0 },
    source_wallet_problem: null,
    lnbits_wants_more: false,
    credits: { on: false, credited_sats: 0, to_come_sats: 0, not_made: [] },
    clock: { problem: null, entries: [] },
    attention: { ...nothing, credits: 0, contradicted: 0, broken_off: null },
    needs: [],
    next: { what: 'add a client', help: 'aio-dca clients add NAME --wallet-key-file FILE' },
    months: [0, 1].map(() => ({
      ...{ month: expect.stringMatching(/^\d{4}-\d\d$/), cash_outs: 0 },
      ...{ net_sats: 0, commission_sats: 0, own_sats: 0 },
    })),
    totals: {
      cash_outs: 0,
      gross_sats: 0,
      commission_sats: 0,
      net_sats: 0,
      own_sats: 0,
      undelivered_sats: 0,
      settled_sats: 0,
      service_fee_sats: 0,
    },
  });
  expect(ran.stdout).not.toContain(new URL(world.ledgerUrl).password);
  const page = (await world.must(['status'])).stdout;
  expect(page).toContain('No client has cash in a machine.');
  expect(page).toMatch(
    /\nNothing waits to be paid\.\n\nNext: add a client: `aio-dca clients add NAME .*`\n$/,
  );
  expect(page).toMatch(/^Cash-outs +none yet$/m);
  expect(page).toMatch(/^Owed +nothing$/m);
});

test('after a run: the mark, what was paid, and nothing owed', async () => {
  const next = async () => (await world.must(['status'])).stdout.split('\n').at(-2);
  await world.addClient('alice');
  expect(await next()).toBe(
    'Next: enter the clients’ cash: `aio-dca fundings add CLIENT "AMOUNT" --any-machine --deposited`',
  );
  const way = ['fundings', 'add', 'alice', '10 GTQ', '--any-machine', '--json'];
  const { id: onItsWay } = (await world.must(way)).json<{ id: string }>();
  expect(await next()).toBe(
    'Next: confirm the cash once it is in the machine: `aio-dca fundings confirm ID`',
  );
  await world.must(['fundings', 'cancel', onItsWay]);
  await world.addFunding('alice', '6000 GTQ');
  expect(await next()).toBe('Next: the first run: `aio-dca poll`');
  const id = await world.insertCashOut();
  const run = (await world.must(['poll', '--json'])).json<{ run: string; finished_at: string }>();
  const now = (await world.must(['status', '--json'])).json<Record<string, unknown>>();
  expect(now).toMatchObject({
    mark: { id },
    last_run: { run: run.run, outcome: 'ok' },
    owed: { payouts: 0, sats: 0, waiting_sats: 0, overdue_sats: 0 },
    source_wallet: { balance_sats: 10_000_000 - 484_207, short_sats: 0 },
    attention: nothing,
    totals: {
      cash_outs: 1,
      gross_sats: 512_400,
      commission_sats: 28_193,
      net_sats: 484_207,
      own_sats: 0,
      settled_sats: 484_207,
    },
  });
  const [month, before] = now.months as Record<string, unknown>[];
  const monthly = { cash_outs: 1, net_sats: 484_207, commission_sats: 28_193, own_sats: 0 };
  // What came out a few minutes ago may have come out last month.
  expect([month, before]).toContainEqual({ month: expect.any(String), ...monthly });
  expect(now.last_success_at).toBe((now.last_run as Record<string, unknown>).finished_at);
  const page = (await world.must(['status'])).stdout;
  expect(page).toContain('512,400 sat');
  expect(page).toMatch(/^Last cash-out /m);
  expect(page).toMatch(/^Paid today +484,207 sat to clients, in 1 payout \(\d{4}-\d\d-\d\d\)$/m);
  expect(page).toMatch(/│ any machine +│ GTQ │ 2,000\.00 │/);
  expect(page).toMatch(/│ 7a1f4c2e +│ GTQ │ +0\.00 │ +4,000\.00 │/);
  expect(page).toMatch(/^Cash for any machine can go out at each\.$/m);
  expect(now).toMatchObject({
    waits: [],
    paid_today: { payouts: 1, client_sats: 484_207, commission_sats: 0 },
    cash: [
      { machine: MACHINE, machine_name: null, remaining: '0.00', clients: 0, dispensed_7_days: '4000.00' },
      { machine: null, currency: 'GTQ', remaining: '2000.00', in_flight: '0.00', clients: 1 },
    ],
  });
  for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});

test('without LNbits the rest is still shown', async () => {
  await world.simulator().stop();
  const now = await status();
  const page = (await world.must(['status'])).stdout;
  await world.simulator().start();
  expect(now).toMatchObject({ code: 0, source_wallet: null, totals: { settled_sats: 484_207 } });
  expect(page).toMatch(
    /LNbits did not tell what the source wallet holds; nothing else is known to need you\.\n$/,
  );
});

test('sats below the minimum wait, and are owed', async () => {
  await configure('[payouts]', '[payouts]\nminimum_sats = 1000000');
  await world.insertCashOut({ fiat: '1000.00000', crypto_atoms: '128100', received_crypto_atoms: '128100' });
  await world.must(['poll']);
  const { owed, totals, code, waits } = await status();
  expect(owed).toEqual({ payouts: 0, sats: 121_051, waiting_sats: 121_051, overdue_sats: 0 });
  expect(totals).toMatchObject({ net_sats: 484_207 + 121_051, settled_sats: 484_207 });
  expect(code).toBe(0);
  const wait = { recipient: 'alice', kind: 'client', sats: 121_051, reason: 'minimum', payouts: [] };
  expect(waits).toMatchObject([{ ...wait, minimum_sats: 1_000_000, until: null }]);
  const page = (await world.must(['status'])).stdout;
  expect(page).toMatch(/^ {2}alice {2}121,051 sat {2}until it adds up to 1,000,000 sat, the minimum/m);
  expect(page).toMatch(/\nNo action required\.\n$/);
});

test('shows what the source wallet lacks, and an open payout that is too old', async () => {
  const balance = await world.balance(world.source);
  await world.lnbits.topUp(world.source.id, 1_000n - balance);
  await world.aioDca(['poll']);
  const short = { ...nothing, short_sats: 120_051 };
  expect(await status()).toMatchObject({
    code: 2,
    owed: { payouts: 1, sats: 121_051, waiting_sats: 0, overdue_sats: 0 },
    deferred: [
      { payout: 'p2', recipient: 'alice', sats: 121_051, reason: expect.stringContaining('1,000 sat') },
    ],
    source_wallet: { balance_sats: 1_000, short_sats: 120_051 },
    attention: short,
  });
  const page = (await world.aioDca(['status'])).stdout;
  expect(page).toMatch(/120,051 sat missing for what is due +top up the source wallet/);
  expect(page).toMatch(/^ {2}alice {2}121,051 sat {2}p2: /m);
  expect(page).not.toContain('No action required');
  await configure('[payouts]', '[attention]\npayout_after = "1 ms"\n[payouts]');
  expect(await status()).toMatchObject({ code: 2, attention: { ...short, aged: 1 } });
  expect((await world.aioDca(['status'])).stdout).toContain('aio-dca payouts list --open');
});

describe('needs the operator', () => {
  test('while a payout is held, with the command to look at it', async () => {
    await world.must(['payouts', 'hold', 'p2', '--reason', 'to see']);
    // A held payout is not due until the operator has released it.
    expect(await status()).toMatchObject({ code: 2, attention: { ...nothing, held: 1 } });
    const page = await world.aioDca(['status']);
    expect(page.code).toBe(2);
    expect(page.stdout).toMatch(/1 payout held +aio-dca payouts list --state held/);
    await world.must(['payouts', 'release', 'p2']);
    await world.lnbits.topUp(world.source.id, 10_000_000n);
    await world.must(['poll']);
    expect(await status()).toMatchObject({ code: 0, totals: { settled_sats: 484_207 + 121_051 } });
  });

  test('while rows are in review', async () => {
    await world.insertCashOut({ crypto_code: 'ETH' });
    await world.aioDca(['poll']);
    expect(await status()).toMatchObject({ code: 2, attention: { ...nothing, review: 1 } });
    expect((await world.aioDca(['status'])).stdout).toMatch(
      /1 row of Lamassu in review +aio-dca review list/,
    );
    await ledger.db
      .updateTable('review')
      .set({ state: 'dismissed', closed_at: '2026-11-20T10:00:00.000000Z', closed_by: 'dora' })
      .execute();
  });

  test('while no run has succeeded for too long', async () => {
    await configure('[payouts]', '[attention]\nstale_after = "1 ms"\n[payouts]');
    expect(await status()).toMatchObject({ code: 2, attention: { ...nothing, stale: true } });
  });

  test('a run that could not read Lamassu, or a decision about a payout, is no success', async () => {
    const before = (await world.must(['status', '--json'])).json<Record<string, unknown>>();
    await configure('port = ', 'port = 1 # ');
    await world.aioDca(['poll']);
    await world.aioDca(['payouts', 'retry', 'p1']);
    const after = (await world.must(['status', '--json'])).json<Record<string, unknown>>();
    expect(after.last_success_at).toBe(before.last_success_at);
    expect(after.last_run).toMatchObject({ outcome: 'incomplete' });
  });
});

test.each([
  ['23505', 1, 'failed', /the last run ended in a defect +aio-dca poll shows it: report it/],
  ['42501', 78, 'refused', /the last run was refused/],
  ['P0001', 78, 'refused', /the last run was refused/],
  ['53100', 75, 'incomplete', null],
])('a run that the ledger’s database ended by %s, exit %i', async (state, exit, outcome, said) => {
  await world.insertCashOut();
  await ledgerSql(
    world.ledgerUrl,
    `create function boom() returns trigger language plpgsql as
      'begin raise exception using errcode = ''${state}''; end'`,
  );
  await ledgerSql(
    world.ledgerUrl,
    'create trigger boom before insert on cash_outs for each row execute function boom()',
  );
  try {
    expect((await world.aioDca(['poll'])).code).toBe(exit);
  } finally {
    await ledgerSql(world.ledgerUrl, 'drop function boom cascade');
  }
  const ran = await world.aioDca(['status']);
  expect(ran.code).toBe(said === null ? 0 : 2);
  if (said !== null) expect(ran.stdout).toMatch(said);
  expect((await world.aioDca(['status', '--json'])).json()).toMatchObject({ last_run: { outcome } });
  await world.must(['poll']);
  await world.must(['status']);
});

test('says which run is going on', async () => {
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'timer' });
  try {
    expect((await status()).running).toEqual({ run: `r${run.id}`, kind: 'poll', actor: 'timer' });
    expect((await world.must(['status'])).stdout).toContain(`r${run.id}, poll by timer`);
  } finally {
    await run.finish('ok', null);
  }
  expect((await status()).running).toBeNull();
});
