import { SATS_PER_BTC } from './money.ts';
import { roundHalfUp } from './split.ts';

/** Cash in minor units, and the sats that it bought: a price, exact as a fraction. */
export interface Bought {
  fiat: bigint;
  sats: bigint;
}

/** Minor units for one BTC, rounded half up; null where nothing was bought. */
export function priceOf({ fiat, sats }: Bought): bigint | null {
  return sats > 0n ? roundHalfUp(fiat * SATS_PER_BTC, sats) : null;
}

/** What `amount` of sats is worth at that price, in minor units, rounded half up; null without a price. */
export function worthOf(amount: bigint, { fiat, sats }: Bought): bigint | null {
  return sats > 0n ? roundHalfUp(amount * fiat, sats) : null;
}

/**
 * The worth of one part of a sum, where `before` is the sum of the parts before it. The worths of all parts add up to
 * that of the sum.
 */
export function worthOfPart(before: bigint, part: bigint, bought: Bought): bigint | null {
  const [until, since] = [worthOf(before + part, bought), worthOf(before, bought)];
  return until === null || since === null ? null : until - since;
}
