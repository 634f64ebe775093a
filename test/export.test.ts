import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../src/config/secret.ts';
import { formatDecimal } from '../src/dca/money.ts';
import { type Format, formatted, localTimes } from '../src/export/format.ts';
import { type ExportKind, type KindName, kinds } from '../src/export/kinds.ts';
import { type Choice, countRows, pages } from '../src/export/rows.ts';
import { noExportTotals, totalsOf, withTotals } from '../src/export/totals.ts';
import { ingest } from '../src/ledger/cash-outs/ingest.ts';
import { bindSource, moveMark } from '../src/ledger/cash-outs/watermark.ts';
import { addClient } from '../src/ledger/clients/changes.ts';
import { findClient } from '../src/ledger/clients/clients.ts';
import { addFunding } from '../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../src/ledger/log/log.ts';
import { formPayouts } from '../src/ledger/payouts/form.ts';
import type { Ledger } from '../src/ledger/store/open.ts';
import { verifyLedger } from '../src/ledger/verify/verify.ts';
import type { Instant } from '../src/time.ts';
import { bootless } from './support/clock.ts';
import { forEachLedger } from './support/ledgers.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const ENTERED = '2026-11-01T06:00:00.000000Z';
const ALL: Choice = { from: null, before: null, client: null };

/** Alice and bob with 3,000.00 and 1,000.00 GTQ that serve any machine. */
async function seeded(open: () => Promise<Ledger>): Promise<Ledger> {
  const ledger = await open();
  onTestFinished(async () => expect((await verifyLedger(ledger)).differences).toEqual([]));
  await ledger.write(async (trx) => {
    await bindSource(
      trx,
      { name: 'lamassu', startAt: '2026-10-01T00:00:00.000000Z', systemIdentifier: null },
      ENTERED,
    );
    for (const [name, minor] of [
      ['alice', 300_000n],
      ['bob', 100_000n],
    ] as const) {
      const wallet = { id: `wallet-of-${name}`, key: new Secret('key') };
      await addClient(trx, { ...who, at: ENTERED }, { name, wallet, mode: 'flow', limits: [] });
      const amount = { minor, currency: 'GTQ', digits: 2 };
      await addFunding(
        trx,
        { ...who, at: ENTERED },
        { client: name, amount, machine: null, rate: null, depositedAt: ENTERED },
      );
    }
  });
  return ledger;
}

async function cashOut(ledger: Ledger, id: string, fiat: bigint, confirmedAt: Instant): Promise<void> {
  const amounts = {
    currency: 'GTQ',
    digits: 2,
    fiat,
    distributed: fiat * 10n,
    commission: fiat,
    undelivered: 0n,
  };
  const lamassu = null;
  await ledger.write(async (trx) => {
    await ingest(
      trx,
      { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: confirmedAt },
      { id, source: 'lamassu', machine: 'm1', confirmedAt, ...amounts, method: 'ticker', lamassu },
      {
        timezone: 'America/Guatemala',
        priority: 'shared',
        origin: 'external',
      },
    );
    await trx
      .insertInto('settlements')
      .values(settlement(id, confirmedAt, fiat))
      .execute();
    await moveMark(trx, 'lamassu', { confirmedAt, id });
  });
}

/** Who stated a cash-out that Lamassu never saw, and with which figures. */
function settlement(id: string, at: Instant, fiat: bigint) {
  const figures = {
    machine: 'm1',
    at,
    fiat: `${fiat}`,
    currency: 'GTQ',
    gross: `${fiat * 10n}`,
    undelivered: '0',
  };
  const by = { at: ENTERED, actor: 'dora', reason: 'by hand', credit: 0n };
  return { cash_out_id: id, ...by, figures: JSON.stringify(figures) };
}

async function exported(ledger: Ledger, name: KindName, format: Format, choice: Partial<Choice> = {}) {
  const kind: ExportKind = kinds[name];
  const totals = noExportTotals();
  const rows = withTotals(kind, pages(ledger.db, kind, { ...ALL, ...choice }), totals);
  const pieces = await Array.fromAsync(formatted(kind, rows, format, 'America/Guatemala'));
  // Without the rows the totals are the same.
  if (kind.currency !== null && (choice.client ?? null) === null)
    expect(await totalsOf(ledger.db, kind, { ...ALL, ...choice })).toEqual(totals);
  return { text: pieces.join(''), totals };
}

