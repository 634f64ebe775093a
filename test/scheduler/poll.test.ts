import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { runPage } from '../../src/cli/pages/poll.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BridgeError } from '../../src/errors.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { ALWAYS } from '../../src/ledger/store/effective-dated.ts';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';

import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { dryRun } from '../../src/scheduler/dry-run.ts';
import { poll } from '../../src/scheduler/poll.ts';
import type { PollReport } from '../../src/scheduler/report.ts';
import { plus, systemClock } from '../../src/time.ts';
import { viewOfRun } from '../../src/views/run.ts';
import { now } from '../support/clock.ts';
import { createLamassu, insertCashOut, type Lamassu, MACHINE, pairMachine } from '../support/lamassu.ts';
import { freshLedgerUrl, type LedgerKind, ledgerKinds, openAgain } from '../support/ledgers.ts';
import type { WalletKeys } from '../support/lnbits.ts';
import { type LnbitsSimulator, startLnbitsSimulator } from '../support/lnbits-simulator.ts';
import { freshDatabase } from '../support/postgres.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const log = pino({ level: 'silent' });

/** The distributed sats of the cash-outs that cannot be divided. */
const undivided = vi.hoisted(() => new Set<bigint>());
vi.mock('../../src/dca/allocate.ts', async (original) => {
  const real = await original<typeof import('../../src/dca/allocate.ts')>();
  const allocate: typeof real.allocate = (input) => {
    if (undivided.has(input.distributed)) throw new RangeError('shares do not add up');
    return real.allocate(input);
  };
  return { ...real, allocate };
});

let lamassuUrl: string;
let lamassu: Lamassu;
let lnbits: LnbitsSimulator;
let source: WalletKeys;
const releases: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const database = await freshDatabase();
  lamassuUrl = database.url;
  lamassu = await createLamassu(database.url);
  lnbits = await startLnbitsSimulator();
  source = await lnbits.createUserWallet('source');
  await lnbits.topUp(source.id, 90_000_000n);
  releases.push(
    () => database.drop(),
    () => lamassu.end(),
    () => lnbits.stop(),
  );
});

afterAll(async () => {
  for (const release of releases.reverse()) await release();
});

beforeEach(async () => {
  await lamassu.query('truncate cash_out_txs, cash_out_actions, devices');
  await pairMachine(lamassu, 'Zona 10');
});

const ago = (ms: number) => plus(now(), -ms);

