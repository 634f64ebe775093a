import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { Overpaid } from '../ledger/fundings/overpaid.ts';
import type { Funding } from '../ledger/fundings/view.ts';
import type { HeldPayout } from '../ledger/payouts/operator-actions.ts';
import type { Pause } from '../ledger/payouts/pause.ts';
import type { PayoutDetail, PayoutRow } from '../ledger/payouts/view.ts';
import { fiat, instant, pageOf, problemView, sats, text } from './fields.ts';
import { type LastReading, lastReadingView, viewOfLastReading } from './last-reading.ts';
import { PAYOUT_STATES } from './states.ts';

/** An obligation to pay one recipient once. */
export const payoutView = z.object({
  id: z.string(),
  recipient: z.string(),
  kind: z.enum(['client', 'commission']),
  state: z.enum(PAYOUT_STATES),
  reason: z.string().nullable(),
  /** What the source wallet lacks for it: sats, or a service fee of LNbits that is not known yet. */
  lack: z.enum(['sats', 'fee']).nullable(),
  sats,
  /** The part of these that has arrived. */
  settled_sats: sats,
  created_at: instant,
  settled_at: instant.nullable(),
  /** LNbits' service fee, taken on top. */
  fee_msat: z.bigint(),
});

export type PayoutView = z.output<typeof payoutView>;

export const payoutsView = pageOf(payoutView);

/** A payout with its cash-outs and payments. */
export const payoutDetailView = payoutView.extend({
  /** The cash that it pays for; 0 for commission. */
  fiat,
  currency: z.string(),
  allocations: z.array(z.string()),
  cash_outs: z.array(z.string()),
  payments: z.array(
    z.object({
      payment_hash: z.string(),
      part: z.bigint(),
      attempt: z.bigint(),
      sats,
      fee_msat: z.bigint(),
      state: z.enum(['invoiced', 'sending', 'unknown', 'settled', 'dead']),
      reason: z.string().nullable(),
      /** The recipient's wallet. */
      wallet_id: z.string(),
      created_at: instant,
      sent_at: instant.nullable(),
      settled_at: instant.nullable(),
    }),
  ),
});

export type PayoutDetailView = z.output<typeof payoutDetailView>;

export function viewOfPayout(row: PayoutRow): PayoutView {
  return {
    id: `p${row.id}`,
    recipient: row.recipient,
    kind: row.kind,
    state: row.state,
    reason: row.reason,
    lack: row.lack,
    sats: row.sats,
    settled_sats: row.settled,
    created_at: row.created_at,
    settled_at: row.settled_at,
    fee_msat: row.feeMsat,
  };
}

export function viewOfPayoutDetail({ payout, members, payments }: PayoutDetail): PayoutDetailView {
  return {
    ...viewOfPayout(payout),
    fiat: formatDecimal(payout.fiat, payout.digits),
    currency: payout.currency,
    allocations: members.map(({ id }) => id.toString()),
    cash_outs: [...new Set(members.map((one) => one.cash_out_id))],
    payments: payments.map((row) => ({
      payment_hash: row.payment_hash,
      part: row.part,
      attempt: row.attempt,
      sats: row.sats,
      fee_msat: row.fee_msat,
      state: row.state,
      reason: row.reason,
      wallet_id: row.client_wallet_id,
      created_at: row.created_at,
      sent_at: row.sent_at,
      settled_at: row.settled_at,
    })),
  };
}

/** The result of `payouts.hold_all`. */
export const heldAllView = z.object({
  held: z.array(z.string()),
  /** Sats that are due but in no payout yet, and so not held. */
  due_sats: sats.optional(),
  /** Why they could not be formed into payouts. */
  problem: problemView.optional(),
});

const heldPayoutView = z.object({
  id: z.string(),
  recipient: z.string(),
  sats,
  reason: z.string().nullable(),
});

/** The preview of `payouts.release_all`. */
export const heldPayoutsView = z.object({ held: z.array(heldPayoutView), digest: z.string() });

export function viewOfHeldPayout({ id, ...held }: HeldPayout): z.output<typeof heldPayoutView> {
  return { id: `p${id}`, ...held };
}

export const releasedView = z.object({ released: z.array(z.string()) });

/** Whether paying is paused. */
export const pauseView = z.object({
  paused: z.boolean(),
  pause: z.object({ at: instant, by: z.string().nullable(), reason: z.string().nullable() }).nullable(),
  /** False if it was so already. */
  changed: z.boolean(),
});

/** Whether paying is paused. */
export const shownPauseView = pauseView.omit({ changed: true });

export type ShownPauseView = z.output<typeof shownPauseView>;

export function viewOfPause(pause: Pause | null, changed: boolean): z.output<typeof pauseView> {
  return { paused: pause !== null, pause, changed };
}

/** Sats that a recipient got beyond a payout. */
export const overpaidView = z.object({
  payout: z.string(),
  recipient: z.string(),
  sats,
  /** Their worth in cash at the price of the payout. */
  fiat,
  currency: z.string(),
  payment_hash: z.string().nullable(),
});

export const overpaidPreview = overpaidView.extend({ digest: z.string() });

export const bookedOverpaidView = overpaidView.extend({
  /** The funding that the cash was subtracted from, and what remains of it. */
  funding: z.object({ id: z.string(), remaining: fiat }).nullable(),
  /** Null without a funding. */
  lamassu: lastReadingView.nullable(),
});

export function viewOfOverpaid(one: Overpaid): z.output<typeof overpaidView> {
  return {
    ...{ payout: `p${one.payout}`, recipient: one.recipient, sats: one.sats },
    fiat: formatDecimal(one.fiat, one.digits),
    currency: one.currency,
    payment_hash: one.payment?.hash ?? null,
  };
}

export function viewOfBookedOverpaid(
  one: Overpaid,
  funding: Funding | null,
  reading: LastReading | null,
): z.output<typeof bookedOverpaidView> {
  return {
    ...viewOfOverpaid(one),
    funding: funding && {
      id: `f${funding.id}`,
      remaining: formatDecimal(funding.remaining, funding.digits),
    },
    lamassu: reading && viewOfLastReading(reading),
  };
}

/** The evidence of a payment that the operator decides about. */
export const resolvePreview = z.object({
  payment_hash: z.string(),
  sats,
  /** What each wallet shows. */
  source: z.string(),
  client: z.string(),
  /** The question before it is recorded; null if both wallets confirm the decision. */
  question: text.nullable(),
  digest: z.string(),
});
