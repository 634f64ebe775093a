import type { Config } from '../../config/config.ts';
import { BridgeError } from '../../errors.ts';

/** What this process cannot do for want of a key, each with a sentence why; null: it can. */
export interface MissingKeys {
  /** To pay, and to look at the source wallet. */
  sourceWallet: string | null;
  /** To reach Lamassu. */
  lamassu: string | null;
}

/**
 * The sites work without the key of the source wallet and the SSH key, which is safer where others reach them. A page
 * leaves out what needs them, and says why.
 */
export function missingKeys({ lnbits, lamassu }: Pick<Config, 'lnbits' | 'lamassu'>): MissingKeys {
  return {
    sourceWallet: whyMissing(() => lnbits.sourceWalletKey),
    lamassu: whyMissing(() => lamassu.ssh?.privateKey) ?? whyMissing(() => lamassu.password),
  };
}

function whyMissing(key: () => unknown): string | null {
  try {
    key();
    return null;
  } catch (error) {
    if (error instanceof BridgeError) return `${error.text}`;
    throw error;
  }
}
