import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Payment } from '../ledger/payouts/payouts.ts';
import type { WalletKey } from '../ledger/wallets/wallets.ts';

/**
 * Where recipients are paid: it makes an invoice, pays it, and shows evidence of the payment. It keeps no state and
 * decides nothing about money; decide.ts does.
 *
 * Errors are BridgeErrors: `lnbits/key` if a wallet does not answer to its key, `lnbits/refused`, and the others of the
 * LNbits client. After any of them a payment may have taken effect.
 */
export interface Destination {
  /** Makes an invoice in the wallet of a key. */
  invoice(key: Secret, request: InvoiceRequest): Promise<Invoice>;
  /** Whether a key shows an invoice that it made. */
  shows(key: Secret, hash: string): Promise<boolean>;
  /** Pays an invoice from the source wallet, by one request or none. A success does not prove that it arrived. */
  pay(payment: { bolt11: string; extra: Record<string, unknown> }): Promise<Debit>;
  /** The source wallet's side of a payment; null: it answered, and shows none. */
  sourceWalletSide(hash: string): Promise<Debit | null>;
  /** The client's side of a payment to this wallet. */
  clientSide(wallet: WalletKey, payment: Pick<Payment, 'payment_hash' | 'sats'>): Promise<ClientSide>;
  /** Whether the wallet of a key is there. Reads no payments, so it changes nothing on any LNbits. */
  answers(key: Secret): Promise<boolean>;
}

export interface InvoiceRequest {
  sats: bigint;
  /** The text that the owner of the wallet reads. */
  memo: string;
  expirySeconds: number;
  /** What both sides of the payment carry. */
  extra: Record<string, unknown>;
}

export interface Invoice {
  hash: string;
  bolt11: string;
  /** The wallet that it was made in. */
  walletId: string;
}

/** A payment in the source wallet. `feeMsat`: what it cost on top, in msat. */
export interface Debit {
  status: 'success' | 'pending' | 'failed';
  feeMsat: bigint;
}

export type SourceWalletSide = Debit['status'] | 'none';

/**
 * What a client's wallet shows of one payment. `arrived`: the exact amount, without a fee, as a success. `none`: it
 * answered that there is no such payment. `gone`: there is no such wallet. `unseen`: no payment, but the key does not
 * show its own new invoice either, so the client's side is unknown.
 */
export type ClientSide = 'arrived' | 'pending' | 'failed' | 'wrong-amount' | 'none' | 'unseen' | 'gone';

/** The wallet does not answer to its key: it was deleted, or its keys were reset. */
export function isGone(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'lnbits/key';
}
