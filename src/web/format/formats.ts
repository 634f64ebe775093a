import { type Instant, toMs } from '../../time.ts';

/*
 * How a language writes money, sats, times and rates. Amounts are decimal text or bigints and stay exact: Intl takes
 * both as they are, whatever their size.
 */

export const LANGUAGES = ['en', 'es'] as const;
export type SiteLanguage = (typeof LANGUAGES)[number];

/** Guatemala writes 1,234.50 as English does; bare `es` would write 1.234,50, which reads as another amount. */
const LOCALES: Record<SiteLanguage, string> = { en: 'en-US', es: 'es-GT' };

/** What stands for an amount that is hidden. */
const DOTS = '•••';

export interface Formats {
  language: SiteLanguage;
  timezone: string;
  /** `Q 3,000.00`, from `3000.00` and the code. */
  money(decimal: string, currency: string): string;
  /** The same without the currency, for a column that has it in its head. */
  decimal(decimal: string): string;
  /** `135,000`; the unit is a text. */
  sats(amount: bigint): string;
  /** `0.00135000`, from sats. */
  btc(amount: bigint): string;
  /** Counts and the like. */
  count(value: number | bigint): string;
  /** `5.5 %`, from `0.05500`. */
  percent(rate: string): string;
  /** `Nov 21, 2026, 5:32 AM` */
  time(at: Instant): string;
  /** `5:32 AM` */
  clock(at: Instant): string;
  /** `Nov 21, 2026` */
  day(at: Instant): string;
  /** `Nov 21` */
  shortDay(at: Instant): string;
  /** `2026-11-21`, as exports and forms have it. */
  isoDay(at: Instant): string;
  /** `Nov 21`, from the local day `2026-11-21`. */
  localDay(day: string): string;
  /** `November 2026`, from `2026-11`. */
  month(month: string): string;
  /** `in 2 hours`, `3 days ago`, from `now`. */
  relative(at: Instant, now: Instant): string;
  /** `alice, bob and carl` */
  list(parts: readonly string[]): string;
  /** The form for a count: `one`, `many` or `other`. */
  plural(count: number | bigint): Intl.LDMLPluralRule;
}

const kept = new Map<string, Formats>();

/** `hidden`: amounts are dots, so that nobody who looks on can read them. */
export function formatsOf(language: SiteLanguage, timezone: string, hidden = false): Formats {
  const key = `${language} ${timezone} ${hidden}`;
  const made = kept.get(key) ?? madeFormats(language, timezone, hidden);
  kept.set(key, made);
  return made;
}

function madeFormats(language: SiteLanguage, timeZone: string, hidden: boolean): Formats {
  const locale = LOCALES[language];
  const plain = new Intl.NumberFormat(locale, { useGrouping: 'always' });
  const of = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone, ...options });
  const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  const clock = { hour: 'numeric', minute: '2-digit' } as const;
  const [times, clocks, days] = [of({ ...day, ...clock }), of(clock), of(day)];
  const shortDays = of({ day: 'numeric', month: 'short' });
  const isoDays = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' });
  const months = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: 'long', year: 'numeric' });
  const localDays = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', day: 'numeric', month: 'short' });
  const relatives = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const lists = new Intl.ListFormat(locale, { type: 'conjunction' });
  const plurals = new Intl.PluralRules(locale);
  const shown = (text: string) => (hidden ? DOTS : text);
  return {
    ...{ language, timezone: timeZone },
    money: (decimal, currency) => shown(moneyText(locale, decimal, currency)),
    decimal: (decimal) => shown(decimals(locale, decimal).format(decimal as `${number}`)),
    sats: (amount) => shown(plain.format(amount)),
    btc: (amount) => shown(btcText(amount)),
    count: (value) => plain.format(value),
    percent: (rate) => percentText(locale, rate),
    time: (at) => times.format(toMs(at)),
    clock: (at) => clocks.format(toMs(at)),
    day: (at) => days.format(toMs(at)),
    shortDay: (at) => shortDays.format(toMs(at)),
    isoDay: (at) => isoDays.format(toMs(at)),
    localDay: (one) => localDays.format(toMs(`${one}T00:00:00.000000Z`)),
    month: (month) => months.format(toMs(`${month}-01T00:00:00.000000Z`)),
    relative: (at, now) => relativeText(relatives, toMs(at) - toMs(now)),
    list: (parts) => lists.format(parts),
    plural: (count) => plurals.select(Number(count)),
  };
}

const byDigits = new Map<string, Intl.NumberFormat>();

/** As many decimals as the text has: how many a currency has is kept in the ledger, and Intl knows it otherwise. */
function decimals(locale: string, decimal: string, currency?: string): Intl.NumberFormat {
  const digits = decimal.split('.')[1]?.length ?? 0;
  const key = `${locale} ${digits} ${currency}`;
  const format =
    byDigits.get(key) ??
    new Intl.NumberFormat(locale, {
      ...{ minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: 'always' },
      ...(currency !== undefined && {
        style: 'currency',
        currency,
        currencyDisplay: displayOf(locale, currency),
      }),
    });
  byDigits.set(key, format);
  return format;
}

/** `Q` is short and nobody else's here; `$` is that of too many, so it stays `US$` or `MX$`. */
function displayOf(locale: string, currency: string): 'code' | 'narrowSymbol' {
  const parts = new Intl.NumberFormat(locale, {
    ...{ style: 'currency', currency, currencyDisplay: 'narrowSymbol' },
  }).formatToParts(0);
  const symbol = parts.find(({ type }) => type === 'currency')?.value ?? currency;
  return /^[$£¥]$|^kr|^Rs/.test(symbol) ? 'code' : 'narrowSymbol';
}

/** A space that does not break stands between the currency and its number, in each language. */
function moneyText(locale: string, decimal: string, currency: string): string {
  const parts = decimals(locale, decimal, currency).formatToParts(decimal as `${number}`);
  const number = parts.filter(({ type }) => !['currency', 'literal', 'minusSign'].includes(type));
  const symbol = parts.find(({ type }) => type === 'currency')?.value ?? currency;
  const sign = parts.some(({ type }) => type === 'minusSign') ? '−' : '';
  return `${sign}${symbol}\u00a0${number.map(({ value }) => value).join('')}`;
}

function btcText(amount: bigint): string {
  const digits = `${amount < 0n ? -amount : amount}`.padStart(9, '0');
  return `${amount < 0n ? '−' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

/** Moves the point by two digits in the text, so that no digit is lost. */
function percentText(locale: string, rate: string): string {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(rate) ?? [];
  const digits = fraction.padEnd(2, '0');
  const moved = `${sign}${BigInt(`${whole}${digits.slice(0, 2)}`)}.${digits.slice(2)}`.replace(/\.?0*$/, '');
  return `${decimals(locale, moved).format(moved as `${number}`)}\u00a0%`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

function relativeText(relatives: Intl.RelativeTimeFormat, ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => Math.abs(ms) >= one) ?? (['minute', 60_000] as const);
  return relatives.format(Math.trunc(ms / size), unit);
}
