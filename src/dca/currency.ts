import { data } from 'currency-codes';

const digitsOf = new Map(
  data
    // The package files codes that are nobody's money under pretended countries: "Zz08_gold".
    .filter(({ countries }) => !countries.some((country) => country.startsWith('Zz')))
    .map(({ code, digits }) => [code, digits]),
);

/**
 * Minor-unit digits of an ISO 4217 currency: 2 for `'GTQ'`, 0 for `'JPY'`. Undefined for an unknown code, one
 * that is not in upper case, and the codes that stand for metals, tests and "no currency".
 * Not from `Intl`, which says 0 digits for COP, IDR, HUF and others, and 2 for codes that do not exist.
 */
export function currencyDigits(code: string): number | undefined {
  return digitsOf.get(code);
}
