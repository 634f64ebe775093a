import type { Payment } from '../ledger/payouts.ts';
import { type Context, clientSide, isGone, isQuiet, sourceSide, walletKey } from './context.ts';
import { type Decision, decide, whilePending } from './decide.ts';

/**
 * Looks at both sides of a payment. The source comes first; the client's side is left alone while a POST may still
 * be running, where a look could change it; and the source is read again after the client.
 */
export async function look(ctx: Context, payment: Payment): Promise<Decision> {
  const quiet = isQuiet(ctx, payment.sent_at);
  const mayRun = !quiet && !ctx.answered.has(payment.id);
  let source = await sourceSide(ctx, payment.payment_hash);
  // LNbits is still at it, however long that takes.
  if (source === 'pending') return whilePending;
  if (source === 'success' && mayRun && !ctx.looksArePure) {
    return {
      do: 'wait',
      reason: 'paid from the source wallet; the client is looked at after the quiet time',
    };
  }
  if (source !== 'success' && mayRun) {
    if (await walletAnswers(ctx, payment)) return { do: 'send' };
    return decide('gone', source, quiet);
  }
  const client = await clientSide(ctx, payment);
  if (source !== 'success') source = await sourceSide(ctx, payment.payment_hash);
  return decide(client, source, quiet);
}

/** After a POST that LNbits answered with a success, which is the source's side: did it arrive? */
export async function afterSuccess(ctx: Context, payment: Payment): Promise<Decision> {
  return decide(await clientSide(ctx, payment), 'success', isQuiet(ctx, payment.sent_at));
}

async function walletAnswers(ctx: Context, payment: Payment): Promise<boolean> {
  try {
    await ctx.lnbits.wallet(await walletKey(ctx, payment.client_wallet_id));
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
