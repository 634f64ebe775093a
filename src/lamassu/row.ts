import type { CashOut } from '../dca/cash-out.ts';
import { type Charge, charged } from '../dca/commission.ts';
import { type Currencies, currencyDigits } from '../dca/currency.ts';
import { RATE_SCALE } from '../dca/money.ts';
import { type Instant, isInstant, MAY_DIFFER_MS, plus } from '../time.ts';
import type { CashOutColumn } from './columns.ts';
import { actionWords, cashMachines, countWords, dispensesOf, notesAt } from './notes.ts';
import { isMachine, readDecimal, shown } from './values.ts';

/**
 * A row of Lamassu's `cash_out_txs`, every column as PostgreSQL's text: numbers in decimal notation, booleans
 * `true` and `false`, times as `Instant` (or whatever PostgreSQL writes for one outside the years 1 to 9999).
 * A column that the server does not have is null. `actions` is what `cash_out_actions` has of its notes, JSON of
 * `NotesAction[]`; null where nothing tells, undefined where it was not looked up.
 */
export type LamassuRow = { id: string } & Record<Exclude<CashOutColumn, 'id'>, string | null> & {
    actions?: string | null;
  };

/** Why a row is not paid by itself: a closed list, with what each means for people. */
export const reasons = {
  'not-confirmed': 'The layperson’s payment is not confirmed (yet).',
  unconfirmed: 'Cash came out more than a day ago, and the payment for it was never confirmed.',
  'not-dispensed': 'The layperson has paid, and the cash has not come out (yet).',
  'dispense-unconfirmed':
    'The machine began to give out the cash more than an hour ago, and Lamassu has not confirmed that all of it came out.',
  'several-machines':
    'Its cash came out of more than one machine, so that nobody but a person knows whose it was.',
  error: 'The layperson has paid, and Lamassu recorded an error: the cash came out in part or not at all.',
  'other-coin': 'It was paid in another coin than bitcoin: there are no sats to distribute.',
  'before-start': 'It was confirmed before `start_at`.',
  future: 'It is dated in the future of Lamassu’s own clock.',
  'unknown-currency': 'Its currency is not known here, nor how many digits its minor unit has.',
  malformed: 'A column holds something that cannot be right.',
  'no-rate': 'The row has neither a ticker price nor a commission rate: the commission is unknown.',
  'implausible-rate': 'The commission would be below zero or above half of what the layperson paid.',
  'negative-commission':
    'Its commission is below zero: more cash came out than the bitcoin was worth, and the operator has to bear the rest.',
} as const satisfies Record<string, string>;

export type Reason = keyof typeof reasons;

export interface Rules {
  /** The source's name in the ledger. */
  source: string;
  /** Nothing confirmed earlier is eligible. */
  startAt: Instant;
  method: Charge['method'];
  fallback: Charge['fallback'];
  /** Known before ISO 4217's own. */
  currencies: Currencies;
}

export type Judgement =
  | { eligible: true; cashOut: CashOut }
  | {
      eligible: false;
      reason: Reason;
      /** One sentence about this row, for people; free of control characters. */
      detail: string;
      /** A person has to look at it now. */
      review: boolean;
      /** It may still become eligible: re-read it by its id. */
      watch: boolean;
    };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Satoshi that will ever exist. */
const MAX_SATS = 2_100_000_000_000_000n;

/** Lamassu's `numeric(14,5)` ends below this, scaled by 10^5. */
const MAX_FIAT = 10n ** 14n;

/** Something in the row that cannot be right, or read; the message names the column. */
class Malformed extends Error {
  readonly reason: 'malformed' | 'unknown-currency';

  constructor(message: string, reason: Malformed['reason'] = 'malformed') {
    super(message);
    this.reason = reason;
  }
}

/**
 * Whether a row is a cash-out to distribute, or why not. `sourceNow` is Lamassu's clock. Pure, and never throws,
 * whatever the row holds.
 *
 * Eligible is: confirmed, the whole amount dispensed, no error, paid in bitcoin, not from the future, not from
 * before the start, every figure sound and its commission plausible. What was confirmed before the start needs
 * nobody: it is not the bridge's to distribute.
 */
export function judge(row: LamassuRow, rules: Rules, sourceNow: Instant): Judgement {
  const judgement = judgeAnyTime(row, rules, sourceNow);
  if (judgement.eligible) return judgement;
  const early = row.confirmed_at !== null && isInstant(row.confirmed_at) && row.confirmed_at < rules.startAt;
  return early ? { ...judgement, review: false } : judgement;
}

function judgeAnyTime(row: LamassuRow, rules: Rules, sourceNow: Instant): Judgement {
  try {
    return row.status === 'confirmed' ? judgeConfirmed(row, rules, sourceNow) : unpaid(row, sourceNow);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return no(error.reason, error.message, { review: true, watch: true });
  }
}

