import type * as z from 'zod';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { unreachable } from './answer.ts';
import { Http, type LnbitsPlace } from './http.ts';
import { pagesOf } from './pages.ts';
import {
  type Invoice,
  invoiceShape,
  openApiShape,
  pageShape,
  paymentShape,
  type Wallet,
  type WalletPayment,
  walletShape,
} from './shapes.ts';

export type { LnbitsPlace } from './http.ts';
export type { Invoice, PaymentStatus, Wallet, WalletPayment } from './shapes.ts';

export interface LnbitsOptions extends LnbitsPlace {
  /** For a whole answer, headers and body; a payment takes longest. */
  deadlineMs?: number;
  payDeadlineMs?: number;
  /** The first pause between two tries of a GET; the second is twice as long. */
  backoffMs?: number;
  /** The largest answer that is read. */
  maxBytes?: number;
}

const PAYMENTS = '/api/v1/payments';
/** How LNbits 1.0 to 1.6 mark what a superuser put into a wallet; nothing else sets it apart. */
const CREDIT_MEMO = 'Admin credit';
/** And what a superuser took out of it. */
const DEBIT_MEMO = 'Admin debit';
const PAGINATED = '/api/v1/payments/paginated';

/**
 * The HTTP calls to one LNbits (1.0 to 1.6), nothing else: no state, no decision about money.
 *
 * Every failure is a BridgeError: `lnbits/unreachable` (no answer that can be relied on), `lnbits/rate-limited`
 * (a `RateLimited` with `retryAfterMs`), `lnbits/key`, `lnbits/refused` (LNbits said no, and why), `lnbits/version`,
 * `lnbits/tls`, `lnbits/redirect`, `lnbits/proxy` (something in front of it denied the request).
 * After ANY of them `pay` may have taken effect: only a look-up tells.
 *
 * `GET /api/v1/payments/{hash}` is never called: on an unpaid internal invoice it marks the invoice as failed.
 */
export class LnbitsClient {
  readonly #http: Http;
  readonly #deadlineMs: number;
  readonly #payDeadlineMs: number;

  constructor({
    url,
    ca,
    deadlineMs = 12_000,
    payDeadlineMs = 30_000,
    backoffMs = 250,
    maxBytes = 5_000_000,
  }: LnbitsOptions) {
    this.#http = new Http({ url, ca }, maxBytes, backoffMs);
    this.#deadlineMs = deadlineMs;
    this.#payDeadlineMs = payDeadlineMs;
  }

