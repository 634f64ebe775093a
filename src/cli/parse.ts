import { Temporal } from 'temporal-polyfill';
import { currencyDigits } from '../dca/currency.ts';
import { formatDecimal, parseDecimal, RATE_SCALE } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { type Instant, isInstant } from '../time.ts';

/*
 * Values as people type them. `field` is what the person calls it (`--rate`, `amount`, `review.cash_out_above`);
 * every function throws BridgeError `usage/invalid`, which names the field and shows a right value.
 */

/** Fiat in minor units of `currency`, which has `digits` of them (ISO 4217). */
export interface Amount {
  minor: bigint;
  currency: string;
  digits: number;
}

/** All bitcoin there will ever be, in satoshi. No fiat amount is larger either: both fit every database's integers. */
const LARGEST = 2_100_000_000_000_000n;

const ONE = 10n ** BigInt(RATE_SCALE);

/** `3000 GTQ`, `3000.50 GTQ`. Refused: zero, negative, unknown currency, finer than its minor unit, no currency. */
export function parseAmount(text: string, field: string): Amount {
  const example = `Write a number and a currency, like "3000.50 GTQ".`;
  const [number = '', code, ...more] = text.trim().split(/\s+/);
  if (code === undefined || more.length > 0) {
    throw invalid(field, `${quote(text)} is not an amount with its currency`, example);
  }
  const currency = code.toUpperCase();
  const digits = currencyDigits(currency);
  if (digits === undefined)
    throw invalid(field, `${quote(code)} is not the code of a currency with cash (ISO 4217)`, example);
  return { minor: positive(number, digits, field, currency, example), currency, digits };
}

/** `61234`, `61234 sat`. */
export function parseSats(text: string, field: string): bigint {
  return positive(satsOf(text), 0, field, 'satoshi', 'Write whole satoshi, like "61234 sat".');
}

/** The same, or `0`. */
export function parseSatsOrNone(text: string, field: string): bigint {
  return /^0+$/.test(satsOf(text)) ? 0n : parseSats(text, field);
}

function satsOf(text: string): string {
  return text.trim().replace(/\s*sats?$/, '');
}

/** `5.5%` or `0.055` to 5500, scaled by 10^5. A bare number of 0.5 or more is most likely meant as percent: refused. */
export function parseRate(text: string, field: string): bigint {
  const example = 'Write "5.5%" or "0.055".';
  const [, number = '', percent] = /^(.*?)(\s*%)?$/s.exec(text.trim()) ?? [];
  const rate = decimal(number, percent ? RATE_SCALE - 2 : RATE_SCALE, field, 'a rate', example);
  if (rate < 0n) throw invalid(field, `${quote(text)} is negative`, example);
  if (!percent && rate * 2n >= ONE) {
    const meant = formatDecimal(rate * 100n, RATE_SCALE).replace(/\.?0+$/, '');
    throw invalid(field, `${number} would be ${meant} %`, `Write ${number}% if that is what you mean.`);
  }
  if (rate >= ONE) throw invalid(field, `${quote(text)} leaves nothing to pay`, example);
  return rate;
}

/**
 * `2026-11-20T10:00:00-06:00` (a zone of its own), `2026-11-20 10:00` (local in `timezone`), or `2026-11-20`
 * (its local midnight). A local time that the clock skips is taken as an hour later, one that comes twice as the first.
 */
export function parseTime(text: string, timezone: string, field: string): Instant {
  const time = parseZonedTime(text.trim()) ?? parseLocalTime(text.trim(), timezone);
  if (time) return time;
  const example = 'Write a day, like 2026-11-20, or a time, like 2026-11-20T10:00:00-06:00.';
  throw invalid(field, `${quote(text)} is not a time`, example);
}

/** ISO 8601 with an offset or `Z` to an instant, cut to microseconds; undefined for anything else. */
export function parseZonedTime(text: string): Instant | undefined {
  return instant(() => Temporal.Instant.from(text));
}

function parseLocalTime(text: string, timezone: string): Instant | undefined {
  return instant(() =>
    Temporal.PlainDateTime.from(text, { overflow: 'reject' }).toZonedDateTime(timezone).toInstant(),
  );
}

function instant(read: () => Temporal.Instant): Instant | undefined {
  try {
    const time = read().toString({ fractionalSecondDigits: 6 });
    return isInstant(time) ? time : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The short ids that people type: `f12` a funding, `p118` a payout, `c3` a credit. */
export function parseId(kind: 'f' | 'p' | 'c', text: string, field: string): bigint {
  const match = /^([fpc])(\d{1,18})$/i.exec(text.trim());
  if (match?.[1]?.toLowerCase() === kind && match[2]) return BigInt(match[2]);
  const noun = { f: 'a funding', p: 'a payout', c: 'a credit' }[kind];
  throw invalid(
    field,
    `${quote(text)} is not the id of ${noun}`,
    `Write it as the lists show it, like ${kind}12.`,
  );
}

/** The name of a client or a commission recipient: 1–64 letters, digits, `-_.`, in Unicode's composed form. */
export function parseName(text: string, field: string): string {
  const name = text.normalize('NFC');
  if (/^[\p{L}\p{N}_.-]{1,64}$/u.test(name)) return name;
  throw invalid(field, `${quote(text)} cannot be a name`, 'Use 1 to 64 letters, digits, "-", "_" or ".".');
}

function positive(text: string, scale: number, field: string, unit: string, example: string): bigint {
  const value = decimal(text, scale, field, unit, example);
  if (value <= 0n) throw invalid(field, `${quote(text)} is not more than zero`, example);
  if (value > LARGEST) throw invalid(field, `${quote(text)} is more than can be`, example);
  return value;
}

function decimal(text: string, scale: number, field: string, unit: string, example: string): bigint {
  try {
    return parseDecimal(text, scale);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const finer = /^-?\d+\.\d+$/.test(text);
    const why = finer ? `is finer than ${scale} decimals, the most for ${unit}` : 'is not a plain number';
    throw invalid(field, `${quote(text)} ${why}`, example);
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function invalid(field: string, what: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${field}: ${what}.`, hint);
}
