import { z } from 'zod';
import type { OpenPayout } from '../ledger/payouts/open.ts';

/* What views are made of. As JSON, sats are integers, fiat amounts and rates decimal text, times ISO 8601 with zone. */

export const sats = z.bigint();
export const instant = z.string().describe('ISO 8601, UTC, to the microsecond');
/** `3000.00`, in the currency that stands beside it. */
export const fiat = z.string();

/** An open payout of a recipient who is paid into another wallet now. */
export const openPayoutView = z.object({
  payout: z.string(),
  arrived_sats: sats,
  former_wallet_sats: sats,
  new_wallet_sats: sats,
  /** Of these: LNbits refused them, and they are sent once both wallets show that nothing came of it. */
  refused_sats: sats,
});

export function openPayoutsView(payouts: OpenPayout[]): z.output<typeof openPayoutView>[] {
  return payouts.map(({ id, arrived, sent, unsent, refused }) => ({
    payout: `p${id}`,
    arrived_sats: arrived,
    former_wallet_sats: sent,
    new_wallet_sats: unsent + refused,
    refused_sats: refused,
  }));
}
