import { readFileSync } from 'node:fs';
import type { Config } from '../config/load.ts';
import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { isSourceWallet, type WalletKey } from '../ledger/clients/wallets.ts';
import { decodeText, UTF16_HINT } from '../lib/text.ts';
import type { Invoice, LnbitsClient } from '../lnbits/client.ts';
import { proveRights } from '../lnbits/rights.ts';
import { usage } from './context.ts';

const FIELD = '--wallet-key-file';

/**
 * Reads a wallet's invoice key from a file and tests it at LNbits: with it a run has to make invoices and see them. Throws
 * `usage/invalid` for a file without one, a key that LNbits does not know, an admin key and the source wallet,
 * `lnbits/rights` for a key that may not do both, and what the LNbits client throws.
 */
export async function testedWalletKey(file: string, config: Config): Promise<WalletKey> {
  const key = readKey(file);
  const { LnbitsClient } = await import('../lnbits/client.ts');
  const lnbits = new LnbitsClient(config.lnbits);
  try {
    const { id } = await lnbits.wallet(key).catch(explain(file));
    if (id !== null) {
      throw usage(
        `${FIELD}: ${file} holds an admin key, which can empty the wallet.`,
        'Use the invoice key of the wallet: it can only receive.',
      );
    }
    // An invoice key is told the id of its wallet only with an invoice.
    const made = await proveRights(lnbits, key).catch(explain(file));
    if (await isInSourceWallet(lnbits, config, made)) throw isSourceWallet();
    return { id: made.walletId, key };
  } finally {
    await lnbits.close();
  }
}

/** The key that a file holds, and nothing else. Throws `usage/invalid`, naming `field`. */
export function readKey(file: string, field = FIELD): Secret {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw usage(
      `${field}: cannot read ${file} (${code}).`,
      'Name a file that holds the key and nothing else.',
    );
  }
  const text = decodeText(bytes)?.trim();
  if (text === undefined) throw usage(`${field}: ${file} is text in UTF-16.`, UTF16_HINT);
  if (/^[\x21-\x7e]{1,200}$/.test(text)) return new Secret(text);
  throw usage(
    `${field}: ${file} does not hold one key.`,
    'Copy the key from the wallet’s API info in LNbits into it, and nothing else.',
  );
}

function explain(file: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof BridgeError)) throw error;
    if (error.code === 'lnbits/rights')
      throw new BridgeError(error.code, `${FIELD}: ${file}: ${error.message}`, error.hint);
    if (error.code !== 'lnbits/key') throw error;
    throw usage(
      `${FIELD}: LNbits does not know the key in ${file}.`,
      'Copy the invoice key again from the wallet’s API info in LNbits, and check [lnbits] url.',
    );
  };
}

/**
 * Whether an invoice is in the source wallet: a key onto a shared wallet names an id of its own, and is shown what is in
 * the wallet that it pays from. False where the source wallet's key cannot be read or used here: each run looks once more.
 */
async function isInSourceWallet(
  lnbits: LnbitsClient,
  { lnbits: { sourceWalletKey: source } }: Config,
  { hash, walletId }: Invoice,
): Promise<boolean> {
  try {
    const { id } = await lnbits.wallet(source);
    return id === walletId || (await lnbits.find(source, hash)) !== null;
  } catch (error) {
    if (error instanceof BridgeError && (error.code === 'config/secret' || error.code === 'lnbits/key')) {
      return false;
    }
    throw error;
  }
}
