import { data } from 'currency-codes';

/** Further currencies by their code, with the digits of the minor unit. They go before the list below. */
export type Currencies = ReadonlyMap<string, number>;

/**
 * Codes of ISO 4217 that the package currency-codes lacks: newer ones (amendment 176), and those withdrawn since
 * Lamassu's machines exist (list three). Old books and rows still have the latter.
 */
const OTHERS: readonly [string, number][] = [
  ['XCG', 2],
  ['ANG', 2],
  ['BGN', 2],
  ['BYR', 0],
  ['CUC', 2],
  ['HRK', 2],
  ['LTL', 2],
  ['LVL', 2],
  ['MRO', 2],
  ['SLL', 2],
  ['STD', 2],
  ['VEF', 2],
  ['ZMK', 2],
  ['ZWL', 2],
];

const digitsOf = new Map<string, number>([
  ...OTHERS,
  ...data
    // Skips non-circulating codes, which the package files under pseudo-countries such as "Zz08_gold".
    .filter(({ countries }) => !countries.some((country) => country.startsWith('Zz')))
    .map(({ code, digits }): [string, number] => [code, digits]),
]);

/**
 * Minor-unit digits of an ISO 4217 currency: 2 for `'GTQ'`, 0 for `'JPY'`. `known` goes first:
 * lists change, and recorded amounts must keep their meaning. Undefined for an unknown code, one that is not in upper
 * case, and the codes that stand for metals, tests and "no currency".
 * Not from `Intl`, which says 0 digits for COP, IDR, HUF and others, and 2 for codes that do not exist.
 */
export function currencyDigits(code: string, known?: Currencies): number | undefined {
  return known?.get(code) ?? digitsOf.get(code);
}
