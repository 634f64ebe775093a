import { cashText, formatSats, groupDigits } from '../../dca/money.ts';
import type { ExportView } from '../../views/export.ts';
import { table } from '../terminal/table.ts';

/** The number of rows, and a table of sums with a column for each currency. */
export function exportPage({ rows, totals }: Pick<ExportView, 'rows' | 'totals'>): string {
  const count = `${groupDigits(BigInt(rows))} ${rows === 1 ? 'row' : 'rows'}`;
  const currencies = Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1));
  const [first] = currencies;
  if (!first) return `${count}.`;
  const names = Object.keys(first[1]).filter((name) => name !== 'rows');
  const lines = names.map((name) => [
    name,
    ...currencies.map(([currency, sums]) => written(name, sums[name] ?? 0n, currency)),
  ]);
  return `${count}. Together:\n${table(['', ...currencies.map(([currency]) => currency)], lines)}`;
}

function written(name: string, sum: number | bigint | string, currency: string): string {
  if (typeof sum === 'string') return cashText(sum, currency);
  return name.endsWith('_msat') ? `${groupDigits(BigInt(sum))} msat` : formatSats(BigInt(sum));
}
