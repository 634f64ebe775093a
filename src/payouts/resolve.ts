import type { Payment } from '../ledger/payouts/payouts.ts';
import { seesPayments } from '../lnbits/rights.ts';
import type { ClientSide, SourceWalletSide } from './destination.ts';
import { clientSide, sourceWalletSide, walletKey } from './evidence.ts';
import type { PayContext } from './session.ts';

/** What both wallets show of a payment, for the operator's decision. */
export interface Shown {
  /** `unseen`: nothing, but the key does not show its payments; `unread`: the wallet could not be read. */
  sourceWallet: SourceWalletSide | 'unseen' | 'unread';
  /** `nothing`: the payment is there, and credited nothing. */
  client: ClientSide | 'nothing' | 'unread';
}

type ReadContext = Pick<PayContext, 'ledger' | 'lnbits' | 'destination' | 'sourceWallet' | 'fees'>;

/** Neither side could be read. */
export const UNREAD: Shown = { sourceWallet: 'unread', client: 'unread' };

/** Reads both sides, the source wallet's after the client's. Only for a payment whose last POST is over. */
export async function bothSides(ctx: ReadContext, payment: Payment): Promise<Shown> {
  const client = await clientShows(ctx, payment);
  const sourceWallet = await sourceWalletSide(ctx, payment.payment_hash);
  return {
    client,
    sourceWallet:
      sourceWallet === 'none' && !(await seesPayments(ctx.lnbits, ctx.sourceWallet.key))
        ? 'unseen'
        : sourceWallet,
  };
}

/** What the client's wallet shows, if the source wallet cannot be read. */
export async function clientShows(
  ctx: Pick<PayContext, 'ledger' | 'lnbits' | 'destination'>,
  payment: Payment,
): Promise<Shown['client']> {
  const side = await clientSide(ctx, payment);
  if (side !== 'wrong-amount') return side;
  const row = await ctx.lnbits.find(await walletKey(ctx, payment.client_wallet_id), payment.payment_hash);
  // A debit there is that of a source wallet which is the same one.
  return row && row.amountMsat <= 0n ? 'nothing' : 'wrong-amount';
}

/** What both sides show, as it is recorded and compared. */
export function sidesInWords({ sourceWallet, client }: Shown): string {
  return `${sourceWallet} in the source wallet, ${client} in the client’s`;
}

/**
 * What the wallets say to the operator's decision. `bears-out`: they show the same. `open`: they leave it open.
 *  `contradicts`: they show otherwise.
 */
export type WordJudgement = 'bears-out' | 'open' | 'contradicts';

/**
 * Compares the operator's decision, that a payment arrived or never will, with the wallets. The decision never
 * overrides what they show. What could not be read is not an absence: a payment that is declared unpaid is paid again.
 */
export function judgeWord({ sourceWallet, client }: Shown, paid: boolean): WordJudgement {
  // LNbits is still working on it.
  if (sourceWallet === 'pending') return 'contradicts';
  return paid ? judgePaid(sourceWallet, client) : judgeNotPaid(sourceWallet, client);
}

function judgePaid(sourceWallet: Shown['sourceWallet'], client: Shown['client']): WordJudgement {
  switch (client) {
    case 'arrived':
      return sourceWallet === 'success' ? 'bears-out' : 'open';
    // LNbits shows that the client did not get it, or not yet.
    case 'pending':
    case 'failed':
    case 'nothing':
      return 'contradicts';
    default:
      // If it did not leave the source wallet, it has arrived only if the client's wallet shows that.
      return sourceWallet === 'none' || sourceWallet === 'failed' ? 'contradicts' : 'open';
  }
}

function judgeNotPaid(sourceWallet: Shown['sourceWallet'], client: Shown['client']): WordJudgement {
  if (sourceWallet === 'unseen' || sourceWallet === 'unread' || client === 'unread') return 'contradicts';
  if (client === 'arrived') return 'contradicts';
  // What the client has of another amount came from elsewhere, where nothing left the source wallet.
  if (client === 'wrong-amount') return sourceWallet === 'success' ? 'contradicts' : 'open';
  if (sourceWallet !== 'success') return 'bears-out';
  switch (client) {
    // LNbits took the sats and gave the invoice up, credited nothing, or knows nothing of it: they did not arrive.
    case 'failed':
    case 'nothing':
    case 'none':
      return 'open';
    // LNbits may still credit it, or, if the wallet cannot be read, may have done so.
    default:
      return 'contradicts';
  }
}
