import { sql } from 'kysely';
import type { Db } from '../ledger/store/open.ts';
import type { ExportKind } from './kinds.ts';
import { all, type Choice, conditionsOf, type ExportRow } from './rows.ts';

/** The totals of an export. */
export interface ExportTotals {
  rows: number;
  /** By currency. */
  sums: Map<string, Sums>;
}

/** By column: fiat in minor units, sats in satoshi. */
export interface Sums {
  digits: number;
  rows: number;
  columns: Map<string, bigint>;
}

export const noExportTotals = (): ExportTotals => ({ rows: 0, sums: new Map() });

/** Passes the pages on, and adds them up. */
export async function* withTotals(
  kind: ExportKind,
  pages: AsyncIterable<ExportRow[]>,
  totals: ExportTotals,
): AsyncGenerator<ExportRow[], void> {
  const summed = kind.columns.filter((column) => column.summed).map(({ name }) => name);
  for await (const rows of pages) {
    for (const row of rows) add(totals, summed, row, 1);
    yield rows;
  }
}

function add(totals: ExportTotals, summed: readonly string[], row: ExportRow, count: number): void {
  totals.rows += count;
  if (typeof row.currency !== 'string') return;
  const sums = totals.sums.get(row.currency) ?? {
    digits: Number(row.digits),
    rows: 0,
    columns: new Map<string, bigint>(),
  };
  totals.sums.set(row.currency, sums);
  sums.rows += count;
  for (const name of summed) sums.columns.set(name, (sums.columns.get(name) ?? 0n) + BigInt(row[name] ?? 0n));
}

/**
 * The totals of all clients' rows without the rows. What is computed from a row is computed once for each cash-out: the
 * worths of its parts add up to the worth of their sum. Not for rows without a currency.
 */
export async function totalsOf(
  db: Db,
  kind: ExportKind,
  choice: Omit<Choice, 'client'>,
): Promise<ExportTotals> {
  const currency = kind.columns.find(({ name }) => name === 'currency')?.sql;
  if (typeof currency !== 'string') throw new Error('an export without a currency has no totals');
  const summed = kind.columns.filter((column) => column.summed);
  const computed = summed.filter((column) => typeof column.sql === 'function');
  const hidden = kind.columns.filter(({ type, name }) => type === 'hidden' && name !== 'before');
  const isByCashOut = computed.length > 0;
  const columns = [
    `${currency} as currency`,
    `${kind.currency}.digits as digits`,
    'count(*) as count',
    ...summed.flatMap(({ name, sql }) =>
      typeof sql === 'string' ? [`cast(coalesce(sum(${sql}), 0) as bigint) as "${name}"`] : [],
    ),
    ...(isByCashOut ? hidden.map(({ name, sql }) => `${sql} as "${name}"`) : []),
  ];
  const groups = [currency, `${kind.currency}.digits`, ...(isByCashOut ? ['co.id'] : [])];
  const { rows } = await sql<ExportRow>`select ${sql.raw(columns.join(', '))} from ${sql.raw(kind.from)}
    where ${all(conditionsOf(kind, { ...choice, client: null }))} group by ${sql.raw(groups.join(', '))}
    order by ${sql.raw(currency)}`.execute(db);
  const totals = noExportTotals();
  const names = summed.map(({ name }) => name);
  for (const row of rows) {
    const whole: ExportRow = { ...row, before: 0n };
    for (const { name, sql } of computed) if (typeof sql === 'function') whole[name] = sql(whole);
    add(totals, names, whole, Number(row.count));
  }
  return totals;
}
