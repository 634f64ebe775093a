/* Why a row of Lamassu is not distributed, as lists, pages and messages have it. */

/** By the code of the reason; `judging/review-reasons.ts` has the meanings. */
export const reasonWords: Readonly<Record<string, string>> = {
  'not-confirmed': 'not confirmed yet',
  unconfirmed: 'never confirmed',
  'not-dispensed': 'cash not out yet',
  'dispense-unconfirmed': 'dispensing not confirmed',
  'several-machines': 'cash of several machines',
  error: 'error while dispensing',
  'other-coin': 'paid in another coin',
  'before-start': 'confirmed before start_at',
  future: 'time in the future',
  'unknown-currency': 'unknown currency',
  malformed: 'figures that cannot be right',
  'no-rate': 'commission unknown',
  'implausible-rate': 'commission that cannot be right',
  'negative-commission': 'commission below zero',
  large: 'larger than cash_out_above',
  backdated: 'time in doubt',
  'currency-changed': 'currency changed',
  clock: 'entry by a wrong clock',
  changed: 'changed in Lamassu',
  'not-allocated': 'could not be divided',
};

/** The same after a number of rows, where the words above name no row. */
const countedWords: Readonly<Record<string, string>> = {
  'not-dispensed': 'whose cash is not out yet',
  'dispense-unconfirmed': 'whose dispensing is not confirmed',
  'several-machines': 'with cash of several machines',
  future: 'with a time in the future',
  'unknown-currency': 'in an unknown currency',
  malformed: 'with figures that cannot be right',
  'no-rate': 'with an unknown commission',
  'implausible-rate': 'with a commission that cannot be right',
  'negative-commission': 'with a commission below zero',
  backdated: 'with a time in doubt',
  'currency-changed': 'in another currency than before',
  clock: 'with an entry by a wrong clock',
};

/** `3 whose cash is not out yet` */
export function countedReason(count: number, reason: string): string {
  return `${count} ${countedWords[reason] ?? reasonInWords(reason)}`;
}

/** A reason as people read it; one of another version as it stands in the ledger. */
export function reasonInWords(reason: string): string {
  return reasonWords[reason] ?? reason;
}

/** With its code, by which the documentation names it, and what is said of the row. */
export function judgedInWords({ reason, detail }: { reason: string; detail: string }): string {
  return `${reasonInWords(reason)} (${reason}): ${detail}`;
}
