import { code as find } from 'currency-codes';

/**
 * Minor-unit digits of an ISO 4217 currency: 2 for `'GTQ'`, 0 for `'JPY'`. Undefined for an unknown code, one
 * that is not three upper-case letters, and the codes that stand for metals, tests and "no currency".
 * Not from `Intl`, which says 0 digits for COP, IDR, HUF and others, and 2 for codes that do not exist.
 */
export function currencyDigits(code: string): number | undefined {
  if (!/^[A-Z]{3}$/.test(code)) return undefined;
  const entry = find(code);
  // The package files codes that are nobody's money under pretended countries: "Zz08_gold".
  if (entry?.countries.some((country) => country.startsWith('Zz'))) return undefined;
  return entry?.digits;
}
