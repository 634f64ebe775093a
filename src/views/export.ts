import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import { FILE_FORMATS, TRADE_FORMATS } from '../export/format-names.ts';
import type { Column, ExportKind } from '../export/kinds.ts';
import type { ExportTotals } from '../export/totals.ts';
import { instant } from './fields.ts';

/** A row of an export, as JSON has it: a time twice, the second in local time. */
export function exportRowView({ columns }: ExportKind) {
  return z.object(Object.fromEntries(columns.flatMap(cellsOf)));
}

function cellsOf({ name, type }: Column): [string, z.ZodType][] {
  if (type === 'hidden') return [];
  if (type === 'time') {
    return [
      [name, instant.nullable()],
      [`${name}_local`, z.string().nullable()],
    ];
  }
  if (type === 'json') return [[name, z.json()]];
  const isNumber = type === 'sats' || type === 'msat' || type === 'number';
  return [[name, (isNumber ? z.int() : z.string()).nullable()]];
}

/** The totals of an export: by currency, the number of rows and the sum of each summed column; fiat as decimal text. */
export const exportView = z.object({
  what: z.string(),
  format: z.enum([...FILE_FORMATS, ...TRADE_FORMATS]),
  rows: z.number(),
  totals: z.record(z.string(), z.record(z.string(), z.union([z.number(), z.bigint(), z.string()]))),
  /** False if the reader closed the pipe before the end. */
  complete: z.boolean(),
});

export type ExportView = z.output<typeof exportView>;

export function viewOfTotals(
  kind: ExportKind,
  { rows, sums }: ExportTotals,
): Pick<ExportView, 'rows' | 'totals'> {
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
