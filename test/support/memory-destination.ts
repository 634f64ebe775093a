import type { Secret } from '../../src/config/secret.ts';
import { BridgeError } from '../../src/errors.ts';
import type { WalletKey } from '../../src/ledger/wallets/wallets.ts';
import type {
  ClientSide,
  Debit,
  Destination,
  Invoice,
  InvoiceRequest,
  SourceSide,
} from '../../src/payouts/destination.ts';

/** A payment as both of its wallets show it, and how often it was sent. */
interface Shown {
  walletId: string;
  source: SourceSide;
  client: ClientSide;
  posts: number;
}

/** A destination without an LNbits: what its wallets show of each payment, by hash, is there to be read and changed. */
export class MemoryDestination implements Destination {
  readonly payments = new Map<string, Shown>();
  /** So many answers to a payment are lost after it took effect. */
  lost = 0;

  /** The wallet of `key` is `wallet of KEY`. */
  async invoice(key: Secret, _request: InvoiceRequest): Promise<Invoice> {
    const hash = `hash ${this.payments.size + 1}`;
    const walletId = `wallet of ${key.reveal()}`;
    this.payments.set(hash, { walletId, source: 'none', client: 'pending', posts: 0 });
    return { hash, bolt11: hash, walletId };
  }

  async shows(_key: Secret, hash: string): Promise<boolean> {
    return this.payments.has(hash);
  }

  async pay({ bolt11 }: { bolt11: string }): Promise<Debit> {
    const payment = this.#payment(bolt11);
    payment.posts += 1;
    if (payment.client !== 'pending') throw new BridgeError('lnbits/refused', `it is ${payment.client}`);
    Object.assign(payment, { source: 'success', client: 'arrived' });
    if (this.lost === 0) return { status: 'success', feeMsat: 0n };
    this.lost -= 1;
    throw new BridgeError('lnbits/unreachable', 'the answer is lost');
  }

  async sourceSide(hash: string): Promise<Debit | null> {
    const { source } = this.#payment(hash);
    return source === 'none' ? null : { status: source, feeMsat: 0n };
  }

  async clientSide(_wallet: WalletKey, { payment_hash }: { payment_hash: string }): Promise<ClientSide> {
    return this.#payment(payment_hash).client;
  }

  async answers(key: Secret): Promise<boolean> {
    const its = [...this.payments.values()].filter(
      ({ walletId }) => walletId === `wallet of ${key.reveal()}`,
    );
    return its.every(({ client }) => client !== 'gone');
  }

  #payment(hash: string): Shown {
    const payment = this.payments.get(hash);
    if (!payment) throw new Error(`nobody made an invoice ${hash}`);
    return payment;
  }
}
