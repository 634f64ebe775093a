import { z } from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { CashOutDetail, CashOutRow } from '../ledger/cash-outs/view.ts';
import { fiat, instant, pageOf, sats } from './fields.ts';

/**
 * A cash-out that was distributed. `gross_sats` is all that the layperson paid: `net_sats` (the clients') +
 * `commission_sats` + `own_sats` + `undelivered_sats`.
 */
export const cashOutView = z.object({
  id: z.string(),
  source: z.string(),
  machine: z.string(),
  confirmed_at: instant,
  processed_at: instant,
  fiat,
  currency: z.string(),
  gross_sats: sats,
  commission_sats: sats,
  net_sats: sats,
  own_sats: sats,
  /** The layperson's sats: paid for cash that never came out. */
  undelivered_sats: sats,
  /** The cash that no client's funding covered. */
  own_fiat: fiat,
  commission_method: z.enum(['ticker', 'margin', 'markup', 'given']),
  origin: z.enum(['lamassu', 'settled', 'external']),
  /** The machine where the layperson began, if the cash was fetched at another one. */
  begun_at_machine: z.string().nullable(),
});

export type CashOutView = z.output<typeof cashOutView>;

export const cashOutsView = pageOf(cashOutView);

/** A cash-out with its division, and who settled it by hand. */
export const cashOutDetailView = cashOutView.extend({
  /** In the order of the fundings. */
  allocations: z.array(
    z.object({
      client: z.string(),
      funding: z.string(),
      fiat,
      gross_sats: sats,
      commission_sats: sats,
      net_sats: sats,
      payout: z.string().nullable(),
    }),
  ),
  settlement: z
    .object({
      at: instant,
      actor: z.string(),
      reason: z.string(),
      /** Whether its sats are to be credited to the source wallet. */
      credit: z.boolean(),
    })
    .nullable(),
});

export type CashOutDetailView = z.output<typeof cashOutDetailView>;

export function viewOfCashOut(row: CashOutRow): CashOutView {
  return {
    id: row.id,
    source: row.source,
    machine: row.machine,
    confirmed_at: row.confirmed_at,
    processed_at: row.processed_at,
    fiat: formatDecimal(row.fiat, row.digits),
    currency: row.currency,
    gross_sats: row.gross,
    commission_sats: row.commission,
    net_sats: row.net,
    own_sats: row.own,
    undelivered_sats: row.undelivered,
    own_fiat: formatDecimal(row.own_fiat, row.digits),
    commission_method: row.method,
    origin: row.origin,
    begun_at_machine: row.begun_at_machine,
  };
}

export function viewOfCashOutDetail({ cashOut, allocations, settlement }: CashOutDetail): CashOutDetailView {
  return {
    ...viewOfCashOut(cashOut),
    allocations: allocations.map((one) => ({
      client: one.client,
      funding: `f${one.funding_id}`,
      fiat: formatDecimal(one.fiat, cashOut.digits),
      gross_sats: one.gross,
      commission_sats: one.commission,
      net_sats: one.net,
      payout: one.payout_id === null ? null : `p${one.payout_id}`,
    })),
    settlement: settlement && {
      at: settlement.at,
      actor: settlement.actor,
      reason: settlement.reason,
      credit: settlement.credit === 1n,
    },
  };
}
