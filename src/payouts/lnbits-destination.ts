import type { Secret } from '../config/secret.ts';
import type { WalletKey } from '../ledger/wallets/wallets.ts';
import { seesPayments } from '../lnbits/rights.ts';
import type { LnbitsClient } from '../lnbits/wallet-client.ts';
import {
  type ClientSide,
  type Debit,
  type Destination,
  type Invoice,
  type InvoiceRequest,
  isGone,
} from './destination.ts';

/** Wallets of one LNbits, paid from the wallet of the admin key `sourceWalletKey`. */
export class LnbitsDestination implements Destination {
  readonly #lnbits: LnbitsClient;
  readonly #sourceWalletKey: Secret;

  constructor(lnbits: LnbitsClient, sourceWalletKey: Secret) {
    this.#lnbits = lnbits;
    this.#sourceWalletKey = sourceWalletKey;
  }

  invoice(key: Secret, request: InvoiceRequest): Promise<Invoice> {
    return this.#lnbits.createInvoice(key, request);
  }

  async shows(key: Secret, hash: string): Promise<boolean> {
    return (await this.#lnbits.find(key, hash)) !== null;
  }

  pay(payment: { bolt11: string; extra: Record<string, unknown> }): Promise<Debit> {
    return this.#lnbits.pay(this.#sourceWalletKey, payment);
  }

  sourceWalletSide(hash: string): Promise<Debit | null> {
    return this.#lnbits.find(this.#sourceWalletKey, hash);
  }

  /** If the key that made the invoice finds no payment, it has to show that it would have seen one. */
  async clientSide(
    { id, key }: WalletKey,
    { payment_hash, sats }: { payment_hash: string; sats: bigint },
  ): Promise<ClientSide> {
    try {
      const side = await this.#lnbits.find(key, payment_hash);
      if (!side) return (await seesPayments(this.#lnbits, key)) ? 'none' : 'unseen';
      if (side.walletId !== id) return 'gone';
      if (side.status !== 'success') return side.status;
      return side.amountMsat === sats * 1000n && side.feeMsat === 0n ? 'arrived' : 'wrong-amount';
    } catch (error) {
      if (isGone(error)) return 'gone';
      throw error;
    }
  }

  async answers(key: Secret): Promise<boolean> {
    try {
      await this.#lnbits.wallet(key);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }
}