/**
 * Whether a row says that it was confirmed before it was created, by more than clocks may differ: both times are of the same
 * clock, and it was behind at the confirmation.
 */
export function isBackdated({ confirmed_at: confirmedAt, created }: LamassuRow): boolean {
  if (confirmedAt === null || created === null || !isInstant(confirmedAt) || !isInstant(created))
    return false;
  return confirmedAt < created && plus(confirmedAt, MAY_DIFFER_MS) < created;
}

/** Dispensing while the payment is only authorized is Lamassu's zero-conf; the confirmation may come or not. */
function unpaid(row: LamassuRow, sourceNow: Instant): Judgement {
  const status = `status ${shown(row.status)}`;
  const dispensed =
    row.dispense_confirmed === 'true' ||
    (row.dispense === 'true' &&
      (row.status === 'authorized' || row.status === 'instant') &&
      row.error_code !== 'operatorCancel');
  // With no readable time of creation nobody knows how long it has waited already.
  const waited = row.created === null || !isInstant(row.created) || row.created < plus(sourceNow, -24 * HOUR);
  if (dispensed && waited) {
    return no('unconfirmed', `dispensed, ${status}, created ${shown(row.created)}`, {
      review: true,
      watch: true,
    });
  }
  return no('not-confirmed', status, { review: false, watch: dispensed || row.confirmed_at !== null });
}

function judgeConfirmed(row: LamassuRow, rules: Rules, sourceNow: Instant): Judgement {
  const confirmedAt = row.confirmed_at;
  if (confirmedAt === null || !isInstant(confirmedAt)) {
    throw new Malformed(`confirmed_at is ${shown(confirmedAt)}`);
  }
  if (confirmedAt > sourceNow && confirmedAt > plus(sourceNow, 5 * MINUTE)) {
    const detail = `confirmed_at is ${confirmedAt}, and Lamassu's clock says ${sourceNow}`;
    return no('future', detail, { review: true, watch: true });
  }
  if (row.crypto_code === null) throw new Malformed('crypto_code is null');
  if (row.crypto_code !== 'BTC' && row.crypto_code !== 'LN') {
    return no('other-coin', `paid in ${shown(row.crypto_code)}`, { review: true, watch: false });
  }
  if (row.error !== null || row.error_code !== null) {
    const detail = `error ${shown(row.error)}, error_code ${shown(row.error_code)}; ${countWords(row)}`;
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
  if (confirmedAt < rules.startAt) {
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
      ...{ fiat, gross, undelivered: 0n, commission, method, lamassu },
    },
  };
}

/** The row's figures as exact integers. Throws Malformed, naming the first column that cannot be right. */
function figures(row: LamassuRow, { method, fallback, currencies }: Rules) {
  const { device_id: device } = row;
  if (!isMachine(device)) throw new Malformed(`device_id is ${shown(device)}`);
  const [machine = device] = cashMachines(row);
  if (!isMachine(machine)) throw new Malformed(`device_id of the dispense is ${shown(machine)}`);
  const begun = machine === device ? {} : { begunAt: device };
  const currency = row.fiat_code;
  const digits = currency === null ? undefined : currencyDigits(currency, currencies);
  if (currency === null || digits === undefined) {
    throw new Malformed(
      `fiat_code is ${shown(currency)}`,
      isCurrencyCode(currency) ? 'unknown-currency' : 'malformed',
    );
  }

  const asked = required(row, 'crypto_atoms', 0, MAX_SATS);
  const received = optional(row, 'received_crypto_atoms', 0, MAX_SATS);
  const gross = received !== null && received < asked ? received : asked;
  const scaledFiat = required(row, 'fiat', RATE_SCALE, MAX_FIAT);
  const minorUnit = 10n ** BigInt(RATE_SCALE - digits);
  if (scaledFiat % minorUnit !== 0n) {
    throw new Malformed(`fiat is ${shown(row.fiat)}, finer than ${currency} goes`);
  }
  const charge: Charge = {
    method,
    fallback,
    gross,
    fiat: scaledFiat,
    ticker: optional(row, 'raw_ticker_price', RATE_SCALE, MAX_FIAT),
    // Older screens of Lamassu allowed one below zero.
    rate: optional(row, 'commission_percentage', RATE_SCALE, MAX_FIAT, -MAX_FIAT),
    discount: optional(row, 'discount', 0, 101n, 0n) ?? 0n,
    fixedFee: optional(row, 'fixed_fee', RATE_SCALE, MAX_FIAT, 0n) ?? 0n,
  };
  return { machine, begun, currency, digits, fiat: scaledFiat / minorUnit, gross, charge };
}

/** Whether it looks like the code of a currency, known or not. */
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
    throw new Malformed(`${column} is ${shown(text)}`);
  return value;
}

function no(reason: Reason, detail: string, next: { review: boolean; watch: boolean }): Judgement {
  return { eligible: false, reason, detail, ...next };
}
