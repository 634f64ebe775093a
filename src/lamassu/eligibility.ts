import type { CashOut } from '../dca/cash-out.ts';
import { type Charge, charged } from '../dca/commission.ts';
import { type Currencies, currencyDigits } from '../dca/currency.ts';
import { formatCash, MAX_SATS, RATE_SCALE } from '../dca/money.ts';
import { saysTheSame } from '../lib/same-columns.ts';
import { type Instant, isInstant, MAY_DIFFER_MS, plus } from '../time.ts';
import type { CashOutColumn } from './columns.ts';
import { actionWords, cashMachines, countWords, dispensesOf, notesAt } from './notes.ts';
import type { LamassuRow } from './row.ts';
import { isMachine, quoted, readDecimal } from './values.ts';

/** Why a row is not paid automatically: a closed list of reasons, each with its meaning. */
export const reasons = {
  'not-confirmed': 'The layperson’s payment is not confirmed yet.',
  unconfirmed: 'Cash came out more than a day ago, and the payment for it was never confirmed.',
  'not-dispensed': 'The layperson has paid, but the cash has not come out yet.',
  'dispense-unconfirmed':
    'The machine began to give out the cash more than an hour ago, and Lamassu has not confirmed that all of it came out.',
  'several-machines':
    'Its cash came out of more than one machine, so only the operator can tell whose it was.',
  error: 'The layperson has paid, and Lamassu recorded an error: the cash came out in part or not at all.',
  'other-coin': 'It was paid in another coin than bitcoin: there are no sats to distribute.',
  'before-start': 'It was confirmed before `start_at`.',
  future: 'Its time is in the future by Lamassu’s own clock.',
  'unknown-currency': 'The bridge does not know its currency, nor the digits of its minor unit.',
  malformed: 'A column holds something that cannot be right.',
  'no-rate': 'The row has neither a ticker price nor a commission rate: the commission is unknown.',
  'implausible-rate': 'The commission would be below zero or above half of what the layperson paid.',
  'negative-commission':
    'Its commission is below zero: more cash came out than the bitcoin was worth, and the operator has to bear the rest.',
  large: 'It is larger than `[review] cash_out_above`, so the operator has to release it.',
  backdated:
    'Lamassu’s clock was, or may have been, wrong when it was confirmed: whose cash went out cannot be told by that time.',
} as const satisfies Record<string, string>;

export type Reason = keyof typeof reasons;

/** The rules for judging a row: the meaning of Lamassu's columns, and the operator's settings. */
export interface Rules {
  /** The source's name in the ledger. */
  source: string;
  /** Rows confirmed earlier are not eligible. */
  startAt: Instant;
  /** An eligible cash-out of more than this, in its currency, waits until it is released. */
  cashOutAbove: readonly { currency: string; digits: number; minor: bigint }[];
  method: Charge['method'];
  fallback: Charge['fallback'];
  /** These go before the list of ISO 4217. */
  currencies: Currencies;
}

/** What the ledger knows of a row. */
export interface Known {
  /** The `confirmed_at` with which it was processed. */
  processed?: { confirmed_at: Instant } | undefined;
  /** Its entry in the review queue; `lamassu` is the row as it was then. */
  review?: { state: string; reason: string; lamassu: string } | undefined;
}

export type Judgement =
  | { eligible: true; cashOut: CashOut }
  | {
      eligible: false;
      reason: Reason;
      /** One sentence about this row, without control characters. */
      detail: string;
      /** The operator has to decide about it. */
      review: boolean;
      /** It may still become eligible: read it again by its id. */
      watch: boolean;
    };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Above the largest `numeric(14,5)`, scaled by 10^5. */
const MAX_FIAT = 10n ** 14n;

/** A value in the row that cannot be right; the message names the column. */
class Malformed extends Error {
  readonly reason: 'malformed' | 'unknown-currency';

  constructor(message: string, reason: Malformed['reason'] = 'malformed') {
    super(message);
    this.reason = reason;
  }
}

/** A row with its judgement. `K` is what the ledger knows of it. */
export interface Judged<K extends Known = Known> {
  row: LamassuRow;
  known: K;
  judgement: Judgement;
  /** The operator released it, and Lamassu's row has not changed since: the release still counts. */
  released: boolean;
  /** Its place in the reading order; null if its time cannot be read, or is past Lamassu's clock. */
  readAt: Instant | null;
}

/**
 * Judges a row by itself and by what is known of it. `sourceNow` is Lamassu's clock. Pure. Never throws, whatever the
 * row holds. A row that is eligible here may still have to wait: for the verdict by the present ledger (`verdictOn` of
 * src/judging), and for what a run knows of clocks (src/scheduler/read.ts).
 *
 * Eligible is: confirmed, the whole amount dispensed, no error, paid in bitcoin, not from the future, not from before
 * the start, every figure sound, its commission plausible, not above the size that waits for a release, and not
 * backdated. A row confirmed before the start never goes to review: the bridge is not responsible for it.
 *
 * Start, size and time do not apply to a row that was processed or released. A backdated row waits until it is
 * released.
 */
