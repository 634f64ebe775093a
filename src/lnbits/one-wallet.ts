import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import { FellOver, TooLarge } from './answer.ts';
import type { LnbitsClient, WalletPayment } from './client.ts';
import { taggedPayments } from './history.ts';
import { stillSeesPayments } from './rights.ts';

/* One wallet of many: what cannot be told of it stops nothing that concerns the others, and is never taken for "nothing". */

/** Why a wallet could not be looked at, as the end of a sentence about it. */
export class Unseen {
  readonly why: string;
  /** LNbits does not accept the wallet's key, so nothing can be paid into it either. */
  readonly gone: boolean;

  constructor(why: string, gone = false) {
    this.why = why;
    this.gone = gone;
  }
}

/**
 * Every payment of the bridge's tag that the wallet shows, as `taggedPayments` has them; or why it cannot be told. Where
 * there are none, the key has to show that it would see one, unless `proven`. Throws what concerns LNbits itself: by the
 * key of the source wallet it is found out.
 */
export async function paymentsIn(
  lnbits: LnbitsClient,
  source: Secret,
  wallet: { id: string; key: Secret },
  { since = null, proven = false }: { since?: Instant | null; proven?: boolean } = {},
): Promise<WalletPayment[] | Unseen> {
  return await orUnseen(lnbits, source, async () => {
    const shown = await taggedPayments(lnbits, wallet.key, since);
    if (shown.some(({ walletId }) => walletId !== wallet.id))
      return new Unseen('its key is the key of another wallet');
    if (shown.length > 0 || proven || (await stillSeesPayments(lnbits, wallet.key))) return shown;
    return new Unseen('its key does not show its payments');
  });
}

/** What a look at one wallet comes to, or why LNbits does not show it. Throws what concerns LNbits itself. */
export async function orUnseen<T>(
  lnbits: LnbitsClient,
  source: Secret,
  read: () => Promise<T>,
): Promise<T | Unseen> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (error.code === 'lnbits/key') return new Unseen('it does not answer to its key', true);
    if (error.code === 'lnbits/refused') return new Unseen(`LNbits does not show it: ${error.message}`);
    if (!(error instanceof FellOver)) throw error;
    await lnbits.wallet(source);
    return new Unseen(
      error instanceof TooLarge ? 'more is written in it than can be read' : 'LNbits falls over at it',
    );
  }
}
