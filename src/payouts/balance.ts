import { formatSats } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { unsentSats, unsettledClientSats } from '../ledger/payouts/open-payouts.ts';
import type { Payout } from '../ledger/payouts/payouts.ts';
import { feeOn } from '../ledger/payouts/service-fee.ts';
import { feeNow } from './service-fee.ts';
import { type PayContext, reportProblem } from './session.ts';

/**
 * Why the source wallet cannot pay these sats of a payout now; null: it can. Clients come first: commission waits until
 * the wallet also holds what the clients' open payouts need. `fee`: LNbits' service fee, after it refused the payment;
 * its amount is not certain, so it never prevents an attempt.
 */
export async function lack(ctx: PayContext, payout: Payout, sats: bigint, fee = 0n): Promise<string | null> {
  const held = ctx.sourceWallet.balanceMsat / 1000n;
  const heldThen = `the source wallet held ${formatSats(held)} when it was tried`;
  if (held < sats) return `${heldThen}, less than the ${formatSats(sats)} due`;
  if (held < sats + fee)
    return `${heldThen}, less than the ${formatSats(sats)} due with LNbits’ service fee, about ${formatSats(fee)}`;
  if (payout.kind === 'client') return null;
  const first = await unsettledClientSats(ctx.ledger.db);
  if (held >= sats + first + feeOn(sats + first, await feeNow(ctx))) return null;
  return `${heldThen}, and clients come first: ${formatSats(first)} are due to them`;
}

/** Reads the balance of the source wallet again: LNbits refused a payment, so sats may have left the wallet. */
export async function readBalance({ lnbits, sourceWallet }: PayContext): Promise<void> {
  sourceWallet.balanceMsat = (await lnbits.wallet(sourceWallet.key)).balanceMsat;
}

/** Records that sats are missing; `reportShortage` reports the total at the end of the run. */
export function reportLack(ctx: PayContext, why: string): void {
  reportProblem(ctx, new BridgeError('lnbits/balance', why, TOP_UP));
}

/** If sats were missing: reports everything that is due, and what is missing for it. */
export async function reportShortage(ctx: PayContext): Promise<void> {
  if (!ctx.problems.has('lnbits/balance')) return;
  const unsent = await unsentSats(ctx.ledger.db);
  const due = unsent + feeOn(unsent, await feeNow(ctx));
  const held = ctx.sourceWallet.balanceMsat / 1000n;
  if (due <= held) return;
  const message = `the source wallet holds ${formatSats(held)} now; ${formatSats(due)} are due: ${formatSats(due - held)} are missing`;
  reportProblem(ctx, new BridgeError('lnbits/balance', message, TOP_UP));
}

/**
 * LNbits reports an insufficient balance although the wallet holds enough, so it takes a service fee that is not known
 * yet.
 */
export function reportUnknownFee(ctx: PayContext, payout: Payout, sats: bigint): void {
  const held = formatSats(ctx.sourceWallet.balanceMsat / 1000n);
  const message = `p${payout.id} to ${payout.recipient.name}: LNbits calls ${held} in the source wallet too little for ${formatSats(sats)}, so it takes a service fee on top`;
  reportProblem(ctx, new BridgeError('lnbits/balance', message, FEE_HINT));
}

const FEE_HINT =
  'Top the source wallet up by that fee (lnbits_service_fee, or at most lnbits_service_fee_max, of each payment), or set lnbits_service_fee_ignore_internal in LNbits. With [lnbits] credit_source the next run credits it. Once a payment has cost a fee, the fee counts in what is needed.';

const TOP_UP = 'Top up the source wallet; the next run goes on.';
