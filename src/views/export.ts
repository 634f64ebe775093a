import { z } from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { Kind } from '../export/kinds.ts';
import type { Totals } from '../export/totals.ts';

/** The totals of an export: by currency, the number of rows and the sum of each summed column; fiat as decimal text. */
export const exportView = z.object({
  what: z.string(),
  format: z.enum(['csv', 'json', 'jsonl']),
  rows: z.number(),
  totals: z.record(z.string(), z.record(z.string(), z.union([z.number(), z.bigint(), z.string()]))),
  /** False if the reader closed the pipe before the end. */
  complete: z.boolean(),
});

export type ExportView = z.output<typeof exportView>;

export function viewOfTotals(kind: Kind, { rows, sums }: Totals): Pick<ExportView, 'rows' | 'totals'> {
  const summed = kind.columns.filter((column) => column.summed);
  return {
    rows,
    totals: Object.fromEntries(
      [...sums].map(([currency, { digits, rows: count, columns }]) => [
        currency,
        {
          rows: count,
          ...Object.fromEntries(
            summed.map(({ name, type }) => {
              const sum = columns.get(name) ?? 0n;
              return [name, type === 'fiat' ? formatDecimal(sum, digits) : sum];
            }),
          ),
        },
      ]),
    ),
  };
}
