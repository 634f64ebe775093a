import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { NoPermission } from './answer.ts';
import type { LnbitsClient, LnbitsInvoice } from './wallet-client.ts';

const TAG = 'aio-dca-check';
const MEMO = 'aio-dca-bridge tests that a key can receive and see payments. Nothing has to be paid.';

/**
 * Tests whether a key of either kind can do what a run needs: it makes an invoice, and finds it again. Returns that
 * invoice, with the id of its wallet, which the key of a shared wallet does not tell otherwise. The invoice is of 1
 * sat, never paid, and expires within a minute; LNbits keeps it as unpaid.
 *
 * Throws `lnbits/rights` if the key may not do both (keys of shared wallets, LNbits 1.4 and later), and what the client
 * throws.
 */
export async function proveRights(lnbits: LnbitsClient, key: Secret): Promise<LnbitsInvoice> {
  const test = { sats: 1n, memo: MEMO, expirySeconds: 60, extra: { tag: TAG } };
  const made = await lnbits.createInvoice(key, test).catch(explain);
  if (await lnbits.find(key, made.hash)) return made;
  throw lacksRight(
    'the key makes invoices, but does not see them: it may not view the payments of its wallet',
  );
}

/**
 * Whether a key that does not show a payment would show it if it existed. Only then does its absence count. Throws what
 * the client throws, `lnbits/rights` excepted.
 */
export async function seesPayments(lnbits: LnbitsClient, key: Secret): Promise<boolean> {
  try {
    await proveRights(lnbits, key);
    return true;
  } catch (error) {
    if (error instanceof BridgeError && (error.code === 'lnbits/rights' || error.code === 'lnbits/refused'))
      return false;
    throw error;
  }
}

/** The same; an earlier test invoice that the key shows is enough. */
export async function stillSeesPayments(lnbits: LnbitsClient, key: Secret): Promise<boolean> {
  const { payments } = await lnbits.newest(key, { tag: TAG, limit: 1, offset: 0 });
  return payments.length > 0 || (await seesPayments(lnbits, key));
}

function explain(error: unknown): never {
  throw (error instanceof BridgeError && lacksRightToReceive(error)) || error;
}

/** The error for an invoice that the key has no right to make: no retry helps. Undefined for any other refusal. */
export function lacksRightToReceive(error: BridgeError): BridgeError | undefined {
  return error instanceof NoPermission ? lacksRight(error.message) : undefined;
}

function lacksRight(message: string): BridgeError {
  return new BridgeError(
    'lnbits/rights',
    message,
    'Use a key of the wallet itself, or let its owner grant the shared one to view and to receive payments.',
  );
}
