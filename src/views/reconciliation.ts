import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { Day, DaySums } from '../reconcile/lamassu.ts';
import type { Reconciliation } from '../reconcile/reconcile.ts';
import { fiat, sats } from './fields.ts';
import { differenceView } from './verification.ts';

const sumsView = z.object({ cash_outs: z.number(), fiat, gross_sats: sats });

/** The comparison of the ledger with LNbits and Lamassu. */
export const reconciliationView = z.object({
  ok: z.boolean(),
  /** What was compared: numbers of rows and wallets, and the sats of the range on each side. */
  checked: z.record(z.string(), z.bigint()),
  differences: z.array(differenceView),
  /** The sums of the cash-outs that both sides have, per day and machine. */
  days: z.array(
    z.object({
      date: z.string(),
      machine: z.string(),
      machine_name: z.string().nullable(),
      currency: z.string(),
      ledger: sumsView,
      lamassu: sumsView,
    }),
  ),
});

export type ReconciliationView = z.output<typeof reconciliationView>;

export function viewOfReconciliation({ days, ...found }: Reconciliation): ReconciliationView {
  return { ...found, days: days.map(viewOfDay) };
}

function viewOfDay({
  date,
  machine,
  machineName,
  currency,
  digits,
  ledger,
  lamassu,
}: Day): ReconciliationView['days'][number] {
  const sums = ({ cashOuts, fiat: minor, gross }: DaySums) => ({
    cash_outs: cashOuts,
    fiat: formatDecimal(minor, digits),
    gross_sats: gross,
  });
  return { date, machine, machine_name: machineName, currency, ledger: sums(ledger), lamassu: sums(lamassu) };
}
