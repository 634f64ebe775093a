import type * as z from 'zod';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../time.ts';
import { unreachable } from './answer.ts';
import { Http, type LnbitsPlace } from './http.ts';
import { pagesOf } from './pages.ts';
import {
  invoiceShape,
  type LnbitsInvoice,
  openApiShape,
  pageShape,
  paymentShape,
  type Wallet,
  type WalletPayment,
  walletShape,
} from './shapes.ts';

export type { LnbitsPlace } from './http.ts';
export type { LnbitsInvoice, PaymentStatus, Wallet, WalletPayment } from './shapes.ts';

export interface LnbitsOptions extends LnbitsPlace {
  /** Deadline for a whole answer, in ms; a payment takes longest. */
  deadlineMs?: number;
  payDeadlineMs?: number;
  /** The pause before the first retry of a GET, in ms; the second is twice as long. */
  backoffMs?: number;
  /** The largest answer that is read, in bytes. */
  maxBytes?: number;
}

const PAYMENTS = '/api/v1/payments';
/** The memo of a credit by the superuser, in LNbits 1.0 to 1.6; nothing else marks it. */
const CREDIT_MEMO = 'Admin credit';
/** The same for a debit by the superuser. */
const DEBIT_MEMO = 'Admin debit';
const PAGINATED = '/api/v1/payments/paginated';

/**
 * The HTTP calls to one LNbits (1.0 to 1.6): no state, no decision about money.
 *
 * Every error is a BridgeError: `lnbits/unreachable` (no reliable answer), `lnbits/rate-limited` (a `RateLimited` with
 * `retryAfterMs`), `lnbits/key`, `lnbits/refused` (LNbits said no, with its reason), `lnbits/version`, `lnbits/tls`,
 * `lnbits/redirect`, `lnbits/proxy` (something in front of it denied the request). After ANY of them the payment may
 * have taken effect: only a look-up tells.
 *
 * `GET /api/v1/payments/{hash}` is never called: on an unpaid internal invoice it marks the invoice as failed.
 */
export class LnbitsClient {
  readonly #clock: Clock;
  readonly #http: Http;
  readonly #deadlineMs: number;
  readonly #payDeadlineMs: number;

  constructor(
    {
      url,
      ca,
      deadlineMs = 12_000,
      payDeadlineMs = 30_000,
      backoffMs = 250,
      maxBytes = 5_000_000,
    }: LnbitsOptions,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#http = new Http({ url, ca }, clock, maxBytes, backoffMs);
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

  /** The wallet of a key, admin or invoice; `id` tells which kind it is. */
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
  ): Promise<LnbitsInvoice> {
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
    // No gap after it: the payment that follows must not wait between `sending` and the POST.
    const post = { pass: key, json, deadlineMs: this.#deadlineMs, patienceMs: 61_000, gaps: 0 };
    const made = read(PAYMENTS, invoiceShape, await this.#http.post(PAYMENTS, post));
    if (!made.bolt11) throw tooOld();
    if (!made.wallet_id || made.amount !== sats * 1000n) {
      throw unreachable(`POST ${PAYMENTS}`, 'the invoice made is not the one asked for');
    }
    return { hash: made.payment_hash, bolt11: made.bolt11, walletId: made.wallet_id };
  }

  /**
   * Pays an invoice from the wallet of the admin `key`, by exactly one request, or none if LNbits' rate limit is used
   * up. Returns LNbits' answer; a success does not prove that the credit arrived.
   */
  async pay(
    key: Secret,
    payment: { bolt11: string; extra: Record<string, unknown> },
  ): Promise<WalletPayment> {
    const json = toJson({ out: true, bolt11: payment.bolt11, extra: payment.extra });
    const post = { pass: key, json, deadlineMs: this.#payDeadlineMs, patienceMs: 5_000, gaps: 2 };
    return read(PAYMENTS, paymentShape, await this.#http.post(PAYMENTS, post));
  }

  /** How long an invoice or a payment would have to wait now to respect LNbits' rate limit, in ms. */
  wait(): number {
    return this.#http.wait(PAYMENTS);
  }

  /**
   * One payment as the wallet of `key` (either kind) shows it; null only if LNbits answered and the wallet has no row
   * of it. On LNbits 1.0 to 1.3 this look-up marks an unpaid invoice as failed.
   *
   * A wallet can have several rows of one hash: a failed try and a later one, or both sides where a wallet paid itself.
   * An outgoing row goes before an incoming one, so no debit is missed; then success before pending before failed.
   */
  async find(key: Secret, hash: string): Promise<WalletPayment | null> {
    const { payments } = await this.#page(key, { payment_hash: hash, limit: 100 });
    if (payments.some((payment) => payment.hash !== hash)) {
      throw unreachable(`GET ${PAGINATED}`, 'LNbits showed payments that were not asked for');
    }
    // LNbits' service fee arrives under the same hash, in the wallet that LNbits has set for it.
    const own = payments.filter((payment) => !payment.isServiceFee);
    return own.sort((a, b) => rank(a) - rank(b))[0] ?? null;
  }

  /** The payments of a wallet that carry `tag`, of either direction and any status, page by page: see `pagesOf`. */
  tagged(key: Secret, tag: string): AsyncGenerator<WalletPayment[], void> {
    return pagesOf(async (window) => (await this.newest(key, { tag, ...window })).payments);
  }

  /**
   * One page of them, newest first. `total` is 0 on a page without rows, however many there are. For more than one
   * page, use `tagged`.
   */
  async newest(
    key: Secret,
    page: { tag: string; limit: number; offset: number },
  ): Promise<{ payments: WalletPayment[]; total: number }> {
    return await this.#page(key, { ...page, sortby: 'time', direction: 'desc' });
  }

  /**
   * The superuser's credits of exactly `sats` to the wallet of `key` (either kind), in any status (LNbits creates them
   * as pending), newest first. On LNbits 1.0 to 1.3 this look-up marks a pending one as failed.
   */
  async credits(key: Secret, sats: bigint): Promise<WalletPayment[]> {
    return await this.#bySuperuser(key, CREDIT_MEMO, sats * 1000n);
  }

  /** The superuser's debits of exactly `sats` from the wallet of `key`. */
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

  /** LNbits' clock at its last answer, in ms since 1970, to the second; 0 if there is none yet. */
  get clock(): number {
    return this.#http.clock;
  }

  /**
   * LNbits' clock now, never ahead of it: the time since the last answer is measured by this host's clock that stops
   * while the host is suspended.
   */
  get clockNow(): number {
    return this.clock === 0 ? 0 : this.clock + this.#clock.monotonic() - this.#http.clockRead;
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
