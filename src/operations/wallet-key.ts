import type { Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import { BridgeError, invalid } from '../errors.ts';
import { isSourceWallet, type WalletKey } from '../ledger/wallets/wallets.ts';
import { proveRights } from '../lnbits/rights.ts';
import type { LnbitsClient, LnbitsInvoice } from '../lnbits/wallet-client.ts';
import type { Clock } from '../time.ts';

const FIELD = 'wallet_key';

/**
 * Tests a wallet's invoice key at LNbits: with it a run has to make invoices and see them. Throws `usage/invalid` for a
 * key that LNbits does not know, an admin key and the source wallet, `lnbits/rights` for a key that may not do both,
 * and what the LNbits client throws.
 */
export async function testedWalletKey(
  key: Secret,
  config: Pick<Config, 'lnbits'>,
  clock: Clock,
): Promise<WalletKey> {
  const { LnbitsClient } = await import('../lnbits/wallet-client.ts');
  const lnbits = new LnbitsClient(config.lnbits, clock);
  try {
    const { id } = await lnbits.wallet(key).catch(ofThisKey);
    if (id !== null) {
      throw invalid(
        FIELD,
        'it is an admin key, which can empty the wallet',
        'Use the invoice key of the wallet: it can only receive.',
      );
    }
    // LNbits tells an invoice key the id of its wallet only with an invoice.
    const made = await proveRights(lnbits, key).catch(ofThisKey);
    if (await isInSourceWallet(lnbits, config, made)) throw isSourceWallet();
    return { id: made.walletId, key };
  } finally {
    await lnbits.close();
  }
}

function ofThisKey(error: unknown): never {
  if (!(error instanceof BridgeError)) throw error;
  if (error.code === 'lnbits/rights')
    throw new BridgeError(error.code, error.text, error.hint, { field: FIELD });
  if (error.code !== 'lnbits/key') throw error;
  throw invalid(
    FIELD,
    'LNbits does not know the key',
    'Copy the invoice key again from the wallet’s “API keys” in LNbits, and check [lnbits] url.',
  );
}

/**
 * Whether an invoice is in the source wallet: the key of a shared wallet has an id of its own, but shows the payments
 * of the wallet that it pays from. False if the source wallet's key cannot be read or used here: each run checks again.
 */
async function isInSourceWallet(
  lnbits: LnbitsClient,
  { lnbits: { sourceWalletKey } }: Pick<Config, 'lnbits'>,
  { hash, walletId }: LnbitsInvoice,
): Promise<boolean> {
  try {
    const { id } = await lnbits.wallet(sourceWalletKey);
    return id === walletId || (await lnbits.find(sourceWalletKey, hash)) !== null;
  } catch (error) {
    if (error instanceof BridgeError && (error.code === 'config/secret' || error.code === 'lnbits/key')) {
      return false;
    }
    throw error;
  }
}
