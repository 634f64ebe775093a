import { Secret } from '../config/secret.ts';
import { formatDecimal, groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import {
  addPayment,
  cashOutsOf,
  deferPayout,
  holdPayout,
  nextPayment,
  type Payment,
  type Payout,
} from '../ledger/payouts.ts';
import { now } from '../time.ts';
import { type Context, isGone } from './context.ts';

/** LNbits pays an internal invoice after its expiry all the same. */
const INVOICE_EXPIRY_SECONDS = 86_400;

/** Makes and keeps a new invoice; undefined where the payout was deferred or held instead. */
export async function makeInvoice(
  ctx: Context,
  payout: Payout,
  part: bigint,
  sats: bigint,
): Promise<Payment | undefined> {
  const { recipient } = payout;
  const defer = async (problem: BridgeError) => {
    ctx.problems.set(problem.code, problem);
    await ctx.run.write((trx) => deferPayout(trx, payout.id, problem.message));
    return undefined;
  };
  const hold = async (reason: string) => {
    await ctx.run.write((trx) => holdPayout(trx, ctx.run.who, payout.id, reason, now()));
    return undefined;
  };
  if (ctx.source.balanceMsat < sats * 1000n) {
    return defer(
      new BridgeError(
        'lnbits/balance',
        `the source wallet holds ${groupDigits(ctx.source.balanceMsat / 1000n)} sat, less than the ${groupDigits(sats)} sat due`,
        'Top up the source wallet; the next run goes on.',
      ),
    );
  }
  const id = await nextPayment(ctx.ledger.db);
  const extra = await extraOf(ctx, payout, { id, part, sats });
  const memo = memoOf(payout, sats);
  try {
    const invoice = await ctx.lnbits.createInvoice(new Secret(recipient.invoiceKey), {
      sats,
      memo,
      expirySeconds: INVOICE_EXPIRY_SECONDS,
      extra,
    });
    if (invoice.walletId !== recipient.walletId)
      return await hold('the key of the client now belongs to another wallet');
    if (invoice.walletId === ctx.source.walletId)
      return await hold("the client's wallet is the source wallet");
    return await ctx.run.write((trx) =>
      addPayment(
        trx,
        {
          id,
          payout: payout.id,
          part,
          sats,
          hash: invoice.hash,
          bolt11: invoice.bolt11,
          clientWallet: invoice.walletId,
          sourceWallet: ctx.source.walletId,
          run: ctx.run.id,
        },
        now(),
      ),
    );
  } catch (error) {
    if (isGone(error)) return hold("the client's wallet does not answer to its key any more");
    if (error instanceof BridgeError && error.code === 'lnbits/refused') return defer(error);
    throw error;
  }
}

/** A sentence that a person understands who finds it in a wallet. */
function memoOf({ id, kind, fiat, digits, currency }: Payout, sats: bigint): string {
  const what = kind === 'client' ? `${formatDecimal(fiat, digits)} ${currency} of your cash` : 'commission';
  return `${groupDigits(sats)} sat for ${what} (payout p${id})`;
}

/** What both sides of a payment carry, so that it can be told whose it was and for which cash-outs. */
export async function extraOf(
  ctx: Context,
  payout: Payout,
  { id, part, sats }: { id: bigint; part: bigint; sats: bigint },
): Promise<Record<string, unknown>> {
  const { ids, count } = await cashOutsOf(ctx.ledger.db, payout.id);
  return {
    tag: 'aio-dca',
    ledger: ctx.ledger.id,
    seq: Number(id),
    payout: `p${payout.id}`,
    part: Number(part),
    client: payout.recipient.name,
    sats: Number(sats),
    fiat: formatDecimal(payout.fiat, payout.digits),
    currency: payout.currency,
    cash_outs: ids,
    cash_outs_count: count,
  };
}
