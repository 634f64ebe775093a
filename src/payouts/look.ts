import { BridgeError } from '../errors.ts';
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

/** `refused`: every POST of it was; that it waits is no doubt about what became of it. */
export type Former = Decision & { refused?: true };

/**
 * What becomes of an invoice that was never sent, or whose every POST LNbits refused, where its recipient is paid into
 * another wallet now: it is given up, if the source wallet shows nothing of it and nobody else has paid it. The former
 * wallet may be gone.
 */
export async function lookAtFormer(ctx: Context, payment: Payment): Promise<Former> {
  if (payment.sent_at !== null) return lookAtRefused(ctx, payment);
  if ((await sourceSide(ctx, payment.payment_hash)) !== 'none') return lookAtStrange(ctx, payment);
  const client = await clientSide(ctx, payment).catch((error: unknown) => {
    if (error instanceof BridgeError && error.code === 'lnbits/refused') return 'gone' as const;
    throw error;
  });
  if (client === 'arrived' || client === 'wrong-amount') return decide(client, 'none', true);
  if ((await sourceSide(ctx, payment.payment_hash)) !== 'none') return lookAtStrange(ctx, payment);
  return { do: 'bury', reason: 'it was not sent, and the recipient is paid into another wallet now' };
}

/** Given up only where both wallets show, after the quiet time, that nothing came of it. */
async function lookAtRefused(ctx: Context, payment: Payment): Promise<Former> {
  const quiet = isQuiet(ctx, payment.sent_at);
  const decision = await look(ctx, payment);
  if (decision.do !== 'send') return decision;
  const reason = 'LNbits refused it, and the recipient is paid into another wallet now';
  if (quiet) return { do: 'bury', reason };
  return { do: 'wait', reason, refused: true };
}

/** The source wallet shows a payment that this ledger never sent. */
async function lookAtStrange(ctx: Context, payment: Payment): Promise<Decision> {
  const decision = await look(ctx, payment);
  if (decision.do !== 'send') return decision;
  return { do: 'hold', reason: 'the source wallet shows a try to pay this invoice, which was never sent' };
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
