import { sum } from './money.ts';

/** `numerator / denominator` to the nearest integer, halves up. For numerators from 0 and denominators from 1. */
export function roundHalfUp(numerator: bigint, denominator: bigint): bigint {
  if (numerator < 0n || denominator <= 0n) throw new RangeError(`cannot round ${numerator}/${denominator}`);
  return (2n * numerator + denominator) / (2n * denominator);
}

/** Ends each step that divides money. A mismatch is a defect in this program, so a plain Error. */
export function assertSum(what: string, parts: Iterable<bigint>, total: bigint): void {
  const added = sum(parts);
  if (added !== total) throw new Error(`${what}: the parts add up to ${added}, not to ${total}`);
}

export interface Weighted {
  weight: bigint;
  /** The part never gets more than this; without it, anything goes. */
  cap?: bigint;
}

/**
 * Divides `total` over `parts` in proportion to their weights, in their order: floors first, then one unit each by the
 * largest remainder, ties by position. What a cap leaves over is divided again.
 *
 * `largestRemainder(10n, [{ weight: 1n }, { weight: 1n }, { weight: 1n }])` is `[4n, 3n, 3n]`.
 *
 * Throws an Error if the caps leave no room for the whole of `total`, or if nothing has a weight.
 */
export function largestRemainder(total: bigint, parts: readonly Weighted[]): bigint[] {
  if (total < 0n || parts.some(({ weight }) => weight < 0n)) {
    throw new RangeError(`cannot divide ${total}: it or a weight is negative`);
  }
  const weights = sum(parts.map(({ weight }) => weight));
  if (total === 0n) return parts.map(() => 0n);
  if (weights === 0n) throw new Error(`nobody to give ${total} to`);

  const shares = parts.map(({ weight, cap }) => {
    const floor = (total * weight) / weights;
    return {
      amount: cap !== undefined && cap < floor ? cap : floor,
      remainder: (total * weight) % weights,
      weight,
      cap,
    };
  });
  let left = total - sum(shares.map(({ amount }) => amount));
  const byRemainder = shares
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.remainder === b.remainder ? 0 : a.remainder > b.remainder ? -1 : 1));
  while (left > 0n) {
    const before = left;
    for (const share of byRemainder) {
      if (left === 0n) break;
      if (share.cap !== undefined && share.amount >= share.cap) continue;
      share.amount += 1n;
      left -= 1n;
    }
    if (left === before) throw new Error(`${left} of ${total} is left over: everybody is at the cap`);
  }
  const amounts = shares.map(({ amount }) => amount);
  assertSum('largest remainder', amounts, total);
  return amounts;
}
