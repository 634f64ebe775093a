import type * as z from 'zod';
import { formatSats } from '../../dca/money.ts';
import type { openPayoutView } from '../../views/fields.ts';
import { wrapped } from '../terminal/wrap.ts';

/** What a recipient's new wallet means for the open payouts, a line for each. */
export function movedPage(payouts: z.output<typeof openPayoutView>[]): string {
  if (payouts.length === 0) return 'No payout is open: whatever is paid from now on goes to the new wallet.';
  return payouts
    .map(({ payout, ...sats }) => {
      const { arrived_sats: arrived, former_wallet_sats: former, refused_sats: refused } = sats;
      const unsent = sats.new_wallet_sats - refused;
      const what = [
        ...(arrived > 0n ? [`${formatSats(arrived)} have arrived in a former wallet`] : []),
        ...(former > 0n ? [`${formatSats(former)} were sent to the former wallet and stay with it`] : []),
        ...(unsent > 0n ? [`${formatSats(unsent)} go to the new wallet`] : []),
        ...(refused > 0n
          ? [
              `${formatSats(refused)} were refused by LNbits, and go to the new wallet once both wallets show that nothing was paid`,
            ]
          : []),
      ];
      return wrapped(`${payout}: ${what.join(', ')}.`);
    })
    .join('\n');
}
