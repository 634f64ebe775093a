import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { LnbitsVersion, Permission, ServiceFee, WalletKeys } from './lnbits.ts';

/** A row of LNbits' `apipayments`, under the names of its JSON. Amounts are whole msat, as LNbits has them. */
export interface PaymentRow {
  checking_id: string;
  payment_hash: string;
  wallet_id: string;
  amount: number;
  fee: number;
  bolt11: string;
  payment_request?: string;
  status: 'success' | 'pending' | 'failed';
  memo: string;
  tag: string | null;
  extra: Record<string, unknown>;
  time: string;
  expiry: string;
}

export interface WalletRow extends WalletKeys {
  name: string;
  deleted: boolean;
  /** Keys of another user for the shared wallet `of`. */
  shared?: { of: string; permissions: Permission[] };
}

/**
 * How a payment goes wrong inside LNbits: it stays pending or fails on the payer's side, 0 sat are credited, or only
 * the debit is written.
 */
export type PayFault = 'pending' | 'failed' | 'credit-zero' | 'debit-only';

/** An answer of LNbits that is not a 2xx. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, detail: unknown, state?: string) {
    super(String(detail));
    this.status = status;
    this.body = state ? { detail, status: state } : { detail };
  }
}

/** LNbits was stopped between two commits; nobody is there to answer. */
export class Stopped extends Error {}

const MAX_SATS = 10_000_000;

/** The wallets and payments of a simulated LNbits, with the rules that were read in LNbits 1.0.0 and 1.6.2. */
export class LnbitsBooks {
  readonly version: LnbitsVersion;
  readonly wallets: WalletRow[];
  readonly payments: PaymentRow[];
  serviceFee: ServiceFee | null = null;
  readonly #busy = new Map<string, Promise<unknown>>();
  #starts = 0;

  /** `like`: with its wallets and payments as they are now. */
  constructor(version: LnbitsVersion, like?: LnbitsBooks) {
    this.version = version;
    this.wallets = structuredClone(like?.wallets ?? []);
    this.payments = structuredClone(like?.payments ?? []);
  }

  createWallet(name: string): WalletRow {
    const wallet = { id: id(), adminkey: id(), inkey: id(), name, deleted: false };
    this.wallets.push(wallet);
    return wallet;
  }

  wallet(walletId: string): WalletRow {
    const wallet = this.wallets.find((row) => row.id === walletId);
    if (!wallet) throw new Error(`no wallet ${walletId}`);
    return wallet;
  }

  share(of: string, permissions: Permission[]): WalletRow {
    return Object.assign(this.createWallet(this.wallet(of).name), { shared: { of, permissions } });
  }

  walletOf(key: string): WalletRow | undefined {
    return this.wallets.find((row) => !row.deleted && (row.adminkey === key || row.inkey === key));
  }

