/*
 * Why a payout waits for sats. The ledger keeps the reason of a payout as a sentence, and earlier versions wrote the
 * same sentences. So every writer of a reason takes its words from here, and only `lackOf` reads them.
 */

/** In each reason that speaks of the balance of the source wallet. */
export const SOURCE_HOLDS = 'source wallet holds';

/** As far as is known, the sats are there, but no payment has shown LNbits' service fee yet. */
export const WANTS_MORE = `the ${SOURCE_HOLDS} what is due by what is known, and LNbits wants more, as for a service fee`;

/** LNbits' own words (1.0 to 1.6), which the reason repeats. */
const INSUFFICIENT = /insufficient balance/i;

/**
 * `sats`: the source wallet holds too little; `fee`: it lacks a service fee that is not known. Null: it waits for no
 * sats.
 */
export function lackOf(reason: string | null): 'sats' | 'fee' | null {
  if (reason === null) return null;
  if (reason.includes(WANTS_MORE)) return 'fee';
  return reason.includes(SOURCE_HOLDS) || INSUFFICIENT.test(reason) ? 'sats' : null;
}
