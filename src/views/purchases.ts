import * as z from 'zod';
import { metrics } from '../dca/client-stats.ts';
import { formatDecimal, sum } from '../dca/money.ts';
import type { PurchaseSum } from '../ledger/cash-outs/purchase-sums.ts';
import type { Purchase } from '../ledger/cash-outs/purchase-view.ts';
import { allocationFields } from './cash-outs.ts';
import { fiat, instant, pageOf, price, sats } from './fields.ts';
import { PAYOUT_STATES } from './states.ts';

/**
 * What a client's cash bought in one cash-out: `net_sats` = `gross_sats` - `commission_sats`, all of the client's part.
 * It has nothing of other clients, of the rest of the cash-out, or of the cash in the machine.
 */
export const purchaseView = z.object({
  /** The cash-out's id. */
  id: z.string(),
  client: z.string(),
  machine: z.string(),
  machine_name: z.string().nullable(),
  confirmed_at: instant,
  /** The cash of the client that came out. */
  fiat,
  currency: z.string(),
  gross_sats: sats,
  commission_sats: sats,
  net_sats: sats,
  /** `fiat` by `net_sats`, after the commission; null without a sat. */
  price: price.nullable(),
  /** `paid` once every sat of it has arrived. */
  state: z.enum(['paid', 'waiting']),
  /** In the order of the fundings; none while it is in no payout. */
  payouts: z.array(
    z.object({ id: z.string(), state: z.enum(PAYOUT_STATES), settled_at: instant.nullable() }),
  ),
});

export type PurchaseView = z.output<typeof purchaseView>;

export const purchasesView = pageOf(purchaseView);

/** A purchase with the fundings whose cash came out. */
export const purchaseDetailView = purchaseView.extend({
  /** In the order of the fundings. */
  allocations: z.array(z.object(allocationFields)),
});

export type PurchaseDetailView = z.output<typeof purchaseDetailView>;

export function viewOfPurchase(one: Purchase, client: string): PurchaseView {
  const { allocations, digits } = one;
  const [spent, net] = [sum(allocations.map((part) => part.fiat)), sum(allocations.map((part) => part.net))];
  const { averageRate } = metrics({ sats: net, fiat: spent, digits });
  const payouts = new Map(allocations.flatMap(({ payout }) => (payout ? [[payout.id, payout]] : [])));
  // An allocation of 0 sat is never paid: nothing of it waits.
  const waits = allocations.some((part) => part.net > 0n && part.payout?.state !== 'settled');
  return {
    ...{ id: one.id, client, machine: one.machine, machine_name: one.machineName },
    confirmed_at: one.confirmedAt,
    fiat: formatDecimal(spent, digits),
    currency: one.currency,
    gross_sats: sum(allocations.map((part) => part.gross)),
    commission_sats: sum(allocations.map((part) => part.commission)),
    net_sats: net,
    price: averageRate === null ? null : formatDecimal(averageRate, digits),
    state: waits ? 'waiting' : 'paid',
    payouts: [...payouts.values()].map(({ id, state, settledAt }) => ({
      ...{ id: `p${id}`, state, settled_at: settledAt },
    })),
  };
}

export function viewOfPurchaseDetail(one: Purchase, client: string): PurchaseDetailView {
  return {
    ...viewOfPurchase(one, client),
    allocations: one.allocations.map((part) => ({
      funding: `f${part.funding}`,
      fiat: formatDecimal(part.fiat, one.digits),
      gross_sats: part.gross,
      commission_sats: part.commission,
      net_sats: part.net,
      payout: part.payout && `p${part.payout.id}`,
    })),
  };
}

/** What a client bought by local days or months, each currency by itself; days without a purchase are left out. */
export const purchaseSumView = z.object({
  /** `2026-11-21`, or `2026-11`. */
  of: z.string(),
  currency: z.string(),
  purchases: z.int(),
  fiat,
  gross_sats: sats,
  commission_sats: sats,
  net_sats: sats,
  /** The average: `fiat` by `net_sats`; null without a sat. */
  price: price.nullable(),
});

export type PurchaseSumView = z.output<typeof purchaseSumView>;

export function viewOfPurchaseSum({ of, currency, purchases, digits, ...one }: PurchaseSum): PurchaseSumView {
  const { averageRate } = metrics({ sats: one.net, fiat: one.fiat, digits });
  return {
    ...{ of, currency, purchases, fiat: formatDecimal(one.fiat, digits) },
    ...{ gross_sats: one.gross, commission_sats: one.commission, net_sats: one.net },
    price: averageRate === null ? null : formatDecimal(averageRate, digits),
  };
}
