import type { Config } from '../config/config.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../time.ts';

/** The deadline of one request to LNbits, in ms: status and metrics must not take long. */
const DEADLINE_MS = 2_000;

/** The balance of the source wallet, in sats, or why LNbits did not tell it. */
export async function sourceWalletBalance(
  lnbits: Config['lnbits'],
  clock: Clock,
): Promise<{ balance: bigint } | { problem: BridgeError }> {
  try {
    const { url, ca, sourceWalletKey: key } = lnbits;
    const { LnbitsClient } = await import('../lnbits/wallet-client.ts');
    const client = new LnbitsClient({ url, ca, deadlineMs: DEADLINE_MS }, clock);
    try {
      return { balance: (await client.wallet(key)).balanceMsat / 1000n };
    } finally {
      await client.close();
    }
  } catch (error) {
    if (error instanceof BridgeError) return { problem: error };
    throw error;
  }
}
