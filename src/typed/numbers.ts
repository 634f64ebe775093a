import { type Currencies, currencyDigits } from '../dca/currency.ts';
import { formatDecimal, groupDigits, MAX_SATS, ONE, RATE_SCALE } from '../dca/money.ts';
import { invalid } from '../errors.ts';
import { quote } from './quote.ts';

/*
 * Numbers that the operator types. Countries use points and commas in opposite roles, so an ambiguous number is
 * refused, and the error shows both readings. `parseDecimal` reads numbers from a database. `field` is the field of the
 * input or the key of config.toml (`rate`, `amount`, `review.cash_out_above`). Every function throws BridgeError
 * `usage/invalid`, which names the field and shows a valid value.
 */

/** An amount of cash in minor units of `currency`; `digits` is the number of decimals. */
export interface Amount {
  minor: bigint;
  currency: string;
  digits: number;
}

/** Amounts of cash have the same limit. */
const LARGEST = MAX_SATS;

/** Digits without leading zeros, and decimals after a point. */
const PLAIN = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/** Separators between digits: points, commas, blanks of every width, apostrophes, underscores. */
const MARK = /[.,\s'’‘ʼ`´_·٫٬،]/u;

/**
 * `3000 GTQ`, `3000.50 GTQ`. Refused: zero, a sign, an unknown currency, more decimals than the currency has
 * (even zeros), any grouping, and digits other than 0 to 9. `1.250 KWD` has the three decimals of its currency: 1.25.
 */
export function parseAmount(text: string, field: string, known?: Currencies): Amount {
  return readAmount(text, field, known, '');
}

/** An amount that may be below zero: `-50 GTQ`, `50 GTQ`, `+50 GTQ`. */
export function parseDifference(text: string, field: string, known?: Currencies): Amount {
  const [, sign = '', rest = ''] = /^\s*([-−+]?)(.*)$/su.exec(text) ?? [];
  if (sign === '' || sign === '+') return readAmount(rest, field, known, '');
  const amount = readAmount(rest, field, known, '-');
  return { ...amount, minor: -amount.minor };
}

function readAmount(text: string, field: string, known: Currencies | undefined, sign: '' | '-'): Amount {
  const example = `Write a number and a currency, like "${sign}3000.50 GTQ".`;
  const [, number = '', code] = /^(.*\S)\s+(\p{L}\S*)$/su.exec(text.trim()) ?? [];
  if (code === undefined) {
    const glued = /^([0-9.,]+)([A-Za-z]{3})$/.exec(text.trim());
    throw invalid(
      field,
      `${quote(text)} is not an amount with its currency`,
      glued ? `Write a blank between: "${sign}${glued[1]} ${glued[2]?.toUpperCase()}".` : example,
    );
  }
  const { currency, digits } = parseCurrency(code, field, known, example);
  const minor = positive(number, { field, scale: digits, unit: currency, example, sign });
  return { minor, currency, digits };
}

/** `GTQ`, with the digits of its minor unit. */
export function parseCurrency(
  text: string,
  field: string,
  known?: Currencies,
  example = 'Write its code, like GTQ.',
): Pick<Amount, 'currency' | 'digits'> {
  const word = text.trim();
  const currency = /^[A-Za-z]{3}$/.test(word) ? word.toUpperCase() : '';
  const digits = currencyDigits(currency, known);
  if (digits !== undefined) return { currency, digits };
  throw invalid(
    field,
    `${quote(word)} is not the code of a currency with cash (ISO 4217)`,
    currency === ''
      ? example
      : `${example} Where ${currency} is newer than this program, config.toml makes it known: [currencies] ${currency} = 2, the digits of its minor unit.`,
  );
}

/** `61234`, `61234 sat`. */
export function parseSats(text: string, field: string): bigint {
  return positive(satsOf(text), satoshi(field));
}

/** The same, or `0`. */
export function parseSatsOrNone(text: string, field: string): bigint {
  return satsOf(text) === '0' ? 0n : parseSats(text, field);
}

function satoshi(field: string): NumberFormat {
  return { field, scale: 0, unit: 'sat', example: 'Write whole satoshi, like "61234 sat".' };
}

function satsOf(text: string): string {
  return text.trim().replace(/\s*(?<!\p{L})sats?$/iu, '');
}

/** A whole number from 1 to `most`; `unit` is what it counts, for the hint. */
export function parseWhole(text: string, field: string, most: bigint, example: string): bigint {
  const value = positive(text.trim(), { field, scale: 0, unit: '', example });
  if (value > most) throw invalid(field, `${quote(text)} is more than ${most}`, example);
  return value;
}

/** `5.5%` or `0.055` to 5500, scaled by 10^5. A bare number of 0.5 or more is refused: it probably means percent. */
export function parseRate(text: string, field: string): bigint {
  const example = 'Write "5.5%" or "0.055".';
  const [, number = '', percent] = /^(.*?)(\s*%)?$/s.exec(text.trim()) ?? [];
  const scale = percent ? RATE_SCALE - 2 : RATE_SCALE;
  const rate = decimal(number, { field, scale, unit: percent ? '%' : 'a rate', example });
  if (!percent && rate * 2n >= ONE) {
    const meant = formatDecimal(rate * 100n, RATE_SCALE).replace(/\.?0+$/, '');
    throw invalid(field, `${number} would be ${meant} %`, `Write ${number}% if that is what you mean.`);
  }
  if (rate >= ONE) throw invalid(field, `${quote(text)} leaves nothing to pay`, example);
  return rate;
}

/** The highest commission rate, ×10^5. */
const HIGHEST_RATE = ONE / 2n;

/** A commission rate, like `5%`, scaled by 10^5. */
export function parseCommissionRate(text: string, field: string): bigint {
  const rate = parseRate(text, field);
  if (rate <= HIGHEST_RATE) return rate;
  throw invalid(field, 'more than 50 % is no commission rate', 'Write it like "5%" or "0.05".');
}

/** What kind of number is expected: at most `scale` decimals, counting `unit`. */
interface NumberFormat {
  field: string;
  scale: number;
  /** `GTQ`, `sat`, `%`; 'a rate' and the empty text are not repeated after a number. */
  unit: string;
  example: string;
  /** The sign that stood before the number; suggestions repeat it. */
  sign?: '' | '-';
}

function positive(text: string, wanted: NumberFormat): bigint {
  const { field, example } = wanted;
  const value = decimal(text, wanted);
  if (value === 0n) throw invalid(field, `${quote(text)} is not more than zero`, example);
  if (value > LARGEST) throw invalid(field, `${quote(text)} is more than can be`, example);
  return value;
}

/** Scaled by 10^`scale`. */
function decimal(text: string, wanted: NumberFormat): bigint {
  const { field, scale, unit, example, sign = '' } = wanted;
  const [, whole, decimals = ''] = PLAIN.exec(text) ?? [];
  // An integer of a million digits would take minutes to parse.
  if (whole !== undefined && decimals.length <= scale && whole.length <= 40) {
    return BigInt(whole + decimals.padEnd(scale, '0'));
  }
  const isWhole = unit === '' || unit === 'a rate' || /\p{L}$/u.test(text);
  const shown = quote(sign + (isWhole ? text : unit === '%' ? `${text}%` : `${text} ${unit}`));
  const meant = readings(text, wanted);
  const [one, other] = meant;
  if (one !== undefined && other !== undefined) {
    const read = (number: string) => `${sign}${groupDigits(number)}${unit === '%' ? ' %' : ''}`;
    throw invalid(
      field,
      `${shown} can be read as ${read(one)} or as ${read(other)}`,
      `Write ${written(sign + other, unit)}${without(text, other)} or ${written(sign + one, unit)}, whichever is meant.`,
    );
  }
  const hint =
    one === undefined ? example : `Write ${written(sign + one, unit)}${without(text, one)} if that is meant.`;
  throw invalid(field, `${shown} ${fault(text, scale, unit)}`, hint);
}

function fault(text: string, scale: number, unit: string): string {
  if (/^[-−–]/.test(text)) return 'is negative';
  if (/^0[0-9]/.test(text)) return 'begins with a zero';
  if (/^[0-9]+\.[0-9]+$/.test(text)) {
    if (scale === 0) return 'has a point, and only whole numbers go';
    return `is finer than ${scale} decimals, the most for ${unit}`;
  }
  const mark = markIn(text);
  if (mark !== undefined) return `has ${mark}, and only digits and a point go`;
  if (/[^\p{ASCII}]/u.test(text) && /\p{Nd}/u.test(text))
    return 'is not a plain number: only the digits 0 to 9 go';
  return 'is not a plain number';
}

/** What groups the digits of `text`, though a plain number has only a point: `a comma`. */
function markIn(text: string): string | undefined {
  const mark = /(?<=[0-9])[^.0-9](?=[0-9])/u.exec(text)?.[0] ?? '';
  if (mark === ',') return 'a comma';
  if (mark === '_') return 'an underscore';
  if (/^\s$/u.test(mark)) return 'a blank';
  return /^['’‘ʼ`´]$/u.test(mark) ? 'an apostrophe' : undefined;
}

/** `, without a comma,` where the number that is meant has all digits of `text`, ungrouped. */
function without(text: string, meant: string): string {
  const mark = markIn(text);
  const isGrouping = !meant.includes('.') || /\.[0-9]*$/.test(text);
  return mark === undefined || !isGrouping ? '' : `, without ${mark},`;
}

function written(number: string, unit: string): string {
  return unit === '' || unit === 'a rate'
    ? `"${number}"`
    : unit === '%'
      ? `"${number}%"`
      : `"${number} ${unit}"`;
}

/**
 * The numbers of at most `scale` decimals that digits with separators could mean: with the last separator as the
 * decimal point, and with all of them as grouping. The smaller one first; empty if there is no such reading.
 */
function readings(text: string, { scale }: NumberFormat): string[] {
  if (!/^[0-9]/.test(text) || !/[0-9]$/.test(text) || text.length > 40) return [];
  const parts = text.split(MARK);
  if (!parts.every((part) => /^[0-9]+$/.test(part))) return [];
  const marks = [...text].filter((letter) => MARK.test(letter));
  const [first = '', ...groups] = parts;
  const last = parts.at(-1) ?? '';
  const found = new Set<string>();
  const parting = marks.at(-1);
  const before = groups.slice(0, -1);
  const parted =
    (parting === '.' || parting === ',' || parting === '٫') &&
    !marks.slice(0, -1).includes(parting) &&
    before.every((group) => group.length === 3);
  if (parted) {
    const decimals = last.replace(/0+$/, '');
    if (decimals.length <= scale) found.add(bare(parts.slice(0, -1).join(''), decimals));
  }
  const grouped = groups.length > 0 && last.length === 3 && new Set(marks).size === 1 && !/^0/.test(first);
  if (grouped && groups.every((group) => group.length === 2 || group.length === 3))
    found.add(bare(parts.join('')));
  if (groups.length === 0) found.add(bare(first));
  return [...found];
}

function bare(whole: string, decimals = ''): string {
  const number = whole.replace(/^0+(?=[0-9])/, '');
  return decimals === '' ? number : `${number}.${decimals}`;
}
