import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { Client } from '../ledger/clients/clients.ts';
import type { InCurrency, ClientWithCash as Known } from '../ledger/clients/view.ts';
import type { OpenPayout } from '../ledger/payouts/open-payouts.ts';
import { fiat, instant, openPayoutsView, openPayoutView, price, sats } from './fields.ts';
import { waitView } from './waits.ts';

/** What a client's cash bought in one currency: the settled amounts, and separately those that wait. */
const metricsView = z.object({
  sats_stacked: sats,
  fiat_spent: fiat,
  /** The average price of one BTC; null before the first sat. */
  average_rate: price.nullable(),
  /** Sats per unit of the currency; null before the first cash. */
  sats_per_unit: z.string().nullable(),
  purchases: z.int(),
  waiting_sats: sats,
  waiting_fiat: fiat,
  first_at: instant.nullable(),
  last_at: instant.nullable(),
});

/** A client as it is set. */
export const setClientView = z.object({
  name: z.string(),
  mode: z.enum(['flow', 'fixed']),
  status: z.enum(['active', 'paused', 'closing', 'closed']),
  /** By currency; so are `max_daily_limits` and `metrics`. */
  daily_limits: z.record(z.string(), fiat),
  max_daily_limits: z.record(z.string(), fiat),
  wallet_id: z.string(),
  created_at: instant,
});

/** A client: settings, cash, and what it bought. */
export const clientView = setClientView.extend({
  balances: z.array(z.object({ currency: z.string(), in_flight: fiat, remaining: fiat, spent: fiat })),
  metrics: z.record(z.string(), metricsView),
});

/** One client, with what waits to be paid, for what and until when. */
export const shownClientView = clientView.extend({ waits: z.array(waitView) });

/** A client after a change, and what a new wallet means for the open payouts. */
export const changedClientView = clientView.extend({ open_payouts: z.array(openPayoutView).optional() });

export type SetClientView = z.output<typeof setClientView>;
export type ClientView = z.output<typeof clientView>;
export type ShownClientView = z.output<typeof shownClientView>;
export type ChangedClientView = z.output<typeof changedClientView>;

export function viewOfSetClient(client: Client): SetClientView {
  return {
    name: client.name,
    mode: client.mode,
    // Pausing is a setting; the other statuses are in the client's own row.
    status: client.status === 'active' && client.paused ? 'paused' : client.status,
    daily_limits: limitsOf(client, 'daily'),
    max_daily_limits: limitsOf(client, 'max'),
    wallet_id: client.walletId,
    created_at: client.createdAt,
  };
}

export function viewOfClient({ client, currencies }: Known): ClientView {
  return {
    ...viewOfSetClient(client),
    balances: currencies.map((one) => ({
      currency: one.currency,
      in_flight: formatDecimal(one.inFlight, one.digits),
      remaining: formatDecimal(one.remaining, one.digits),
      spent: formatDecimal(one.spent, one.digits),
    })),
    metrics: Object.fromEntries(currencies.map((one) => [one.currency, metricsOf(one)])),
  };
}

export function viewOfChangedClient(known: Known, moved: OpenPayout[] | null): ChangedClientView {
  return { ...viewOfClient(known), ...(moved && { open_payouts: openPayoutsView(moved) }) };
}

function limitsOf({ limits }: Client, which: 'daily' | 'max'): Record<string, string> {
  return Object.fromEntries(
    limits.flatMap((limit) => {
      const minor = limit[which];
      return minor === null ? [] : [[limit.currency, formatDecimal(minor, limit.digits)]];
    }),
  );
}

function metricsOf({ metrics, digits, ...one }: InCurrency): z.output<typeof metricsView> {
  return {
    sats_stacked: metrics.satsStacked,
    fiat_spent: formatDecimal(metrics.fiatSpent, digits),
    average_rate: metrics.averageRate === null ? null : formatDecimal(metrics.averageRate, digits),
    sats_per_unit: metrics.satsPerUnit === null ? null : formatDecimal(metrics.satsPerUnit, 2),
    purchases: one.purchases,
    waiting_sats: one.waitingSats,
    waiting_fiat: formatDecimal(one.waitingFiat, digits),
    first_at: one.firstAt,
    last_at: one.lastAt,
  };
}
