import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Payment } from '../ledger/payouts/payouts.ts';
import { type Decision, decide, whilePending } from './decide.ts';
import type { ClientSide, SourceWalletSide } from './destination.ts';
import { isQuiet, type PayContext } from './session.ts';

/**
 * Reads both sides of a payment: the source wallet's, then the client's, then the source wallet's again. Does not read
 * the client's side while a POST may still be running, if reading could change it.
 */
export async function examinePayment(ctx: PayContext, payment: Payment): Promise<Decision> {
  const quiet = isQuiet(ctx, payment.sent_at);
  const mayRun = !quiet && !ctx.answered.has(payment.id);
  let sourceWallet = await sourceWalletSide(ctx, payment.payment_hash);
  // LNbits is still working on it, however long that takes.
  if (sourceWallet === 'pending') return whilePending;
  if (sourceWallet === 'success' && mayRun && !ctx.looksArePure) {
    return {
      do: 'wait',
      reason: 'paid from the source wallet; the client is looked at after the quiet time',
    };
  }
  if (sourceWallet !== 'success' && mayRun) {
    const key = await walletKey(ctx, payment.client_wallet_id);
    if (await ctx.destination.answers(key)) return { do: 'send' };
    return decide('gone', sourceWallet, quiet);
  }
  const client = await clientSide(ctx, payment);
  if (sourceWallet !== 'success') sourceWallet = await sourceWalletSide(ctx, payment.payment_hash);
  return decide(client, sourceWallet, quiet);
}

/** `refused`: every POST of it was refused, so its outcome is not in doubt while it waits. */
export type Former = Decision & { refused?: true };

/**
 * The outcome for an invoice in a former wallet of its recipient that was never sent, or whose every POST LNbits
 * refused. It is given up if the source wallet shows no payment of it and nobody else paid it. The former wallet may be
 * gone.
 */
export async function examineFormer(ctx: PayContext, payment: Payment): Promise<Former> {
  if (payment.sent_at !== null) return examineRefused(ctx, payment);
  if ((await sourceWalletSide(ctx, payment.payment_hash)) !== 'none') return examineUnsent(ctx, payment);
  const client = await clientSide(ctx, payment).catch((error: unknown) => {
    if (error instanceof BridgeError && error.code === 'lnbits/refused') return 'gone' as const;
    throw error;
  });
  if (client === 'arrived' || client === 'wrong-amount') return decide(client, 'none', true);
  if ((await sourceWalletSide(ctx, payment.payment_hash)) !== 'none') return examineUnsent(ctx, payment);
  return { do: 'abandon', reason: 'it was not sent, and the recipient is paid into another wallet now' };
}

/** Given up only if both wallets show, after the quiet time, that nothing was paid. */
async function examineRefused(ctx: PayContext, payment: Payment): Promise<Former> {
  const quiet = isQuiet(ctx, payment.sent_at);
  const decision = await examinePayment(ctx, payment);
  if (decision.do !== 'send') return decision;
  const reason = 'LNbits refused it, and the recipient is paid into another wallet now';
  if (quiet) return { do: 'abandon', reason };
  return { do: 'wait', reason, refused: true };
}

/** The source wallet shows a payment that this ledger never sent. */
async function examineUnsent(ctx: PayContext, payment: Payment): Promise<Decision> {
  const decision = await examinePayment(ctx, payment);
  if (decision.do !== 'send') return decision;
  return { do: 'hold', reason: 'the source wallet shows a try to pay this invoice, which was never sent' };
}

/** After a POST that LNbits answered with a success, which is the source wallet's side: did it arrive? */
export async function afterSuccess(ctx: PayContext, payment: Payment): Promise<Decision> {
  return decide(await clientSide(ctx, payment), 'success', isQuiet(ctx, payment.sent_at));
}

/** The source wallet's side of a payment. Keeps its fee in `fees`. */
export async function sourceWalletSide(
  { destination, fees }: Pick<PayContext, 'destination' | 'fees'>,
  hash: string,
): Promise<SourceWalletSide> {
  const side = await destination.sourceWalletSide(hash);
  if (side) fees.set(hash, side.feeMsat);
  return side?.status ?? 'none';
}

/** The client's side of a payment. */
export async function clientSide(
  ctx: Pick<PayContext, 'ledger' | 'destination'>,
  payment: Pick<Payment, 'payment_hash' | 'sats' | 'client_wallet_id'>,
): Promise<ClientSide> {
  const id = payment.client_wallet_id;
  return ctx.destination.clientSide({ id, key: await walletKey(ctx, id) }, payment);
}

/** The present invoice key of a wallet. */
export async function walletKey({ ledger }: Pick<PayContext, 'ledger'>, walletId: string): Promise<Secret> {
  const { invoice_key } = await ledger.db
    .selectFrom('wallets')
    .select('invoice_key')
    .where('id', '=', walletId)
    .executeTakeFirstOrThrow();
  return new Secret(invoice_key);
}