async function objects(
  ledger: Ledger,
  name: KindName,
  choice: Partial<Choice> = {},
): Promise<Record<string, unknown>[]> {
  return JSON.parse((await exported(ledger, name, 'json', choice)).text) as Record<string, unknown>[];
}

test('local time has its offset, also where the clocks change, in any order', () => {
  const berlin = localTimes('Europe/Berlin');
  const autumn: [Instant, string][] = [
    ['2026-10-25T00:59:59.999999Z', '2026-10-25T02:59:59+02:00'],
    ['2026-10-25T01:00:00.000000Z', '2026-10-25T02:00:00+01:00'],
  ];
  for (const [instant, text] of [...autumn, ...autumn.toReversed(), ...autumn])
    expect(berlin(instant)).toBe(text);
  // Never changes again.
  expect(localTimes('America/Guatemala')('2026-11-20T10:00:00.999999Z')).toBe('2026-11-20T04:00:00-06:00');
  expect(localTimes('UTC')('2026-11-20T10:00:00.999999Z')).toBe('2026-11-20T10:00:00+00:00');
});

forEachLedger((_kind, open) => {
  test('allocations as CSV: header, CRLF, UTC and local time, decimal amounts, sats as they are', async () => {
    const ledger = await seeded(open);
    await cashOut(ledger, 'c1', 20_000n, '2026-11-20T10:00:00.123456Z');
    const { text } = await exported(ledger, 'allocations', 'csv');
    expect(text.split('\r\n')).toEqual([
      'cash_out,confirmed_at,confirmed_at_local,local_date,source,machine,machine_name,client,funding,mode,currency,fiat,gross_sats,commission_sats,net_sats,payout,payout_state,settled_at,settled_at_local,price,commission_fiat',
      'c1,2026-11-20T10:00:00.123456Z,2026-11-20 04:00:00,2026-11-20,lamassu,m1,,alice,f1,flow,GTQ,150.00,150000,15000,135000,,,,,111111.11,16.67',
      'c1,2026-11-20T10:00:00.123456Z,2026-11-20 04:00:00,2026-11-20,lamassu,m1,,bob,f2,flow,GTQ,50.00,50000,5000,45000,,,,,111111.11,5.55',
      '',
    ]);
  });

  test('each kind as JSON, and its sums by currency', async () => {
    const ledger = await seeded(open);
    await cashOut(ledger, 'c1', 20_000n, '2026-11-20T10:00:00.000000Z');
    await ledger.write(async (trx) => {
      const { id: run } = await trx
        .insertInto('runs')
        .values({
          id: 1n,
          kind: 'poll',
          actor: 'timer',
          started_at: ENTERED,
          finished_at: ENTERED,
          outcome: 'ok',
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      const rules = { batch: 'poll', minimumSats: 1n, maximumSats: 1_000_000n, fixedDueAt: null } as const;
      await formPayouts(trx, { ...rules, now: '2026-11-20T10:01:00.000000Z', run });
    });

    expect(await objects(ledger, 'cash-outs')).toMatchObject([
      { id: 'c1', confirmed_at_local: '2026-11-20T04:00:00-06:00', fiat: '200.00', own_fiat: '0.00' },
    ]);
    expect(await objects(ledger, 'cash-outs')).toMatchObject([
      { gross_sats: 200_000, commission_sats: 20_000, net_sats: 180_000, own_sats: 0, origin: 'external' },
    ]);
    expect(await objects(ledger, 'cash-outs')).toMatchObject([
      { price: '111111.11', commission_fiat: '22.22' },
    ]);
    expect(await objects(ledger, 'payouts')).toMatchObject([
      { id: 'p1', recipient: 'alice', state: 'planned', sats: 135_000, settled_sats: 0, settled_at: null },
      { id: 'p2', recipient: 'bob', fiat: '50.00', sats: 45_000, payment_hashes: null, price: '111111.11' },
    ]);
    expect(await objects(ledger, 'fundings')).toMatchObject([
      { id: 'f1', client: 'alice', machine: null, amount: '3000.00', remaining: '2850.00', spent: '150.00' },
      { id: 'f2', deposited_at: ENTERED, rate: null, status: 'deposited' },
    ]);
    // Without recipients it stays in the source wallet.
    expect(await objects(ledger, 'commission')).toMatchObject([
      { cash_out: 'c1', recipient: null, sats: 20_000, payout: null },
    ]);
    const changes = await objects(ledger, 'changes');
    expect(changes.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
      'client add client alice',
      'funding add f1',
      'client add client bob',
      'funding add f2',
      'machine found machine m1',
    ]);
    expect(changes[1]).toMatchObject({
      actor: 'dora',
      run: null,
      before: null,
      after: { client: 'alice' },
    });

    const { totals } = await exported(ledger, 'allocations', 'csv');
    expect(totals.rows).toBe(2);
    expect(totals.sums.get('GTQ')).toEqual({
      digits: 2,
      rows: 2,
      columns: new Map([
        ['fiat', 20_000n],
        ['gross_sats', 200_000n],
        ['commission_sats', 20_000n],
        ['net_sats', 180_000n],
        ['commission_fiat', 2_222n],
      ]),
    });
    // What the commission is worth is the same by cash-outs, by their allocations, and by its recipients.
    for (const name of ['cash-outs', 'commission'] as const) {
      const sums = (await exported(ledger, name, 'csv')).totals.sums.get('GTQ')?.columns;
      expect(sums?.get('commission_fiat')).toBe(2_222n);
    }
  });

  test('the worth of a part is the same in any page, and of one client or of all', async () => {
    const ledger = await seeded(open);
    const amount = { minor: 70_000n, currency: 'GTQ', digits: 2 };
    const more = { client: 'alice', amount, machine: null, rate: null, depositedAt: ENTERED };
    await ledger.write((trx) => addFunding(trx, { ...who, at: ENTERED }, more));
    await cashOut(ledger, 'c1', 20_001n, '2026-11-20T10:00:00.000000Z');
    await cashOut(ledger, 'c2', 3_333n, '2026-11-20T11:00:00.000000Z');
    const worths = async (client: bigint | null, size?: number) =>
      (await Array.fromAsync(pages(ledger.db, kinds.allocations, { ...ALL, client }, size)))
        .flat()
        .map((row) => [row.cash_out, row.client, row.funding, row.commission_fiat]);
    const all = await worths(null);
    expect(all.map(([id]) => id)).toEqual(['c1', 'c1', 'c1', 'c2', 'c2', 'c2']);
    for (const size of [1, 2, 4]) expect(await worths(null, size)).toEqual(all);
    for (const name of ['alice', 'bob']) {
      const { id } = await findClient(ledger.db, name, ENTERED);
      expect(await worths(id, 1)).toEqual(all.filter(([, client]) => client === name));
    }
    for (const { id, commission_fiat } of await objects(ledger, 'cash-outs')) {
      const sum = all
        .filter(([of]) => of === id)
        .reduce((sum, [, , , worth]) => sum + BigInt(worth ?? 0n), 0n);
      expect(formatDecimal(sum, 2)).toBe(commission_fiat);
    }
  });

  test('the commission by recipient', async () => {
    const ledger = await seeded(open);
    await ledger.write(async (trx) => {
      for (const name of ['house', 'partner']) {
        await trx
          .insertInto('wallets')
          .values({ id: name, invoice_key: 'key', created_at: ENTERED })
          .execute();
        const { id } = await trx
          .insertInto('recipients')
          .values({ kind: 'commission', name, wallet_id: name, status: 'active', created_at: ENTERED })
          .returning('id')
          .executeTakeFirstOrThrow();
        await trx
          .insertInto('commission_weights')
          .values({ recipient_id: id, machine: null, from_at: ENTERED, weight: name === 'house' ? 3n : 1n })
          .execute();
      }
    });
    await cashOut(ledger, 'c1', 20_000n, '2026-11-20T10:00:00.000000Z');
    const rows = await objects(ledger, 'commission');
    expect(rows.map(({ recipient, sats }) => [recipient, sats])).toEqual([
      ['house', 15_000],
      ['partner', 5_000],
    ]);
  });

  test('no row: a header, an empty array, or nothing', async () => {
    const ledger = await seeded(open);
    const csv = (await exported(ledger, 'payouts', 'csv')).text;
    expect(csv).toMatch(/^id,created_at,.*\r\n$/);
    expect((await exported(ledger, 'payouts', 'json')).text).toBe('[]\n');
    expect((await exported(ledger, 'payouts', 'jsonl')).text).toBe('');
  });

  test('a range takes what lies in it, its start included and its end not', async () => {
    const ledger = await seeded(open);
    await cashOut(ledger, 'c1', 100n, '2026-11-20T05:59:59.999999Z');
    await cashOut(ledger, 'c2', 100n, '2026-11-20T06:00:00.000000Z');
    await cashOut(ledger, 'c3', 100n, '2026-11-21T06:00:00.000000Z');
    const range = { from: '2026-11-20T06:00:00.000000Z', before: '2026-11-21T06:00:00.000000Z' };
    expect((await objects(ledger, 'cash-outs', range)).map(({ id }) => id)).toEqual(['c2']);
    expect(await countRows(ledger.db, kinds['cash-outs'], { ...ALL, ...range })).toBe(1);
  });

  test('one client: the client’s rows, and the cash-outs that the client had a part in', async () => {
    const ledger = await seeded(open);
    await cashOut(ledger, 'c1', 20_000n, '2026-11-20T10:00:00.000000Z');
    const { id: client } = await findClient(ledger.db, 'bob', ENTERED);
    const count = async (name: KindName) => (await objects(ledger, name, { client })).length;
    expect(await objects(ledger, 'allocations', { client })).toMatchObject([{ client: 'bob' }]);
    expect(await count('cash-outs')).toBe(1);
    expect(await count('fundings')).toBe(1);
    expect(await count('payouts')).toBe(0);
    const changes = await objects(ledger, 'changes', { client });
    expect(changes.map(({ subject }) => subject)).toEqual(['client bob', 'f2']);
  });

  test('names that a spreadsheet would take for a formula, and text with commas, quotes and line breaks', async () => {
    const ledger = await seeded(open);
    await cashOut(ledger, '=1+1', 100n, '2026-11-20T10:00:00.000000Z');
    await ledger.db.updateTable('machines').set({ name: 'Café "Sol",\nAntigua' }).execute();
    const { text } = await exported(ledger, 'cash-outs', 'csv');
    expect(text).toContain("\r\n'=1+1,");
    expect(text).toContain('m1,"Café ""Sol"",\nAntigua",');
    expect((await objects(ledger, 'cash-outs'))[0]).toMatchObject({ id: '=1+1' });
  });

  test('several pages: every row once and in order, also where many have the same time', async () => {
    const ledger = await seeded(open);
    await ledger.write(async (trx) => {
      await cashOutRow(trx, 'first');
      const [row] = await trx.selectFrom('cash_outs').selectAll().execute();
      if (!row) throw new Error('there is no cash-out to copy');
      for (let from = 0; from < 2500; from += 500) {
        const copies = Array.from({ length: 500 }, (_, index) => {
          const number = from + index;
          const confirmed_at = `2026-11-20T1${number % 2}:00:00.000000Z`;
          return { ...row, id: `c${String(number).padStart(4, '0')}`, confirmed_at };
        });
        await trx.insertInto('cash_outs').values(copies).execute();
        await trx
          .insertInto('settlements')
          .values(copies.map(({ id, confirmed_at }) => settlement(id, confirmed_at, 100n)))
          .execute();
      }
    });
    const rows = await objects(ledger, 'cash-outs');
    const order = rows.map((row) => `${row.confirmed_at} ${row.id}`);
    expect(order).toEqual([...order].sort());
    expect(new Set(order).size).toBe(2501);
    const lines = (await exported(ledger, 'cash-outs', 'jsonl')).text.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(rows);
    expect((await exported(ledger, 'cash-outs', 'csv')).text.trim().split('\r\n')).toHaveLength(2502);
  });
});

/** A cash-out that went to the operator alone. */
async function cashOutRow(trx: Parameters<Parameters<Ledger['write']>[0]>[0], id: string): Promise<void> {
  await trx.insertInto('machines').values({ device_id: 'm1', first_seen: ENTERED }).execute();
  const confirmedAt = '2026-11-20T10:00:00.000000Z';
  await trx
    .insertInto('cash_outs')
    .values({
      id,
      source: 'lamassu',
      machine: 'm1',
      confirmed_at: confirmedAt,
      processed_at: confirmedAt,
      local_date: '2026-11-20',
      currency: 'GTQ',
      fiat: 100n,
      gross: 1000n,
      commission: 100n,
      net: 0n,
      own: 900n,
      undelivered: 0n,
      own_fiat: 100n,
      method: 'given',
      origin: 'external',
    })
    .execute();
  await trx
    .insertInto('settlements')
    .values(settlement(id, confirmedAt, 100n))
    .execute();
}
