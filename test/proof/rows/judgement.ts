import { least, type Part } from './division.ts';

/*
 * What one row of Lamassu means, worked out again from what is known of Lamassu; no code of the program.
 */

/** A row as it was put into Lamassu: every column's text. Times are 27 characters, or something odd. */
export type Row = Record<string, string | null>;

export interface Rules {
  startAt: string;
  method: Method;
  fallback: Method;
  /** Minor units, by currency. */
  largeAbove: ReadonlyMap<string, bigint>;
}

export type Method = 'ticker' | 'margin' | 'markup';

export interface Paid extends Omit<Part, 'net'> {
  machine: string;
  confirmedAt: string;
  currency: string;
  method: Method;
}

export type Meaning =
  | { pay: Paid }
  /** `person`: somebody has to look at it. `again`: it may still become right. */
  | { reason: string; person: boolean; again: boolean };

const DIGITS: Record<string, number> = { USD: 2, GTQ: 2, COP: 2, JPY: 0, KWD: 3, CLF: 4 };

const DAY = 86_400_000_000n;

/** Between two times that one clock showed in the wrong order. */
const MINUTE = 60_000_000n;

/** Times as whole microseconds since 1970. */
export function micros(time: string): bigint {
  return BigInt(Date.parse(`${time.slice(0, 23)}Z`)) * 1000n + BigInt(time.slice(23, 26));
}

export function instant(us: bigint): string {
  const ms = us / 1000n - (us % 1000n < 0n ? 1n : 0n);
  return `${new Date(Number(ms)).toISOString().slice(0, 23)}${`${us - ms * 1000n}`.padStart(3, '0')}Z`;
}

/** What looks like the code of a currency, and is none that is known. */
function isUnknown(code: string | null | undefined): boolean {
  return /^[A-Z]{3}$/.test(code ?? '') && DIGITS[code ?? ''] === undefined;
}

/** A time in the years 1 to 9999. */
export function isTime(text: string | null | undefined): text is string {
  return text?.length === 27 && text.endsWith('Z');
}

/** What a row means at `now`, Lamassu's clock. */
export function meaning(row: Row, rules: Rules, now: bigint): Meaning {
  const found = anyDay(row, rules, now);
  const { created, confirmed_at: confirmed } = row;
  const backwards = isTime(confirmed) && isTime(created) && micros(created) - micros(confirmed) > MINUTE;
  const early =
    isTime(confirmed) && confirmed < rules.startAt && !(backwards && `${created}` >= rules.startAt);
  if ('pay' in found) {
    if (early) return { reason: 'before-start', person: false, again: false };
    if (backwards) return { reason: 'backdated', person: true, again: true };
    const most = rules.largeAbove.get(found.pay.currency);
    const large = most !== undefined && found.pay.fiat > most;
    return large ? { reason: 'large', person: true, again: true } : found;
  }
  return early ? { ...found, person: false } : found;
}

/** The same without regard to the start and to the size. */
export function anyDay(row: Row, rules: Pick<Rules, 'method' | 'fallback'>, now: bigint): Meaning {
  const wrong = { reason: 'malformed', person: true, again: true };
  if (row.status !== 'confirmed') return unpaid(row, now);
  if (!isTime(row.confirmed_at)) return wrong;
  const at = micros(row.confirmed_at);
  if (at > now + DAY / 288n) return { reason: 'future', person: true, again: true };
  if (!['BTC', 'LN'].includes(row.crypto_code ?? ''))
    return { reason: 'other-coin', person: true, again: false };
  if (typeof row.error === 'string' || typeof row.error_code === 'string')
    return { reason: 'error', person: true, again: true };
  const HOUR = DAY / 24n;
  if (row.dispense_confirmed !== 'true' && row.dispense === 'true' && at < now - HOUR)
    return { reason: 'dispense-unconfirmed', person: true, again: true };
  if (row.dispense_confirmed !== 'true')
    return { reason: 'not-dispensed', person: at < now - 2n * DAY, again: true };

  const figures = figuresOf(row);
  if (!figures)
    return isMachine(row.device_id ?? '') && isUnknown(row.fiat_code)
      ? { ...wrong, reason: 'unknown-currency' }
      : wrong;
  const { machine, currency, minor, gross } = figures;
  const method = [rules.method, rules.fallback].find((one) =>
    one === 'ticker' ? figures.ticker !== null : figures.rate !== null,
  );
  if (!method) return { reason: 'no-rate', person: true, again: true };
  const principal = principalBy(method, figures);
  if (principal === null) return { reason: 'implausible-rate', person: true, again: true };
  if (principal > gross + 200n && (figures.rate ?? 0n) < 0n)
    return { reason: 'negative-commission', person: true, again: true };
  // Half of what was paid, at most, is commission; and no more than 200 sat may be missing.
  if (principal < 0n || principal > gross + 200n || 2n * principal < gross)
    return { reason: 'implausible-rate', person: true, again: true };
  const commission = gross - least(principal, gross);
  return {
    pay: { machine, confirmedAt: row.confirmed_at, currency, fiat: minor, gross, commission, method },
  };
}

