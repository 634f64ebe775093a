import type { Payment } from '../ledger/payouts.ts';
import { seesPayments } from '../lnbits/rights.ts';
import { type Context, clientSide, sourceSide, walletKey } from './context.ts';
import type { ClientSide, SourceSide } from './decide.ts';

/** What both wallets show of a payment, for a person who decides about it. */
export interface Shown {
  /** `unseen`: nothing, by a key that is not shown its payments. */
  source: SourceSide | 'unseen';
  /** `nothing`: the payment is there, as one of 0 sat. */
  client: ClientSide | 'nothing';
}

type Looking = Pick<Context, 'ledger' | 'lnbits' | 'source' | 'fees'>;

/** Looks at both sides, the source's again after the client's. For a payment whose last POST is over. */
export async function bothSides(ctx: Looking, payment: Payment): Promise<Shown> {
  const client = await clientShows(ctx, payment);
  const source = await sourceSide(ctx, payment.payment_hash);
  return {
    client,
    source: source === 'none' && !(await seesPayments(ctx.lnbits, ctx.source.key)) ? 'unseen' : source,
  };
}

async function clientShows(ctx: Looking, payment: Payment): Promise<Shown['client']> {
  const side = await clientSide(ctx, payment);
  if (side !== 'wrong-amount') return side;
  const row = await ctx.lnbits.find(await walletKey(ctx, payment.client_wallet_id), payment.payment_hash);
  return row?.amountMsat === 0n ? 'nothing' : 'wrong-amount';
}

/** What both sides show, as it is kept and compared. */
export function sidesInWords({ source, client }: Shown): string {
  return `${source} in the source wallet, ${client} in the client’s`;
}

/** Whether a person may say so: `bears-out`: the wallets show the same; `open`: they leave it open; `contradicts`. */
export type Judgement = 'bears-out' | 'open' | 'contradicts';

/**
 * What the wallets say to a person's word that a payment arrived, or that it did not and never will. Nothing that is
 * said overrides what they show, and what could not be seen is no absence: whoever is called unpaid is paid again.
 */
export function judgeWord({ source, client }: Shown, paid: boolean): Judgement {
  // LNbits is still at it.
  if (source === 'pending') return 'contradicts';
  return paid ? judgePaid(source, client) : judgeNotPaid(source, client);
}

function judgePaid(source: Shown['source'], client: Shown['client']): Judgement {
  switch (client) {
    case 'arrived':
      return source === 'success' ? 'bears-out' : 'open';
    case 'wrong-amount':
      return 'open';
    case 'none':
    case 'unseen':
    case 'gone':
      return source === 'failed' ? 'contradicts' : 'open';
    case 'pending':
    case 'failed':
    case 'nothing':
      return 'contradicts';
  }
}

function judgeNotPaid(source: Shown['source'], client: Shown['client']): Judgement {
  if (client === 'arrived' || client === 'wrong-amount' || source === 'unseen') return 'contradicts';
  if (source !== 'success') return 'bears-out';
  switch (client) {
    // LNbits took the sats and gave the invoice up, credited nothing, or knows nothing of it: they did not arrive.
    case 'failed':
    case 'nothing':
    case 'none':
      return 'open';
    // It may credit it yet; and where nobody can look, it may have.
    default:
      return 'contradicts';
  }
}
