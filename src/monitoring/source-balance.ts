import type { Config } from '../config/load.ts';
import { BridgeError } from '../errors.ts';

/** For one answer of LNbits; a look must not take long. */
const DEADLINE_MS = 2_000;

/** What the source wallet holds, in sats, or why LNbits could not be asked. */
export async function sourceBalance(config: Config): Promise<{ balance: bigint } | { problem: BridgeError }> {
  try {
    const { url, ca, sourceWalletKey: key } = config.lnbits;
    const { LnbitsClient } = await import('../lnbits/client.ts');
    const lnbits = new LnbitsClient({ url, ca, deadlineMs: DEADLINE_MS });
    try {
      return { balance: (await lnbits.wallet(key)).balanceMsat / 1000n };
    } finally {
      await lnbits.close();
    }
  } catch (error) {
    if (error instanceof BridgeError) return { problem: error };
    throw error;
  }
}
