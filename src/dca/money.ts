/**
 * Rates (0.05500 is 5.5 %) and Lamassu's `numeric(14,5)` columns (fiat, price, fee) are integers
 * scaled by 10^5.
 */
export const RATE_SCALE = 5;

/** The rate of 100 %, ×10^5. */
export const ONE = 10n ** BigInt(RATE_SCALE);

export const SATS_PER_BTC = 100_000_000n;

/** The maximum supply of bitcoin, 21 million, in satoshi. It fits the integers of every database. */
export const MAX_SATS = 21_000_000n * SATS_PER_BTC;

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Plain decimal text to an integer scaled by 10^`scale`, exactly: `parseDecimal('3000.5', 2)` is `300050n`.
 * Zeros beyond the scale are no loss and accepted (`'4000.00000'` at scale 2).
 * Throws a RangeError on anything else: exponents, grouping, spaces, NaN, a digit finer than the scale.
 */
export function parseDecimal(text: string, scale: number): bigint {
  const match = DECIMAL.exec(text);
  if (!match) throw new RangeError(`not a plain decimal number: ${JSON.stringify(text)}`);
  const [, sign = '', whole = '', decimals = ''] = match;
  const fraction = decimals.replace(/0+$/, '');
  if (fraction.length > scale) throw new RangeError(`more than ${scale} decimals: ${text}`);
  const value = BigInt(whole + fraction.padEnd(scale, '0'));
  return sign === '-' ? -value : value;
}

/** An integer scaled by 10^`scale` as plain decimal text with all its decimals: `300000n` at 2 is `'3000.00'`. */
export function formatDecimal(value: bigint, scale: number): string {
  const digits = `${value < 0n ? -value : value}`.padStart(scale + 1, '0');
  const sign = value < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A rate scaled by 10^5 as decimal text: `5500n` is `'0.05500'`. */
export function formatRate(rate: bigint): string {
  return formatDecimal(rate, RATE_SCALE);
}

/** A rate scaled by 10^5 as percent: `5500n` is `'5.5 %'`. */
export function percent(rate: bigint): string {
  return `${formatDecimal(rate, RATE_SCALE - 2).replace(/\.?0+$/, '')} %`;
}

/** `3 % to 8 %`, `at least 3 %`, `at most 8 %`, `any rate`; null is no bound. */
export function percentRange(min: bigint | null, max: bigint | null): string {
  if (min !== null && max !== null) return `${percent(min)} to ${percent(max)}`;
  if (min !== null) return `at least ${percent(min)}`;
  return max === null ? 'any rate' : `at most ${percent(max)}`;
}

/**
 * With grouped digits: `484207n` is `'484,207'`, `'-3000.5'` is `'-3,000.5'`. Takes sats, or what `formatDecimal` gave.
 */
export function groupDigits(amount: bigint | string): string {
  const [whole = '', fraction] = `${amount}`.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `3,000.00 GTQ`, from the decimal text that `formatDecimal` gave. */
export function cashText(amount: string, currency: string): string {
  return `${groupDigits(amount)} ${currency}`;
}

/** `3,000.00 GTQ`, from minor units. */
export function formatCash(minor: bigint, digits: number, currency: string): string {
  return cashText(formatDecimal(minor, digits), currency);
}

/** `123,456 sat` */
export function formatSats(sats: bigint): string {
  return `${groupDigits(sats)} sat`;
}

export function sum(values: Iterable<bigint>): bigint {
  let total = 0n;
  for (const value of values) total += value;
  return total;
}
