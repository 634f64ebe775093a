import { data } from 'currency-codes';

/** Currencies that are known besides those of the list below, by their code: the digits of the minor unit. */
export type Currencies = ReadonlyMap<string, number>;

/**
 * What currency-codes lacks of ISO 4217: what came after its last list (amendment 176), and what was withdrawn (list
 * three) since Lamassu's machines are in use, for books and rows of those days.
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
    // Skip non-circulating codes, which the package files under pseudo-countries such as "Zz08_gold".
    .filter(({ countries }) => !countries.some((country) => country.startsWith('Zz')))
    .map(({ code, digits }): [string, number] => [code, digits]),
]);

/**
 * Minor-unit digits of an ISO 4217 currency: 2 for `'GTQ'`, 0 for `'JPY'`. What is in `known` goes first: a list is of
 * its day, and amounts that are written down keep their meaning. Undefined for an unknown code, one that is not in upper
 * case, and the codes that stand for metals, tests and "no currency".
 * Not from `Intl`, which says 0 digits for COP, IDR, HUF and others, and 2 for codes that do not exist.
 */
export function currencyDigits(code: string, known?: Currencies): number | undefined {
  return known?.get(code) ?? digitsOf.get(code);
}
