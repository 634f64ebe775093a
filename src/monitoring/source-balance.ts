import type { Config } from '../config/load.ts';
import { BridgeError } from '../errors.ts';

/** For one answer of LNbits; a look must not take long. */
const DEADLINE_MS = 2_000;

/** What the source wallet holds, in sats, or why LNbits could not be asked. */
export async function sourceBalance(
  lnbits: Config['lnbits'],
): Promise<{ balance: bigint } | { problem: BridgeError }> {
  try {
    const { url, ca, sourceWalletKey: key } = lnbits;
    const { LnbitsClient } = await import('../lnbits/client.ts');
    const client = new LnbitsClient({ url, ca, deadlineMs: DEADLINE_MS });
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
