import type { OpenPayout } from '../ledger/payouts/open.ts';
import { formatSats, wrapped } from './print.ts';

/** What another wallet of a recipient means for the payouts that are open, with `--json`. */
export function movedJson(payouts: OpenPayout[]) {
  return payouts.map(({ id, arrived, sent, unsent, refused }) => ({
    payout: `p${id}`,
    arrived_sats: arrived,
    former_wallet_sats: sent,
    new_wallet_sats: unsent + refused,
    refused_sats: refused,
  }));
}

/** The same for a person: a line for each payout. */
export function movedText(payouts: OpenPayout[]): string {
  if (payouts.length === 0) return 'No payout is open: whatever is paid from now on goes to the new wallet.';
  return payouts
    .map(({ id, arrived, sent, unsent, refused }) => {
      const what = [
        ...(arrived > 0n ? [`${formatSats(arrived)} have arrived in a former wallet`] : []),
        ...(sent > 0n ? [`${formatSats(sent)} were sent to the former wallet and stay with it`] : []),
        ...(unsent > 0n ? [`${formatSats(unsent)} go to the new wallet`] : []),
        ...(refused > 0n
          ? [
              `${formatSats(refused)} were refused by LNbits, and go to the new wallet once both wallets show that nothing came of it`,
            ]
          : []),
      ];
      return wrapped(`p${id}: ${what.join(', ')}.`);
    })
    .join('\n');
}