export function judge<K extends Known>(
  row: LamassuRow,
  rules: Rules,
  sourceNow: Instant,
  known: K,
): Judged<K> {
  const { confirmed_at: at } = row;
  const readAt = at !== null && isInstant(at) && at <= sourceNow ? at : null;
  const { processed, review } = known;
  const same = review && saysTheSame(review.lamassu, row) ? review : undefined;
  const released = same?.state === 'released';
  // A processed row is not in the future, even if Lamassu's clock was set back since.
  const now = processed && processed.confirmed_at > sourceNow ? processed.confirmed_at : sourceNow;
  const judgement =
    processed || released
      ? judgeAnyTime(row, { ...rules, startAt: null }, now)
      : judgeNew(row, rules, sourceNow, same?.reason === 'backdated');
  return { row, known, judgement, released, readAt };
}

/** `waits`: the row already waits in review as backdated, and the operator has not released it. */
function judgeNew(row: LamassuRow, rules: Rules, sourceNow: Instant, waits: boolean): Judgement {
  const backdated = isBackdated(row);
  const sinceStart = backdated && row.created !== null && row.created >= rules.startAt;
  const judgement = judgeSince(row, rules, sinceStart ? null : rules.startAt, sourceNow);
  if (!judgement.eligible) return judgement;
  if (backdated) return held('backdated', `confirmed at ${row.confirmed_at}, and created at ${row.created}`);
  if (waits) return held('backdated', 'its time is too early, and the operator has not released it yet');
  const { fiat, currency, digits } = judgement.cashOut;
  const most = rules.cashOutAbove.find(
    (one) =>
      one.currency === currency && fiat * 10n ** BigInt(one.digits) > one.minor * 10n ** BigInt(digits),
  );
  if (!most) return judgement;
  const shown = formatCash(fiat, digits, currency);
  const limit = formatCash(most.minor, most.digits, currency);
  return held('large', `${shown} is more than the ${limit} of [review] cash_out_above`);
}

function held(reason: Reason, detail: string): Judgement {
  return no(reason, detail, { review: true, watch: true });
}

/** `since.startAt` null: whenever the row was confirmed. */
type Since = Omit<Rules, 'startAt'> & { startAt: Instant | null };

function judgeSince(row: LamassuRow, rules: Rules, startAt: Instant | null, sourceNow: Instant): Judgement {
  const judgement = judgeAnyTime(row, { ...rules, startAt }, sourceNow);
  if (judgement.eligible || startAt === null) return judgement;
  const early = row.confirmed_at !== null && isInstant(row.confirmed_at) && row.confirmed_at < startAt;
  return early ? { ...judgement, review: false } : judgement;
}

function judgeAnyTime(row: LamassuRow, rules: Since, sourceNow: Instant): Judgement {
  try {
    return row.status === 'confirmed' ? judgeConfirmed(row, rules, sourceNow) : unpaid(row, sourceNow);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return no(error.reason, error.message, { review: true, watch: true });
  }
}

/**
 * Whether a row was confirmed before it was created, by more than the tolerance between clocks. Both times come from
 * one clock, so that clock was behind at the confirmation.
 */
export function isBackdated({ confirmed_at: confirmedAt, created }: LamassuRow): boolean {
  if (confirmedAt === null || created === null || !isInstant(confirmedAt) || !isInstant(created))
    return false;
  return confirmedAt < created && plus(confirmedAt, MAY_DIFFER_MS) < created;
}

/** Dispensing while the payment is only authorized is Lamassu's zero-conf; the confirmation may come or not. */
function unpaid(row: LamassuRow, sourceNow: Instant): Judgement {
  const status = `status ${quoted(row.status)}`;
  const dispensed =
    row.dispense_confirmed === 'true' ||
    (row.dispense === 'true' &&
      (row.status === 'authorized' || row.status === 'instant') &&
      row.error_code !== 'operatorCancel');
  // Without a readable time of creation, its age is not known.
  const waited = row.created === null || !isInstant(row.created) || row.created < plus(sourceNow, -24 * HOUR);
  if (dispensed && waited) {
    return no('unconfirmed', `dispensed, ${status}, created ${quoted(row.created)}`, {
      review: true,
      watch: true,
    });
  }
  return no('not-confirmed', status, { review: false, watch: dispensed || row.confirmed_at !== null });
}

