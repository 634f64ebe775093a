import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import { priceOf, worthOf, worthOfPart } from '../dca/price.ts';
import type { CashOutDetail, CashOutRow } from '../ledger/cash-outs/view.ts';
import { fiat, instant, pageOf, price, sats } from './fields.ts';
import { causesView } from './own-share.ts';

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
  machine_name: z.string().nullable(),
  /**
   * The price of one BTC at which the cash came out: `fiat` by `net_sats` + `own_sats`; null if all sats are
   * commission.
   */
  price: price.nullable(),
  /** What the commission is worth at that price. */
  commission_fiat: fiat.nullable(),
  begun_at_machine_name: z.string().nullable(),
});

export type CashOutView = z.output<typeof cashOutView>;

export const cashOutsView = pageOf(cashOutView);

/** What of a cash-out falls on one funding. */
export const allocationFields = {
  funding: z.string(),
  fiat,
  gross_sats: sats,
  commission_sats: sats,
  net_sats: sats,
  payout: z.string().nullable(),
};

/** A cash-out with its division, and who settled it by hand. */
export const cashOutDetailView = cashOutView.extend({
  /** In the order of the fundings. */
  allocations: z.array(
    z.object({
      client: z.string(),
      ...allocationFields,
      /** `fiat` by `net_sats`; null without a sat. */
      price: price.nullable(),
      /** The part of the cash-out's `commission_fiat`; the rest of it is of the own share. */
      commission_fiat: fiat.nullable(),
    }),
  ),
  /** Why it has an own share; empty if it has none, null if an older version divided it. */
  own_reasons: causesView.nullable(),
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
  const bought = boughtIn(row);
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
    machine_name: row.machineName,
    price: decimal(priceOf(bought), row.digits),
    commission_fiat: decimal(worthOf(row.commission, bought), row.digits),
    begun_at_machine_name: row.begunAtName,
  };
}

function boughtIn({ fiat, net, own }: CashOutRow): { fiat: bigint; sats: bigint } {
  return { fiat, sats: net + own };
}

function decimal(minor: bigint | null, digits: number): string | null {
  return minor === null ? null : formatDecimal(minor, digits);
}

export function viewOfCashOutDetail({
  cashOut,
  allocations,
  causes,
  settlement,
}: CashOutDetail): CashOutDetailView {
  const { digits } = cashOut;
  let commission = 0n;
  return {
    ...viewOfCashOut(cashOut),
    own_reasons: causes,
    allocations: allocations.map((one) => {
      const worth = worthOfPart(commission, one.commission, boughtIn(cashOut));
      commission += one.commission;
      return {
        client: one.client,
        funding: `f${one.funding_id}`,
        fiat: formatDecimal(one.fiat, digits),
        gross_sats: one.gross,
        commission_sats: one.commission,
        net_sats: one.net,
        payout: one.payout_id === null ? null : `p${one.payout_id}`,
        price: decimal(priceOf({ fiat: one.fiat, sats: one.net }), digits),
        commission_fiat: decimal(worth, digits),
      };
    }),
    settlement: settlement && {
      at: settlement.at,
      actor: settlement.actor,
      reason: settlement.reason,
      credit: settlement.credit === 1n,
    },
  };
}
