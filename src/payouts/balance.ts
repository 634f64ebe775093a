import { groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { type Payout, unsentSats, unsettledClientSats } from '../ledger/payouts/payouts.ts';
import { feeOn } from '../ledger/payouts/service-fee.ts';
import { feeNow } from './service-fee.ts';
import { type Context, note } from './session.ts';

/**
 * Why the source wallet cannot pay so much of a payout now; null where it can. Clients come first: commission waits while
 * the wallet does not hold what their open payouts need as well. `fee`: what LNbits, which refused it, takes on top; how
 * much that will be is not known for certain, so it keeps nothing from being tried.
 */
export async function lack(ctx: Context, payout: Payout, sats: bigint, fee = 0n): Promise<string | null> {
  const held = ctx.source.balanceMsat / 1000n;
  const holds = `the source wallet holds ${shown(held)}`;
  if (held < sats) return `${holds}, less than the ${shown(sats)} due`;
  if (held < sats + fee)
    return `${holds}, less than the ${shown(sats)} due with LNbits’ service fee, about ${shown(fee)}`;
  if (payout.kind === 'client') return null;
  const first = await unsettledClientSats(ctx.ledger.db);
  if (held >= sats + first + feeOn(sats + first, await feeNow(ctx))) return null;
  return `${holds}, and clients come first: ${shown(first)} are due to them`;
}

/** Reads anew what the source wallet holds: LNbits refused a payment, and somebody else may have taken sats. */
export async function readBalance({ lnbits, source }: Context): Promise<void> {
  source.balanceMsat = (await lnbits.wallet(source.key)).balanceMsat;
}

/** Notes that sats are missing: how many, for everything that is due, is told by `noteShortage` when the run is over. */
export function noteLack(ctx: Context, why: string): void {
  note(ctx, new BridgeError('lnbits/balance', why, TOP_UP));
}

/** Where sats were missing: all that is due, and what is missing for it. */
export async function noteShortage(ctx: Context): Promise<void> {
  if (!ctx.problems.has('lnbits/balance')) return;
  const unsent = await unsentSats(ctx.ledger.db);
  const due = unsent + feeOn(unsent, await feeNow(ctx));
  const held = ctx.source.balanceMsat / 1000n;
  if (due <= held) return;
  const message = `the source wallet holds ${shown(held)}; ${shown(due)} are due: ${shown(due - held)} are missing`;
  note(ctx, new BridgeError('lnbits/balance', message, TOP_UP));
}

/**
 * LNbits finds the balance too small where the wallet holds enough: it takes a fee on top that it did not show yet.
 */
export function noteUnknownFee(ctx: Context, payout: Payout, sats: bigint): void {
  const held = shown(ctx.source.balanceMsat / 1000n);
  const message = `p${payout.id} to ${payout.recipient.name}: LNbits calls ${held} in the source wallet too little for ${shown(sats)}, so it takes a service fee on top`;
  note(ctx, new BridgeError('lnbits/balance', message, FEE_HINT));
}

const FEE_HINT =
  'Top the source wallet up by that fee (lnbits_service_fee, or at most lnbits_service_fee_max, of each payment), or set lnbits_service_fee_ignore_internal in LNbits. With [lnbits] credit_source the next run credits it. Once a payment cost one, it is counted in what is needed.';

const TOP_UP = 'Top up the source wallet; the next run goes on.';

const shown = (sats: bigint) => `${groupDigits(sats)} sat`;