  /** Whether its keys may do this; and the wallet that they are for. */
  #for(wallet: WalletRow, permission: Permission): { may: boolean; id: string } {
    const { shared, id } = wallet;
    if (!shared) return { may: true, id };
    return { may: shared.permissions.includes(permission), id: shared.permissions.length ? shared.of : id };
  }

  balance(walletId: string): number {
    const { id } = this.#for(this.wallet(walletId), 'view-payments');
    return this.payments
      .filter((row) => row.wallet_id === id)
      .filter((row) => row.status === 'success' || (row.status === 'pending' && row.amount < 0))
      .reduce((sum, row) => sum + row.amount - Math.abs(row.fee), 0);
  }

  topUp(walletId: string, sats: number): void {
    const row = this.#add(
      this.wallet(walletId),
      sats * 1000,
      newBolt11(sats),
      hex(),
      {},
      sats < 0 ? 'Admin debit' : 'Admin credit',
    );
    row.status = 'success';
  }

  /**
   * As the superuser does it: `checked` runs first; then two commits, `between` runs between them, and the second
   * writes the whole row.
   */
  async credit(
    walletId: string,
    amount: number,
    between: () => Promise<void>,
    checked: () => Promise<void>,
  ): Promise<void> {
    const wallet = this.wallets.find((row) => row.id === walletId && !row.deleted);
    if (!wallet) throw new Refusal(404, 'Wallet not found.');
    if (amount > MAX_SATS) throw tooHigh(amount);
    const starts = this.#starts;
    await checked();
    if (starts !== this.#starts) throw new Stopped();
    const row = this.#add(wallet, amount * 1000, newBolt11(amount), hex(), {}, 'Admin credit');
    await between();
    if (starts !== this.#starts) throw new Stopped();
    row.status = 'success';
  }

  createInvoice(wallet: WalletRow, body: Record<string, unknown>): PaymentRow {
    const { amount, memo, expiry, extra } = body;
    if (typeof amount !== 'number' || amount < 0)
      throw this.#invalid('amount', 'ensure this value is greater than or equal to 0');
    if (typeof memo === 'string' && memo.length > 640)
      throw this.#invalid('memo', 'ensure this value has at most 640 characters');
    // A BOLT 11 description holds 1023 groups of five bits.
    if (Buffer.byteLength(String(memo ?? '')) > 639) {
      throw new Refusal(400, '64 is too large an unsigned integer for a bitstring of length 5.');
    }
    if (!this.#for(wallet, 'receive-payments').may)
      throw new Refusal(520, 'Wallet does not have permission to create invoices.', 'failed');
    if (amount === 0) throw new Refusal(520, 'Amountless invoices not supported.', 'failed');
    if (amount > MAX_SATS) throw tooHigh(amount);
    const row = this.#add(
      wallet,
      amount * 1000,
      newBolt11(amount),
      hex(),
      record(extra),
      String(memo ?? 'LNbits'),
    );
    row.expiry = time(Date.now() + Number(expiry ?? 3600) * 1000);
    return row;
  }

  /**
   * Pays from `wallet`. Debit and credit are two commits, `between` runs between them.
   * 1.6 does one payment of a wallet after the other; 1.0 does not.
   */
  async pay(
    wallet: WalletRow,
    bolt11: string,
    extra: unknown,
    fault: PayFault | null,
    between: () => Promise<void>,
    checked: () => Promise<void> = async () => {},
  ): Promise<PaymentRow> {
    const sats = satsOf(bolt11);
    if (sats === null) throw new Refusal(520, 'Bolt11 decoding failed.', 'failed');
    if (sats > MAX_SATS) throw tooHigh(sats);
    if (!this.#for(wallet, 'send-payments').may)
      throw new Refusal(520, 'Wallet does not have permission to pay invoices.', 'failed');
    const invoice = this.payments.find((row) => row.bolt11 === bolt11 && row.amount > 0);
    if (invoice?.status === 'success') throw new Refusal(520, 'Internal invoice already paid.', 'failed');

    if (this.version === '1.0.0')
      return await this.#pay(wallet, bolt11, sats, extra, fault, between, checked);
    const turn = (this.#busy.get(wallet.id) ?? Promise.resolve()).then(() =>
      this.#pay(wallet, bolt11, sats, extra, fault, between, checked),
    );
    this.#busy.set(
      wallet.id,
      turn.catch(() => {}),
    );
    return await turn;
  }

  async #pay(
    wallet: WalletRow,
    bolt11: string,
    sats: number,
    extra: unknown,
    fault: PayFault | null,
    between: () => Promise<void>,
    checked: () => Promise<void>,
  ): Promise<PaymentRow> {
    const msat = sats * 1000;
    const invoice = this.payments.find((row) => row.bolt11 === bolt11 && row.amount > 0);
    if (invoice?.status !== 'pending') return this.#payOutside(wallet, bolt11, msat, extra);
    const fee = this.#feeOf(msat);
    if (this.balance(wallet.id) < msat + fee) throw new Refusal(520, 'Insufficient balance.', 'failed');

    await checked();
    const internalId = `internal_${invoice.payment_hash}`;
    if (this.payments.some((row) => row.checking_id === internalId)) {
      throw new Refusal(400, 'Payment already exists');
    }
    const debit = this.#add(wallet, -msat, bolt11, invoice.payment_hash, record(extra), invoice.memo);
    debit.fee = fee;
    if (fault === 'pending' || fault === 'failed') {
      debit.status = fault;
      return debit;
    }
    debit.checking_id = internalId;
    debit.status = 'success';

    const starts = this.#starts;
    await between();
    if (starts !== this.#starts) throw new Stopped();

    if (fault === 'credit-zero') invoice.amount = 0;
    if (fault !== 'debit-only') invoice.status = 'success';
    if (this.version === '1.6.2' && this.wallet(invoice.wallet_id).deleted) {
      throw new Refusal(520, `Could not fetch wallet '${invoice.wallet_id}'.`, 'failed');
    }
    if (fee > 0) this.#receiveFee(debit, fee);
    return debit;
  }

  /** As `service_fee` of LNbits: a percentage in msat, rounded down. */
  #feeOf(msat: number): number {
    if (!this.serviceFee) return 0;
    const { percent, maxSats = 0 } = this.serviceFee;
    const share = Math.trunc((msat / 100) * percent);
    return maxSats > 0 ? Math.min(share, maxSats * 1000) : share;
  }

  /** A row of its own, under the hash of the payment. */
  #receiveFee({ bolt11, payment_hash }: PaymentRow, fee: number): void {
    const row = this.#add(
      this.wallet(this.serviceFee?.walletId ?? ''),
      fee,
      bolt11,
      payment_hash,
      {},
      'Service fee',
    );
    row.checking_id = `service_fee_${payment_hash}`;
    row.status = 'success';
  }

  /** An invoice that is not waiting here is tried on the Lightning network, where nobody knows it. */
  #payOutside(wallet: WalletRow, bolt11: string, msat: number, extra: unknown): PaymentRow {
    const reserve = Math.max(2000, Math.floor(msat / 100));
    if (this.version === '1.6.2' && this.balance(wallet.id) < msat)
      throw new Refusal(520, 'Insufficient balance.', 'failed');
    if (this.balance(wallet.id) < msat + reserve) {
      throw new Refusal(
        520,
        `You must reserve at least (${Math.round(reserve / 1000)}  sat) to cover potential routing fees.`,
        'failed',
      );
    }
    const known = this.payments.filter((row) => row.bolt11 === bolt11).sort((a, b) => a.amount - b.amount)[0];
    if (known?.status === 'success') throw new Refusal(520, 'Payment already paid.', 'success');
    if (known?.status === 'pending') throw new Refusal(520, 'Payment is still pending.', 'pending');
    // A failed try is looked up at the node, where the FakeWallet knows no payment and answers "pending".
    if (known && known.amount < 0) return known;
    if (known) throw new Refusal(520, 'Payment is failed node, retrying is not possible.', 'failed');
    const hash = createHash('sha256').update(bolt11).digest('hex');
    const row = this.#add(wallet, -msat, bolt11, hash, record(extra), '');
    row.fee = -reserve;
    row.status = 'failed';
    throw new Refusal(520, 'Payment failed: Only internal invoices can be used!', 'failed');
  }

  async list(
    wallet: WalletRow,
    query: URLSearchParams,
    between: () => Promise<void>,
  ): Promise<{ data: PaymentRow[]; total: number }> {
    const hash = query.get('payment_hash');
    const tag = query.get('tag');
    const memo = query.get('memo');
    const amount = query.get('amount');
    // To a key without the right to view, it answers that there are none.
    const { may, id: walletId } = this.#for(wallet, 'view-payments');
    let rows = this.payments
      .filter((row) => may && row.wallet_id === walletId)
      .filter((row) => (hash === null || row.payment_hash === hash) && (tag === null || row.tag === tag))
      .filter(
        (row) => (memo === null || row.memo === memo) && (amount === null || `${row.amount}` === amount),
      );
    if (query.get('sortby') === 'time') rows.sort((a, b) => (a.time < b.time ? -1 : 1));
    if (query.get('direction') === 'desc') rows.reverse();
    const found = rows.length;
    const offset = Number(query.get('offset') ?? 0);
    rows = rows.slice(offset, offset + Number(query.get('limit') ?? found));
    // 1.0 asks the funding source about every pending row it shows, and that one does not know internal invoices.
    if (this.version === '1.0.0') await this.#giveUp(rows, between);
    // A page without rows says that there are none, however many there are.
    return { data: structuredClone(rows), total: rows.length === 0 ? 0 : found };
  }

  /** GET /api/v1/payments/{hash}: in 1.6 a look-up that changes what it looks at. */
  async check(hash: string, between: () => Promise<void>): Promise<{ paid: boolean }> {
    const row = this.payments.find((payment) => payment.payment_hash === hash);
    if (!row) throw new Refusal(404, 'Payment does not exist.');
    if (this.version === '1.6.2') await this.#giveUp([row], between);
    return { paid: row.status === 'success' };
  }

  /** What LNbits does when it starts: unpaid invoices are dead, a payment under way stays where it was. */
  restarted(): void {
    this.#starts += 1;
    this.#busy.clear();
    for (const row of this.payments.filter(isUnpaid)) row.status = 'failed';
  }

  /** Marks the invoices that it finds unpaid as failed, and overwrites a payment that happens meanwhile. */
  async #giveUp(rows: PaymentRow[], between: () => Promise<void>): Promise<void> {
    const unpaid = rows.filter(isUnpaid);
    if (unpaid.length === 0) return;
    await between();
    for (const row of unpaid) row.status = 'failed';
  }

  #add(
    wallet: WalletRow,
    msat: number,
    bolt11: string,
    hash: string,
    extra: Record<string, unknown>,
    memo: string,
  ): PaymentRow {
    const row: PaymentRow = {
      checking_id: hash,
      payment_hash: hash,
      wallet_id: this.#for(wallet, 'receive-payments').id,
      amount: msat,
      fee: 0,
      bolt11,
      ...(this.version === '1.6.2' && { payment_request: bolt11 }),
      status: 'pending',
      memo,
      tag: typeof extra.tag === 'string' ? extra.tag : null,
      extra,
      time: time(Date.now()),
      expiry: time(Date.now() + 3_600_000),
    };
    this.payments.push(row);
    return row;
  }

  #invalid(field: string, msg: string): Refusal {
    const list = [{ loc: ['body', field], msg, type: 'value_error' }];
    return new Refusal(
      400,
      this.version === '1.0.0' ? `1 validation error for Request\nbody -> ${field}\n  ${msg}` : list,
    );
  }
}

function isUnpaid({ status, amount }: PaymentRow): boolean {
  return status === 'pending' && amount > 0;
}

function tooHigh(sats: number): Refusal {
  return new Refusal(
    520,
    `Invoice amount ${sats} sats is too high. Max allowed: ${MAX_SATS} sats.`,
    'failed',
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export const id = () => randomUUID().replaceAll('-', '');
const hex = () => randomBytes(32).toString('hex');

function time(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000+00:00');
}

/** The amount is where BOLT 11 has it, in nano-bitcoin (tenths of a satoshi); the rest only has to be unique. */
function newBolt11(sats: number): string {
  return `lnbc${sats * 10}n1p${hex()}${hex()}`;
}

function satsOf(bolt11: string): number | null {
  const [, amount, unit = ''] = /^lnbc(\d+)([mun])1[a-z0-9]{50,}$/.exec(bolt11) ?? [];
  const msatPerUnit = { m: 100_000_000, u: 100_000, n: 100 }[unit];
  return amount && msatPerUnit ? Math.floor((Number(amount) * msatPerUnit) / 1000) : null;
}
