import * as z from 'zod';
import type { CreditRow } from '../ledger/credits/operator-actions.ts';
import { instant, pageOf, sats, text } from './fields.ts';
import { CREDIT_STATES } from './states.ts';

/** A credit: sats that LNbits' superuser put, or will put, into the source wallet. */
export const creditView = z.object({
  id: z.string(),
  state: z.enum(CREDIT_STATES),
  reason: z.string().nullable(),
  sats,
  /** The source wallet. */
  wallet_id: z.string(),
  created_at: instant,
  sent_at: instant.nullable(),
  credited_at: instant.nullable(),
  payment_hash: z.string().nullable(),
  /** The cash-outs that it is for; empty if it is for LNbits' service fee alone. */
  cash_outs: z.array(z.object({ id: z.string(), sats })),
});

export type CreditView = z.output<typeof creditView>;

/** A credit in a list, with the number of its cash-outs. */
export const listedCreditView = creditView.extend({ cash_outs: z.number() });

export const creditsView = pageOf(listedCreditView);

export function viewOfCredit(row: CreditRow): CreditView {
  return {
    id: `c${row.id}`,
    state: row.state,
    reason: row.reason,
    sats: row.sats,
    wallet_id: row.wallet_id,
    created_at: row.created_at,
    sent_at: row.sent_at,
    credited_at: row.credited_at,
    payment_hash: row.payment_hash,
    cash_outs: row.cashOuts,
  };
}

export function viewOfListedCredit(row: CreditRow): z.output<typeof listedCreditView> {
  return { ...viewOfCredit(row), cash_outs: row.cashOuts.length };
}

/** The question before the operator's decision about a credit is recorded. */
export const resolveCreditPreview = z.object({ question: text, digest: z.string() });
