import type { Secret } from '../config/secret.ts';
import type { Instant } from '../time.ts';
import type { LnbitsClient, WalletPayment } from './wallet-client.ts';

/**
 * Every payment of a wallet with the bridge's tag, newest first, each once, if it existed during the whole reading.
 * With `since`: those made at or after it, and perhaps some older ones. `key` may be of either kind. Throws what the
 * client throws.
 */
export async function taggedPayments(
  lnbits: LnbitsClient,
  key: Secret,
  since: Instant | null = null,
): Promise<WalletPayment[]> {
  const payments: WalletPayment[] = [];
  for await (const page of lnbits.tagged(key, 'aio-dca')) {
    payments.push(...page);
    const oldest = page.at(-1)?.time;
    if (since !== null && oldest && oldest < since) break;
  }
  return payments;
}