function judgeConfirmed(row: LamassuRow, rules: Since, sourceNow: Instant): Judgement {
  const confirmedAt = row.confirmed_at;
  if (confirmedAt === null || !isInstant(confirmedAt)) {
    throw new Malformed(`confirmed_at is ${quoted(confirmedAt)}`);
  }
  if (confirmedAt > sourceNow && confirmedAt > plus(sourceNow, 5 * MINUTE)) {
    const detail = `confirmed_at is ${confirmedAt}, and Lamassu's clock says ${sourceNow}`;
    return no('future', detail, { review: true, watch: true });
  }
  if (row.crypto_code === null) throw new Malformed('crypto_code is null');
  if (row.crypto_code !== 'BTC' && row.crypto_code !== 'LN') {
    return no('other-coin', `paid in ${quoted(row.crypto_code)}`, { review: true, watch: false });
  }
  if (row.error !== null || row.error_code !== null) {
    const detail = `error ${quoted(row.error)}, error_code ${quoted(row.error_code)}; ${countWords(row)}`;
    return no('error', detail, { review: true, watch: true });
  }
  if (row.dispense_confirmed !== 'true') {
    const begun = notesAt(row, sourceNow) ?? confirmedAt;
    if (row.dispense === 'true' && begun < plus(sourceNow, -HOUR)) {
      const detail = `${countWords(row)}; dispensing began by ${begun}, and Lamassu has not confirmed the whole amount`;
      return no('dispense-unconfirmed', detail, { review: true, watch: true });
    }
    const review = confirmedAt < plus(sourceNow, -48 * HOUR);
    return no('not-dispensed', `confirmed at ${confirmedAt}`, { review, watch: true });
  }

  if (cashMachines(row).length > 1) {
    const each = dispensesOf(row).map((one) => actionWords(one, row));
    return no('several-machines', each.join('; '), { review: true, watch: true });
  }

  const { machine, begun, currency, digits, fiat, gross, charge } = figures(row, rules);
  const charging = charged(charge);
  if ('review' in charging) return no(charging.review, charging.detail, { review: true, watch: true });
  if (rules.startAt !== null && confirmedAt < rules.startAt) {
    const detail = `confirmed at ${confirmedAt}, start_at is ${rules.startAt}`;
    return no('before-start', detail, { review: false, watch: false });
  }
  const { commission, method } = charging;
  const { source } = rules;
  const { id } = row;
  const lamassu = { ...row };
  return {
    eligible: true,
    cashOut: {
      ...{ id, source, machine, ...begun, confirmedAt, currency, digits },
      ...{ fiat, distributed: gross, undelivered: 0n, commission, method, lamassu },
    },
  };
}

/** The row's figures as exact integers. Throws Malformed for the first column that cannot be right. */
function figures(row: LamassuRow, { method, fallback, currencies }: Since) {
  const { device_id: device } = row;
  if (!isMachine(device)) throw new Malformed(`device_id is ${quoted(device)}`);
  const [machine = device] = cashMachines(row);
  if (!isMachine(machine)) throw new Malformed(`device_id of the dispense is ${quoted(machine)}`);
  const begun = machine === device ? {} : { begunAt: device };
  const currency = row.fiat_code;
  const digits = currency === null ? undefined : currencyDigits(currency, currencies);
  if (currency === null || digits === undefined) {
    throw new Malformed(
      `fiat_code is ${quoted(currency)}`,
      isCurrencyCode(currency) ? 'unknown-currency' : 'malformed',
    );
  }

  const due = required(row, 'crypto_atoms', 0, MAX_SATS);
  const received = optional(row, 'received_crypto_atoms', 0, MAX_SATS);
  const gross = received !== null && received < due ? received : due;
  const scaledFiat = required(row, 'fiat', RATE_SCALE, MAX_FIAT);
  const minorUnit = 10n ** BigInt(RATE_SCALE - digits);
  if (scaledFiat % minorUnit !== 0n) {
    throw new Malformed(`fiat is ${quoted(row.fiat)}, finer than ${currency} goes`);
  }
  const charge: Charge = {
    method,
    fallback,
    gross,
    cash: scaledFiat,
    ticker: optional(row, 'raw_ticker_price', RATE_SCALE, MAX_FIAT),
    // Older versions of Lamassu allowed a negative commission.
    rate: optional(row, 'commission_percentage', RATE_SCALE, MAX_FIAT, -MAX_FIAT),
    discount: optional(row, 'discount', 0, 101n, 0n) ?? 0n,
    fixedFee: optional(row, 'fixed_fee', RATE_SCALE, MAX_FIAT, 0n) ?? 0n,
  };
  return { machine, begun, currency, digits, fiat: scaledFiat / minorUnit, gross, charge };
}

/** Whether the text has the form of a currency code, known or not. */
export function isCurrencyCode(text: string | null): text is string {
  return text !== null && /^[A-Z]{3}$/.test(text);
}

function required(row: LamassuRow, column: CashOutColumn, scale: number, below: bigint): bigint {
  const value = optional(row, column, scale, below);
  if (value === null) throw new Malformed(`${column} is null`);
  return value;
}

/** The column scaled by 10^`scale`, null for null. Throws Malformed outside `least` (1 unit) to `below`. */
function optional(
  row: LamassuRow,
  column: CashOutColumn,
  scale: number,
  below: bigint,
  least = 1n,
): bigint | null {
  const text = row[column];
  if (text === null) return null;
  const value = readDecimal(text, scale);
  if (value === undefined || value < least || value >= below)
    throw new Malformed(`${column} is ${quoted(text)}`);
  return value;
}

function no(reason: Reason, detail: string, next: { review: boolean; watch: boolean }): Judgement {
  return { eligible: false, reason, detail, ...next };
}