  /** LNbits' version, such as `1.6.2`. Throws `lnbits/version` for 0.12 and older, which have another API. */
  async version(): Promise<string> {
    const path = '/openapi.json';
    const { info } = read(path, openApiShape, await this.#http.get(path, {}, null, this.#deadlineMs));
    if (/^v?0\./.test(info.version)) throw tooOld(info.version.replace(/[^\w.-]/g, '').slice(0, 20));
    return info.version;
  }

  /** The wallet of a key. Takes an admin or an invoice key; `id` tells which it was. */
  async wallet(key: Secret): Promise<Wallet> {
    const path = '/api/v1/wallet';
    return read(path, walletShape, await this.#http.get(path, {}, key, this.#deadlineMs));
  }

  /**
   * Makes an invoice in the wallet of `key` (either kind) that is meant to be paid from the same LNbits.
   * `sats` up to the server's limit (10,000,000 by default), `memo` up to 639 bytes in UTF-8: more
   * than that does not fit into a BOLT 11 description, and LNbits refuses it.
   */
  async createInvoice(
    key: Secret,
    invoice: { sats: bigint; memo: string; expirySeconds: number; extra: Record<string, unknown> },
  ): Promise<Invoice> {
    const { sats, memo, expirySeconds, extra } = invoice;
    const json = toJson({
      out: false,
      internal: true,
      unit: 'sat',
      amount: sats,
      memo,
      expiry: expirySeconds,
      extra,
    });
    // Not kept apart from the payment that follows it: that one must not wait between `sending` and the POST.
    const post = { pass: key, json, deadlineMs: this.#deadlineMs, patienceMs: 61_000, gaps: 0 };
    const made = read(PAYMENTS, invoiceShape, await this.#http.post(PAYMENTS, post));
    if (!made.bolt11) throw tooOld();
    if (!made.wallet_id || made.amount !== sats * 1000n) {
      throw unreachable(`POST ${PAYMENTS}`, 'the invoice made is not the one asked for');
    }
    return { hash: made.payment_hash, bolt11: made.bolt11, walletId: made.wallet_id };
  }

  /**
   * Pays an invoice from the wallet of the admin `key`, by exactly one request, or none where LNbits' rate limit is
   * known to be used up. What it returns is what LNbits says; a success here is no proof that the credit arrived.
   */
  async pay(
    key: Secret,
    payment: { bolt11: string; extra: Record<string, unknown> },
  ): Promise<WalletPayment> {
    const json = toJson({ out: true, bolt11: payment.bolt11, extra: payment.extra });
    const post = { pass: key, json, deadlineMs: this.#payDeadlineMs, patienceMs: 5_000, gaps: 2 };
    return read(PAYMENTS, paymentShape, await this.#http.post(PAYMENTS, post));
  }

  /** How many milliseconds an invoice or a payment would be held back now to keep to LNbits' rate limit. */
  wait(): number {
    return this.#http.wait(PAYMENTS);
  }

  /**
   * The side of one payment that the wallet of `key` (either kind) shows; null only when LNbits answered and the
   * wallet has no row of it. On LNbits 1.0 to 1.3 this look-up marks an unpaid invoice as failed.
   *
   * A wallet can have several rows of one hash: a failed try and a later one, or both sides where a wallet paid
   * itself. An outgoing row comes before an incoming one, so that a debit is never overlooked; of those, success
   * before pending before failed.
   */
  async find(key: Secret, hash: string): Promise<WalletPayment | null> {
    const { payments } = await this.#page(key, { payment_hash: hash, limit: 100 });
    if (payments.some((payment) => payment.hash !== hash)) {
      throw unreachable(`GET ${PAGINATED}`, 'LNbits showed payments that were not asked for');
    }
    // What LNbits took as its fee is received under the same hash, by whichever wallet it is set to.
    const own = payments.filter((payment) => !payment.isServiceFee);
    return own.sort((a, b) => rank(a) - rank(b))[0] ?? null;
  }

  /** The payments of a wallet that carry `tag`, of either direction and any status, page by page: see `pagesOf`. */
  tagged(key: Secret, tag: string): AsyncGenerator<WalletPayment[], void> {
    return pagesOf(async (window) => (await this.newest(key, { tag, ...window })).payments);
  }

  /**
   * One page of them, newest first. `total` is 0 on a page without rows, however many there are: whoever needs more
   * than one page reads them with `tagged`.
   */
  async newest(
    key: Secret,
    page: { tag: string; limit: number; offset: number },
  ): Promise<{ payments: WalletPayment[]; total: number }> {
    return await this.#page(key, { ...page, sortby: 'time', direction: 'desc' });
  }

  /**
   * The payments by which a superuser credited the wallet of `key` (either kind) with just so many sats, in any status,
   * newest first: LNbits makes such a one pending first. On LNbits 1.0 to 1.3 this look-up marks a pending one as failed.
   */
  async credits(key: Secret, sats: bigint): Promise<WalletPayment[]> {
    return await this.#bySuperuser(key, CREDIT_MEMO, sats * 1000n);
  }

  /** The payments by which a superuser took just so many sats out of the wallet of `key`. */
  async debits(key: Secret, sats: bigint): Promise<WalletPayment[]> {
    return await this.#bySuperuser(key, DEBIT_MEMO, -sats * 1000n);
  }

  async #bySuperuser(key: Secret, memo: string, amount: bigint): Promise<WalletPayment[]> {
    const query = { memo, amount: `${amount}`, sortby: 'time', direction: 'desc' };
    const payments: WalletPayment[] = [];
    for await (const page of pagesOf(
      async (window) => (await this.#page(key, { ...query, ...window })).payments,
    ))
      payments.push(...page);
    if (payments.some((one) => one.memo !== memo || one.amountMsat !== amount)) {
      throw unreachable(`GET ${PAGINATED}`, 'LNbits showed payments that were not asked for');
    }
    return payments;
  }

  /** LNbits' clock at its last answer, in ms since 1970, to the second; 0 before the first, or where it tells none. */
  get clock(): number {
    return this.#http.clock;
  }

  /**
   * The same, as it stands by now: never later than LNbits' clock is, for the time since is taken from the one of this
   * host that stands still with it.
   */
  get clockNow(): number {
    return this.clock === 0 ? 0 : this.clock + performance.now() - this.#http.clockRead;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  async #page(
    key: Secret,
    query: Record<string, string | number>,
  ): Promise<{ payments: WalletPayment[]; total: number }> {
    const { data, total } = read(
      PAGINATED,
      pageShape,
      await this.#http.get(PAGINATED, query, key, this.#deadlineMs),
    );
    return { payments: data, total };
  }
}

function rank({ amountMsat, status }: WalletPayment): number {
  return (amountMsat < 0n ? 0 : 3) + ['success', 'pending', 'failed'].indexOf(status);
}

function read<T extends z.ZodType>(path: string, shape: T, body: unknown): z.output<T> {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') || 'the whole';
  throw unreachable(
    path,
    `the answer is not what LNbits 1.x answers (${where})`,
    'Does the URL lead to LNbits?',
  );
}

/** Amounts become JSON numbers here; 10,000,000 sat is LNbits' own limit, far below what a number holds exactly. */
function toJson(body: Record<string, unknown>): string {
  return JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
}

function tooOld(version = 'older than 1.0'): BridgeError {
  return new BridgeError(
    'lnbits/version',
    `This LNbits is ${version}; the bridge works with 1.0 and newer.`,
    'Upgrade LNbits.',
  );
}