describe.each(ledgerKinds)('a run on a ledger in %s', (kind: LedgerKind) => {
  let ledger: Ledger;
  let config: Config;

  const configure = (changes: { startAt?: string; lamassuUrl?: string } = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'aio-dca-poll-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const url = new URL(changes.lamassuUrl ?? lamassuUrl);
    const file = join(folder, 'config.toml');
    const text = `timezone = "America/Guatemala"
[lamassu]
host = "${url.hostname}"
port = ${url.port}
database = "${url.pathname.slice(1)}"
user = "${url.username}"
password = "${url.password}"
start_at = "${changes.startAt ?? ago(60 * DAY)}"
[ledger]
url = "${ledger.url}"
[lnbits]
url = "${lnbits.url}"
source_wallet_key = "${source.adminkey}"
[payouts]
quiet = "1 ms"
`;
    writeFileSync(file, text, { mode: 0o600 });
    return loadConfig(file, {});
  };

  beforeEach(async () => {
    ledger = await openLedger({ clock: systemClock, url: await freshLedgerUrl(kind), use: 'create' });
    onTestFinished(async () => {
      // Whatever a test did: the books must balance.
      expect((await verifyLedger(ledger)).differences).toEqual([]);

      await ledger.close();
    });
    config = configure();
  });

  const run = (options: { signal?: AbortSignal } = {}): Promise<PollReport> =>
    poll({
      ledger,
      config,
      who: { principal: OPERATOR, actor: 'test' },
      log,
      signal: options.signal ?? new AbortController().signal,
    });

  /** A client with confirmed cash, in whole GTQ, that serves all machines. */
  const addClient = async (name: string, gtq: bigint, depositedAt = ago(90 * DAY)): Promise<WalletKeys> => {
    const wallet = await lnbits.createUserWallet(name);
    await ledger.write(async (trx) => {
      await trx
        .insertInto('currencies')
        .values({ code: 'GTQ', digits: 2n })
        .onConflict((c) => c.doNothing())
        .execute();
      await trx
        .insertInto('wallets')
        .values({ id: wallet.id, invoice_key: wallet.inkey, created_at: ALWAYS })
        .execute();
      const { id } = await trx
        .insertInto('recipients')
        .values({ kind: 'client', name, wallet_id: wallet.id, status: 'active', created_at: ALWAYS })
        .returning('id')
        .executeTakeFirstOrThrow();
      await trx
        .insertInto('client_settings')
        .values({ client_id: id, from_at: ALWAYS, mode: 'flow', paused: 0n })
        .execute();
      const amount = gtq * 100n;
      const funding = { client_id: id, currency: 'GTQ', amount, remaining: amount, spent: 0n, withdrawn: 0n };
      await trx
        .insertInto('fundings')
        .values({ ...funding, status: 'deposited', created_at: depositedAt, deposited_at: depositedAt })
        .execute();
    });
    return wallet;
  };
  const reviews = async () =>
    (await ledger.db.selectFrom('review').selectAll().orderBy('cash_out_id').execute()).map(
      ({ cash_out_id: id, reason, state }) => ({ id, reason, state }),
    );

  test('from a confirmed cash-out to sats in the wallet, once', async () => {
    const alice = await addClient('alice', 10_000n);
    const bob = await addClient('bob', 30_000n);
    const id = await insertCashOut(lamassu);
    const first = await run();
    expect(first).toMatchObject({
      outcome: 'ok',
      source: { read: 1, alreadyProcessed: 0, toReview: 0 },
      distributed: { cashOuts: 1, gross: 512_400n, commission: 28_193n, net: 484_207n, own: 0n },
      payouts: { settled: 2, satsSettled: 484_207n },
      problems: [],
    });
    expect(first.source.mark?.id).toBe(id);
    expect(lnbits.balance(alice.id) + lnbits.balance(bob.id)).toBe(484_207n);
    expect(lnbits.balance(alice.id)).toBe(121_052n);
    expect(await run()).toMatchObject({
      outcome: 'ok',
      source: { read: 1, alreadyProcessed: 1 },
      payouts: { settled: 0 },
    });
    expect(lnbits.balance(alice.id)).toBe(121_052n);
  });

  test('the mark keeps the microseconds of the last row, whatever its outcome', async () => {
    await addClient('alice', 10_000n);
    const at = `${ago(HOUR).slice(0, 20)}123457Z`;
    const id = await insertCashOut(lamassu, { confirmed_at: at, dispense_confirmed: false, dispense: false });
    expect((await run()).source.mark).toEqual({ confirmedAt: at, id });
  });

  test('a redeem-later cash-out is paid when the cash came out, far behind the mark', async () => {
    const alice = await addClient('alice', 10_000n);
    const late = await insertCashOut(lamassu, {
      confirmed_at: ago(30 * DAY),
      created: ago(30 * DAY),
      redeem: true,
      dispense_confirmed: false,
      dispense: false,
    });
    expect(await run()).toMatchObject({
      outcome: 'attention',
      distributed: { cashOuts: 0 },
      source: { toReview: 1 },
    });
    expect(await reviews()).toEqual([{ id: late, reason: 'not-dispensed', state: 'open' }]);
    await insertCashOut(lamassu, { confirmed_at: ago(HOUR) });
    await run();
    const before = lnbits.balance(alice.id);
    await lamassu.query('update cash_out_txs set dispense = true, dispense_confirmed = true where id = $1', [
      late,
    ]);
    expect(await run()).toMatchObject({ distributed: { cashOuts: 1 }, payouts: { settled: 1 } });
    expect(lnbits.balance(alice.id) - before).toBe(484_207n);
    expect(await reviews()).toEqual([{ id: late, reason: 'not-dispensed', state: 'processed' }]);
    expect(await run()).toMatchObject({ distributed: { cashOuts: 0 }, outcome: 'ok' });
  });

  test('a watched row that was confirmed meanwhile takes its place in the order of time', async () => {
    await addClient('alice', 4_000n);
    const watched = await insertCashOut(lamassu, {
      status: 'authorized',
      confirmed_at: null,
      created: ago(2 * DAY),
    });
    await run();
    await lamassu.query(`update cash_out_txs set status = 'confirmed', confirmed_at = $2 where id = $1`, [
      watched,
      ago(60_000),
    ]);
    const older = await insertCashOut(lamassu, { confirmed_at: ago(HOUR) });
    expect((await run()).source.mark?.id).toBe(watched);
    const shares = await ledger.db
      .selectFrom('cash_outs')
      .select(['id', 'own_fiat'])
      .orderBy('confirmed_at')
      .execute();
    // The older one takes all the cash there is, so the mark cannot have passed it unread.
    expect(shares).toEqual([
      expect.objectContaining({ id: older, own_fiat: 0n }),
      expect.objectContaining({ id: watched, own_fiat: 400_000n }),
    ]);
  });

  test('what was paid and later changes in Lamassu is reported once and not touched', async () => {
    const alice = await addClient('alice', 10_000n);
    const id = await insertCashOut(lamassu);
    await run();
    await lamassu.query(`update cash_out_txs set error = 'late trouble' where id = $1`, [id]);
    expect(await run()).toMatchObject({
      outcome: 'attention',
      source: { toReview: 1 },
      distributed: { cashOuts: 0 },
    });
    expect(await reviews()).toEqual([{ id, reason: 'changed', state: 'open' }]);
    expect(await run()).toMatchObject({ outcome: 'ok', source: { toReview: 0 } });
    expect(lnbits.balance(alice.id)).toBe(484_207n);
  });

  test('a row from the future goes to review, does not move the mark, and stops nothing', async () => {
    await addClient('alice', 10_000n);
    const future = await insertCashOut(lamassu, { confirmed_at: plus(now(), DAY) });
    const id = await insertCashOut(lamassu);
    const report = await run();
    expect(report).toMatchObject({ distributed: { cashOuts: 1 }, source: { toReview: 1, mark: { id } } });
    expect(await reviews()).toEqual([{ id: future, reason: 'future', state: 'open' }]);
  });

  test('a row whose future date is corrected is paid, however far behind the mark it is then', async () => {
    await addClient('alice', 10_000n);
    const id = await insertCashOut(lamassu, { confirmed_at: plus(now(), 100 * DAY) });
    const beyond = await insertCashOut(lamassu, { confirmed_at: 'infinity' });
    await insertCashOut(lamassu, { confirmed_at: ago(HOUR) });
    expect(await run()).toMatchObject({ distributed: { cashOuts: 1 }, source: { toReview: 2 } });
    await lamassu.query('update cash_out_txs set created = $1, confirmed_at = $1 where id = any ($2)', [
      ago(30 * DAY),
      [id, beyond],
    ]);
    expect(await run()).toMatchObject({ distributed: { cashOuts: 2 } });
  });

  test('failed, partial, other coins and broken rows are not paid; each is in review once, the rest goes on', async () => {
    const alice = await addClient('alice', 10_000n);
    const expected = new Map([
      [await insertCashOut(lamassu, { error: 'Operator cancel', error_code: 'operatorCancel' }), 'error'],
      [await insertCashOut(lamassu, { dispense_confirmed: false, error: 'jam' }), 'error'],
      [await insertCashOut(lamassu, { crypto_code: 'LTC' }), 'other-coin'],
      [await insertCashOut(lamassu, { fiat: '-4000' }), 'malformed'],
      [await insertCashOut(lamassu, { fiat_code: 'XYZ' }), 'unknown-currency'],
      [await insertCashOut(lamassu, { crypto_atoms: '0' }), 'malformed'],
      [await insertCashOut(lamassu, { fiat: 'NaN' }), 'malformed'],
      [await insertCashOut(lamassu, { raw_ticker_price: '26091.28' }), 'implausible-rate'],
    ]);
    await insertCashOut(lamassu, {
      status: 'authorized',
      confirmed_at: null,
      created: ago(HOUR),
      dispense_confirmed: false,
    });
    await insertCashOut(lamassu);
    expect(await run()).toMatchObject({
      outcome: 'attention',
      distributed: { cashOuts: 1 },
      source: { toReview: expected.size },
    });
    expect(new Map((await reviews()).map(({ id, reason }) => [id, reason]))).toEqual(expected);
    expect(lnbits.balance(alice.id)).toBe(484_207n);
    expect(await run()).toMatchObject({ outcome: 'ok', source: { toReview: 0 } });
  });

  test('cash that came out and was never confirmed goes to review after a day', async () => {
    await addClient('alice', 10_000n);
    const id = await insertCashOut(lamassu, {
      status: 'authorized',
      confirmed_at: null,
      created: ago(2 * DAY),
    });
    expect(await run()).toMatchObject({ outcome: 'attention', source: { toReview: 1 } });
    expect(await reviews()).toEqual([{ id, reason: 'unconfirmed', state: 'open' }]);
  });

  test('nothing confirmed before the start is paid; what turns eligible only after it goes to review', async () => {
    const alice = await addClient('alice', 10_000n);
    config = configure({ startAt: ago(2 * DAY) });
    await insertCashOut(lamassu, { confirmed_at: ago(3 * DAY) });
    const late = await insertCashOut(lamassu, {
      confirmed_at: ago(2.5 * DAY),
      dispense_confirmed: false,
      dispense: false,
    });
    expect(await run()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 0 } });
    await lamassu.query('update cash_out_txs set dispense = true, dispense_confirmed = true where id = $1', [
      late,
    ]);
    expect(await run()).toMatchObject({ outcome: 'attention', distributed: { cashOuts: 0 } });
    expect(await reviews()).toEqual([{ id: late, reason: 'before-start', state: 'open' }]);
    expect(lnbits.balance(alice.id)).toBe(0n);
  });

  test('cash that was deposited after a cash-out has no share in it', async () => {
    const alice = await addClient('alice', 10_000n, ago(10 * 60_000));
    await insertCashOut(lamassu);
    expect(await run()).toMatchObject({ distributed: { cashOuts: 1, net: 0n, own: 484_207n } });
    expect(lnbits.balance(alice.id)).toBe(0n);
  });

  test('Lamassu not there: the mark stays, what is due is paid, exit 75', async () => {
    const alice = await addClient('alice', 10_000n);
    await insertCashOut(lamassu);
    await lnbits.stop();
    expect(await run()).toMatchObject({
      outcome: 'incomplete',
      distributed: { cashOuts: 1 },
      payouts: { settled: 0 },
    });
    await lnbits.start();
    const mark = (await ledger.db.selectFrom('sources').selectAll().executeTakeFirstOrThrow()).mark_id;
    const there = config;
    config = configure({
      startAt: there.lamassu.startAt,
      lamassuUrl: 'postgresql://u:p@127.0.0.1:1/lamassu',
    });
    const report = await run();
    expect(report).toMatchObject({
      outcome: 'incomplete',
      payouts: { settled: 1 },
      source: { read: 0, mark: { id: mark }, failed: true },
    });
    expect(runPage(viewOfRun(report, 1n), 'UTC')).toMatch(/^Lamassu could not be read\.$/m);
    expect(runPage(viewOfRun(report, 1n), 'UTC')).not.toContain('0 new cash-outs');
    expect(report.problems.map((one) => one.code)).toEqual(['lamassu/unreachable']);
    expect(lnbits.balance(alice.id)).toBe(484_207n);
  });

  test('LNbits is read once before something new is recorded, and not at all by an idle run', async () => {
    await addClient('alice', 10_000n);
    for (const hours of [2, 1]) await insertCashOut(lamassu, { confirmed_at: ago(hours * HOUR) });
    await ledger.db.updateTable('ledger').set({ paused_at: now(), paused_reason: 'a look' }).execute();
    lnbits.clearLog();
    expect(await run()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 2 } });
    expect(lnbits.requests.filter(({ kind }) => kind === 'version')).toHaveLength(1);
    expect(lnbits.requests.filter(({ kind }) => kind === 'invoice' || kind === 'pay')).toEqual([]);
    lnbits.clearLog();
    expect(await run()).toMatchObject({ outcome: 'ok', source: { read: 2, alreadyProcessed: 2 } });
    expect(lnbits.requests).toEqual([]);
  });

  test('another Lamassu, or another start, than the ledger is bound to is refused: 78', async () => {
    await addClient('alice', 10_000n);
    await insertCashOut(lamassu);
    await run();
    config = configure({ startAt: ago(30 * DAY) });
    const report = await run();
    expect(report).toMatchObject({ outcome: 'refused' });
    expect(report.problems.map((one) => one.code)).toEqual(['ledger/source-differs']);
  });

  test('a ledger without clients is refused', async () => {
    await expect(run()).rejects.toMatchObject({ code: 'ledger/no-clients', kind: 'misconfigured' });
  });

  test('a second run is refused while one is going on, and says who holds it', async () => {
    await addClient('alice', 10_000n);
    const other = await openAgain(ledger);
    const held = await startRun(other, 'poll', { principal: OPERATOR, actor: 'the timer' });
    await expect(run()).rejects.toMatchObject({
      code: 'run/busy',
      kind: 'busy',
      message: expect.stringContaining('the timer'),
    });
    await held.finish('ok', null);
    expect(await run()).toMatchObject({ outcome: 'ok' });
  });

  test('a run that lost its lease writes nothing more', async () => {
    await addClient('alice', 10_000n);
    const slow = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'slow' });
    await ledger.db
      .updateTable('lease')
      .set({ expires_at: ago(1) })
      .execute();
    await run();
    await expect(slow.write(async () => 'written')).rejects.toMatchObject({ code: 'run/lost-lease' });
  });

  test('a dry run shows the plan and writes nothing', async () => {
    const alice = await addClient('alice', 10_000n);
    await insertCashOut(lamassu);
    const plan = await dryRun({ ledger, config, signal: new AbortController().signal });
    expect(plan.payouts).toEqual([{ client: 'alice', sats: 484_207n }]);
    expect(plan.report).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 1, net: 484_207n } });
    expect(await ledger.db.selectFrom('cash_outs').select('id').execute()).toEqual([]);
    expect(await ledger.db.selectFrom('sources').select('name').execute()).toEqual([]);
    expect(await ledger.db.selectFrom('runs').select('id').execute()).toEqual([]);
    expect(lnbits.balance(alice.id)).toBe(0n);
    await run();
    expect(lnbits.balance(alice.id)).toBe(484_207n);
  });

  test('a row that cannot be distributed goes to review with its error, and the next one goes on', async () => {
    await addClient('alice', 10_000n);
    const bad = await insertCashOut(lamassu, {
      confirmed_at: ago(2 * HOUR),
      fiat_code: 'USD',
      fiat: '100',
      crypto_atoms: 10_000,
      raw_ticker_price: '1050000',
      received_crypto_atoms: 10_000,
    });
    await ledger.db.insertInto('currencies').values({ code: 'USD', digits: 2n }).execute();
    const pays = { device_id: MACHINE, first_seen: ALWAYS, currency: 'USD' };
    await ledger.db.insertInto('machines').values(pays).execute();
    await insertCashOut(lamassu);
    undivided.add(10_000n);
    onTestFinished(() => undivided.clear());
    expect(await run()).toMatchObject({
      outcome: 'attention',
      distributed: { cashOuts: 1 },
      source: { toReview: 1 },
    });
    expect(await reviews()).toEqual([{ id: bad, reason: 'not-allocated', state: 'open' }]);
  });

  test('a failure of the database, its disk or its connection concerns no row: the run ends, and the next one goes on', async () => {
    await addClient('alice', 10_000n);
    const id = await insertCashOut(lamassu);
    const write = ledger.write.bind(ledger);
    for (const error of [
      new BridgeError('ledger/unreachable', 'the disk is full'),
      Object.assign(new Error('cannot rollback - no transaction is active'), { errcode: 1 }),
      new TypeError('fetch failed'),
    ]) {
      ledger.write = (work) =>
        write(async (trx) => {
          const result = await work(trx);
          const row = await trx.selectFrom('cash_outs').select('id').where('id', '=', id).executeTakeFirst();
          if (row) throw error;
          return result;
        });
      await expect(run()).rejects.toBe(error);
      ledger.write = write;
    }
    expect(await reviews()).toEqual([]);
    expect(await run()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 1 } });
  });

  test('more rows than a page holds, some in the same microsecond, are each processed once', async () => {
    const alice = await addClient('alice', 90_000_000n);
    const at = ago(HOUR);
    await lamassu.query(
      `insert into cash_out_txs (id, device_id, to_address, crypto_atoms, received_crypto_atoms, crypto_code, fiat, fiat_code,
         status, dispense, dispense_confirmed, created, confirmed_at, raw_ticker_price, commission_percentage, discount)
       select gen_random_uuid(), '${MACHINE}', 'x', 1000, 1000, 'LN', 9, 'GTQ', 'confirmed', true, true,
         '${at}'::timestamptz, '${at}'::timestamptz + (n / 10) * interval '1 microsecond', 1000000, 0.1, 0
       from generate_series(1, 600) as n`,
    );
    expect(await run()).toMatchObject({
      outcome: 'ok',
      distributed: { cashOuts: 600, gross: 600_000n, net: 540_000n },
      payouts: { settled: 1 },
    });
    expect(lnbits.balance(alice.id)).toBe(540_000n);
    expect(await run()).toMatchObject({ source: { alreadyProcessed: 600 }, distributed: { cashOuts: 0 } });
  });
});
