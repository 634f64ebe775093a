import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { judge } from '../src/lamassu/eligibility.ts';
import type { LamassuRow } from '../src/lamassu/row.ts';
import { NOTHING_KNOWN } from '../src/ledger/cash-outs/known.ts';
import { bindSource } from '../src/ledger/cash-outs/watermark.ts';
import { OPERATOR } from '../src/ledger/log/log.ts';
import { type Run, startRun } from '../src/ledger/runs/lease.ts';
import { type Ledger, openLedger } from '../src/ledger/store/open.ts';
import { type Reading, readCashOuts } from '../src/scheduler/read.ts';
import { systemClock, toInstant } from '../src/time.ts';
import { type Benchmark, pair, timed } from './benchmark.ts';
import { addClientsOnly } from './installation.ts';

const FUNDINGS = 5;
const START = Date.UTC(2026, 0, 1);
const startAt = toInstant(START);
/** Lamassu's page. */
const PAGE = 500;

export const benchmark: Benchmark = {
  name: 'ingest',
  what: 'rows/s of 100,000 cash-outs that are judged, divided over 5 fundings and recorded by a run, one transaction each, ÷ bare prepared inserts of the same rows into the same tables in such transactions (node:sqlite, WAL, synchronous = full)',
  unit: 'rows/s',
  compare: 'ratio',
  goal: { least: 0.4 },
  // Each is the next tenth of them, so that the figure also tells of a ledger that grows.
  rounds: 10,
  async prepare(small, stack) {
    const rows = small ? 200 : 10_000;
    const folder = await mkdtemp(join(tmpdir(), 'aio-dca-bench-ingest-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const url = `sqlite:${join(folder, 'ledger.sqlite')}`;
    const ledger = await openLedger({ clock: systemClock, url, use: 'create' });
    stack.defer(() => ledger.close());
    const bareFile = join(folder, 'bare.sqlite');
    const program = ingesting(ledger, await prepareLedger(ledger));
    // A copy of the ledger, so that tables, indexes and constraints are the same.
    await copyTo(ledger, bareFile);
    const bare = new DatabaseSync(bareFile, { enableForeignKeyConstraints: true });
    stack.defer(() => bare.close());
    bare.exec('pragma journal_mode = wal; pragma synchronous = full');
    const inserting = inserter(bare);

    const perSecond = (ms: number) => (rows * 1000) / ms;
    return async (round) => {
      const from = round * rows;
      const pages = Array.from({ length: Math.ceil(rows / PAGE) }, (_, page) =>
        Array.from({ length: Math.min(PAGE, rows - page * PAGE) }, (_, i) => row(from + page * PAGE + i)),
      );
      return pair(
        round,
        async () => perSecond(await timed(() => program(pages))),
        async () => perSecond(await timed(async () => inserting(from, rows))),
      );
    };
  },
};

async function prepareLedger(ledger: Ledger): Promise<Run> {
  await ledger.write((trx) => bindSource(trx, { name: 'lamassu', startAt, systemIdentifier: null }, startAt));
  await addClientsOnly(ledger, FUNDINGS, startAt);
  // The first one makes the machine and the run that the bare rows point to.
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'bench' });
  await ingesting(ledger, run)([[row(-1)]]);
  return run;
}

/** What the reading half of a run does with pages of rows. */
export function ingesting(ledger: Ledger, run: Run): (pages: LamassuRow[][]) => Promise<void> {
  return async (pages) => {
    const { signal } = new AbortController();
    let ingested = 0;
    const reading: Reading = {
      ...{ db: ledger.db, clock: ledger.clock, write: run.write, mark: null, signal },
      source: 'lamassu',
      ingest: { timezone: 'America/Guatemala', priority: 'shared', origin: 'lamassu' },
      who: run.who,
      onCashOut: () => {
        ingested += 1;
      },
    };
    await readCashOuts(reading, sourceNow, judgedPages(pages));
    const rows = pages.flat().length;
    if (ingested !== rows) throw new Error(`${ingested} of ${rows} rows were ingested`);
  };
}

const sourceNow = toInstant(START + 365 * 86_400_000);

/** As the source judges them, page by page. */
function* judgedPages(pages: LamassuRow[][]) {
  const rules = {
    ...{ source: 'lamassu', startAt, cashOutAbove: [], currencies: new Map() },
    ...{ method: 'ticker' as const, fallback: 'margin' as const },
  };
  for (const page of pages) yield page.map((row) => judge(row, rules, sourceNow, NOTHING_KNOWN));
}

/** A sound cash-out of its own second. */
export function row(n: number): LamassuRow {
  const confirmed_at = toInstant(START + (n + 2) * 1000);
  return {
    id: `${(n + 1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    ...{
      device_id: '7a1f4c2e9b8d4f60a3c5e7910b2d4f68',
      crypto_atoms: '512400',
      received_crypto_atoms: '512400',
    },
    ...{ crypto_code: 'LN', fiat: '4000.00000', fiat_code: 'GTQ', status: 'confirmed', dispense: 'true' },
    ...{ dispense_confirmed: 'true', error: null, error_code: null, created: confirmed_at, confirmed_at },
    ...{ redeem: 'false', commission_percentage: '0.05500', raw_ticker_price: '826091.28000', discount: '0' },
    fixed_fee: null,
    actions: null,
  };
}

async function copyTo(ledger: Ledger, file: string): Promise<void> {
  const db = new DatabaseSync(ledger.url.replace('sqlite:', ''));
  db.prepare('vacuum into ?').run(file);
  db.close();
}

/** Bare inserts of what the ledger gets of each row: the cash-out and an allocation for each funding. */
function inserter(db: DatabaseSync): (from: number, rows: number) => void {
  const cashOut = insert(db, 'cash_outs', 'id');
  const allocation = insert(db, 'allocations', 'id', 'payout_id');
  const [begin, commit] = [db.prepare('begin immediate'), db.prepare('commit')];
  return (from, rows) => {
    for (let n = from; n < from + rows; n += 1) {
      const { id, confirmed_at } = row(n);
      begin.run();
      cashOut.run({ ...cashOut.like[0], id, confirmed_at, lamassu: JSON.stringify(row(n)) });
      for (const one of allocation.like) allocation.run({ ...one, cash_out_id: id });
      commit.run();
    }
  };
}

type Row = Record<string, SQLInputValue>;

/** A prepared insert into a table, and what a row that the program wrote there looks like. */
function insert(db: DatabaseSync, table: string, ...order: string[]) {
  const like = db.prepare(`select * from ${table} order by ${order[0]} limit ${FUNDINGS}`).all() as Row[];
  const columns = Object.keys(like[0] ?? {}).filter((name) => table === 'cash_outs' || !order.includes(name));
  const statement = db.prepare(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((name) => `:${name}`).join(', ')})`,
  );
  const only = (values: Row): Row => Object.fromEntries(columns.map((name) => [name, values[name] ?? null]));
  return { like: like.map(only), run: (values: Row) => statement.run(values) };
}