function unpaid(row: Row, now: bigint): Meaning {
  const zeroConf = ['authorized', 'instant'].includes(row.status ?? '') && row.dispense === 'true';
  const out = row.dispense_confirmed === 'true' || (zeroConf && row.error_code !== 'operatorCancel');
  const day = !isTime(row.created) || micros(row.created) < now - DAY;
  if (out && day) return { reason: 'unconfirmed', person: true, again: true };
  return { reason: 'not-confirmed', person: false, again: out || typeof row.confirmed_at === 'string' };
}

function isMachine(text: string): boolean {
  const letters = [...text];
  return letters.length >= 1 && letters.length <= 200 && !letters.some((one) => /\p{C}/u.test(one));
}

type Figures = NonNullable<ReturnType<typeof figuresOf>>;

/** Null if any column cannot be right. */
function figuresOf(row: Row) {
  const machine = row.device_id ?? '';
  if (!isMachine(machine)) return null;
  const currency = row.fiat_code ?? '';
  const digits = Object.hasOwn(DIGITS, currency) ? DIGITS[currency] : undefined;
  if (digits === undefined) return null;

  const asked = number(row.crypto_atoms, 0);
  const received = number(row.received_crypto_atoms, 0);
  const fiat = number(row.fiat, 5);
  const ticker = number(row.raw_ticker_price, 5);
  const rate = number(row.commission_percentage, 5);
  // It may be below zero, and has to be a number.
  if (row.commission_percentage === 'NaN') return null;
  const discount = number(row.discount, 0) ?? 0n;
  const fee = number(row.fixed_fee, 5) ?? 0n;
  const all = 2_100_000_000_000_000n;
  if (asked === null || asked <= 0n || asked >= all) return null;
  if (received !== null && (received <= 0n || received >= all)) return null;
  if (fiat === null || fiat <= 0n) return null;
  if (ticker !== null && ticker <= 0n) return null;
  if (discount < 0n || discount > 100n || fee < 0n) return null;
  const unit = 10n ** BigInt(5 - digits);
  if (fiat % unit !== 0n) return null;
  return {
    machine,
    currency,
    fiat,
    minor: fiat / unit,
    gross: least(asked, received),
    ticker,
    rate,
    discount,
    fee,
  };
}

/** In sat, rounded down; null if a commission far below zero leaves none. */
function principalBy(method: Method, { gross, fiat, ticker, rate, discount, fee }: Figures): bigint | null {
  if (method === 'ticker') return (fiat * 100_000_000n) / (ticker ?? 1n);
  // The commission after its discount, ×10^7.
  const effective = (rate ?? 0n) * (100n - discount);
  if (method === 'markup' && effective <= -10_000_000n) return null;
  if (method === 'markup') return (gross * 10_000_000n) / (10_000_000n + effective);
  return (gross * (10_000_000n - effective) * fiat) / (10_000_000n * (fiat + fee));
}

/** A number ×10^`digits`; NaN counts as nothing sound: -1. */
function number(text: string | null | undefined, digits: number): bigint | null {
  if (text === null || text === undefined) return null;
  if (text === 'NaN') return -1n;
  const [whole = '', decimals = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + decimals.slice(0, digits).padEnd(digits, '0'));
  return text.startsWith('-') ? -value : value;
}
