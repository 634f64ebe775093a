import type { ExportKind } from './kinds.ts';
import type { ExportRow } from './rows.ts';

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
    for (const row of rows) {
      totals.rows += 1;
      if (typeof row.currency !== 'string') continue;
      const sums = totals.sums.get(row.currency) ?? {
        digits: Number(row.digits),
        rows: 0,
        columns: new Map<string, bigint>(),
      };
      totals.sums.set(row.currency, sums);
      sums.rows += 1;
      for (const name of summed)
        sums.columns.set(name, (sums.columns.get(name) ?? 0n) + BigInt(row[name] ?? 0n));
    }
    yield rows;
  }
}
