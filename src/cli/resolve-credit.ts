import type { Config } from '../config/load.ts';
import { BridgeError } from '../errors.ts';
import type { Credit } from '../ledger/credits.ts';
import type { Db } from '../ledger/open.ts';
import type { Payment } from '../lnbits/client.ts';
import { openSourceWallet } from '../payouts/context.ts';
import { possiblePayments } from '../payouts/credit.ts';
import { usage } from './context.ts';
import { formatSats } from './print.ts';

/**
 * Whether LNbits bears out that a payment which a person names is this credit. Answers why it cannot be asked, null
 * where it does. Throws `usage/invalid`, which names the payments that the credit can be, where it does not.
 */
export async function doubtOfPayment(
  config: Config,
  db: Db,
  credit: Credit,
  payment: string,
): Promise<string | null> {
  const shown = await look(config, credit);
  if (typeof shown === 'string') return `Whether ${payment} is that credit cannot be seen (${shown}).`;
  const possible = (await possiblePayments(db, credit, shown)).map(({ hash }) => hash);
  if (possible.includes(payment)) return null;
  throw usage(
    `--payment: ${payment} is not c${credit.id}, which is an “Admin credit” of ${formatSats(credit.sats)} in the source wallet, since its cash-outs, of which no other credit is known.`,
    possible.length === 0
      ? `LNbits shows none. Was it not made: aio-dca credits resolve c${credit.id} --not-credited --reason "…"`
      : `It can be ${possible.join(' or ')}`,
  );
}

/** The credits of that amount in the source wallet, or why they cannot be seen. */
async function look(
  { lnbits: { url, sourceWalletKey } }: Config,
  credit: Credit,
): Promise<Payment[] | string> {
  try {
    const { lnbits, source } = await openSourceWallet(url, sourceWalletKey);
    try {
      if (source.walletId !== credit.wallet_id) return 'it is of another source wallet';
      return await lnbits.credits(source.key, credit.sats);
    } finally {
      await lnbits.close();
    }
  } catch (error) {
    if (error instanceof BridgeError && /^(lnbits|config)\//.test(error.code)) return error.message;
    throw error;
  }
}
