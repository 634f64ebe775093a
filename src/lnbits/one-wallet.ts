import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import { FellOver, TooLarge } from './answer.ts';
import { stillSeesPayments } from './rights.ts';
import { taggedPayments } from './tagged-payments.ts';
import type { LnbitsClient, WalletPayment } from './wallet-client.ts';

/* One wallet of many: if it cannot be read, the others go on, and "could not read" never counts as "no payments". */

/** Why a wallet could not be read, as the end of a sentence about it. */
export class Unseen {
  readonly why: string;
  /** LNbits does not accept the wallet's key, so the wallet cannot be paid either. */
  readonly gone: boolean;

  constructor(why: string, gone = false) {
    this.why = why;
    this.gone = gone;
  }
}

/**
 * Every payment with the bridge's tag in the wallet (see `taggedPayments`), or why the wallet cannot be read. If there
 * is none, the key has to prove that it would see one, unless `proven`. Throws errors of LNbits itself: a request with
 * the source wallet's key tells those apart.
 */
export async function paymentsIn(
  lnbits: LnbitsClient,
  sourceWalletKey: Secret,
  wallet: { id: string; key: Secret },
  { since = null, proven = false }: { since?: Instant | null; proven?: boolean } = {},
): Promise<WalletPayment[] | Unseen> {
  return await orUnseen(lnbits, sourceWalletKey, async () => {
    const shown = await taggedPayments(lnbits, wallet.key, since);
    if (shown.some(({ walletId }) => walletId !== wallet.id))
      return new Unseen('its key is the key of another wallet');
    if (shown.length > 0 || proven || (await stillSeesPayments(lnbits, wallet.key))) return shown;
    return new Unseen('its key does not show its payments');
  });
}

/** The result of `read`, or why this wallet cannot be read. Throws errors of LNbits itself. */
export async function orUnseen<T>(
  lnbits: LnbitsClient,
  sourceWalletKey: Secret,
  read: () => Promise<T>,
): Promise<T | Unseen> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (error.code === 'lnbits/key') return new Unseen('it does not answer to its key', true);
    if (error.code === 'lnbits/refused') return new Unseen(`LNbits does not show it: ${error.message}`);
    if (!(error instanceof FellOver)) throw error;
    await lnbits.wallet(sourceWalletKey);
    return new Unseen(
      error instanceof TooLarge ? 'it contains more than can be read' : 'LNbits crashes at it',
    );
  }
}
