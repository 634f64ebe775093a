import type { ClientSide, SourceWalletSide } from './destination.ts';

/**
 * `settle`: it arrived. `send`: POST the same bolt11 (again). `abandon`: it can never be paid, so a new invoice may
 * follow. `hold`: the operator decides. `wait`: read the wallets again later.
 */
export type Decision =
  | { do: 'settle' }
  | { do: 'send' }
  | { do: 'abandon' | 'hold' | 'wait'; reason: string };

/** Why nothing is known of the client's side. */
export const UNSEEN = "the key of the client's wallet does not show its payments";

/** While the source wallet's side is `pending`, the client's side decides nothing, whatever it is. */
export const whilePending: Decision = { do: 'wait', reason: 'LNbits shows the payment as pending' };

/**
 * What both sides of a payment mean together. The source wallet's side was read after the client's, unless it is
 * `success`, which is final. So `none` there is not older than the client's side. `quiet`: nothing can be under way,
 * because the last POST is older than the quiet time, or there was none. An expired invoice is not dead: LNbits still
 * pays it.
 */
export function decide(client: ClientSide, sourceWallet: SourceWalletSide, quiet: boolean): Decision {
  if (sourceWallet === 'pending') return whilePending;
  if (client === 'gone') return hold("the client's wallet does not answer to its key any more");
  if (client === 'unseen') {
    if (sourceWallet !== 'success') return hold(UNSEEN);
    return hold(`paid from the source wallet; whether it arrived cannot be seen: ${UNSEEN}`);
  }
  if (sourceWallet === 'success') {
    if (client === 'arrived') return { do: 'settle' };
    if (client === 'none')
      return hold("paid from the source wallet, but the client's wallet does not show it");
    if (!quiet) return { do: 'wait', reason: `paid from the source wallet, the client's side is ${client}` };
    return hold(`debited, not credited: the client's side is ${client}`);
  }
  switch (client) {
    case 'pending':
      return { do: 'send' };
    case 'failed':
      if (!quiet) return { do: 'wait', reason: 'the invoice failed, but its payment may still be under way' };
      return { do: 'abandon', reason: 'LNbits will not pay this invoice any more' };
    case 'arrived':
      return hold('arrived at the client, but not from the source wallet');
    case 'wrong-amount':
      return hold('the client shows another amount, and the source wallet shows no payment');
    case 'none':
      return hold("LNbits does not know the invoice that the client's wallet made");
  }
}

function hold(reason: string): Decision {
  return { do: 'hold', reason };
}
