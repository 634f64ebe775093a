import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Invoice, LnbitsClient } from './client.ts';

const TAG = 'aio-dca-check';
const MEMO = 'aio-dca-bridge tests that a key can receive and see payments. Nothing has to be paid.';

/**
 * Proves with a key of either kind what a run needs it for: it makes an invoice, and finds it again. Answers that
 * invoice, with the id of the wallet that it is in, which a key onto a shared wallet does not tell otherwise. It is of 1 sat, never paid, and expires within a minute; LNbits keeps it as unpaid.
 *
 * Throws `lnbits/rights` where the key may not do both, which keys of shared wallets (LNbits 1.4 and later) may not
 * always; and what the client throws.
 */
export async function proveRights(lnbits: LnbitsClient, key: Secret): Promise<Invoice> {
  const test = { sats: 1n, memo: MEMO, expirySeconds: 60, extra: { tag: TAG } };
  const made = await lnbits.createInvoice(key, test).catch(explain);
  if (await lnbits.find(key, made.hash)) return made;
  throw lacksRight(
    'the key makes invoices, but does not see them: it may not view the payments of its wallet',
  );
}

/**
 * Whether a key that does not find a payment would have seen it: an absence counts only where it would.
 * Throws what the client throws, `lnbits/rights` excepted.
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

/** The same; where the key shows the test of an earlier time, without another one. */
export async function stillSeesPayments(lnbits: LnbitsClient, key: Secret): Promise<boolean> {
  const { payments } = await lnbits.newest(key, { tag: TAG, limit: 1, offset: 0 });
  return payments.length > 0 || (await seesPayments(lnbits, key));
}

function explain(error: unknown): never {
  throw (error instanceof BridgeError && lacksRightToReceive(error)) || error;
}

/** An invoice that LNbits refuses for what its key may not do: no retry helps. Undefined for any other refusal. */
export function lacksRightToReceive({ code, message }: BridgeError): BridgeError | undefined {
  return code === 'lnbits/refused' && /permission/i.test(message) ? lacksRight(message) : undefined;
}

function lacksRight(message: string): BridgeError {
  return new BridgeError(
    'lnbits/rights',
    message,
    'Use a key of the wallet itself, or let its owner grant the shared one to view and to receive payments.',
  );
}
