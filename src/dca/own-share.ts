import { ONE } from './money.ts';
import { assertSum, largestRemainder, roundHalfUp } from './split.ts';

/** Fiat in minor units, the others in sat. */
export interface OwnPart {
  fiat: bigint;
  gross: bigint;
  commission: bigint;
}

/**
 * Takes `fiat` out of the operator's own part of a cash-out that was divided before. `whole` is all that was
 * distributed. The part taken and what is left of the own part stay in exact proportion to their cash, rounded down or
 * up to a whole sat; a tie goes to the part that is taken, as in `allocate`, where the own part stands last. No
 * client's part changes. The commission is the taken part of what was charged of the own part, or `rate` (×10^5) of its
 * gross, rounded half up.
 *
 * Throws if more is to be taken than the own part has, or if the parts do not fit the whole.
 */
export function takeFromOwn(
  whole: { fiat: bigint; gross: bigint },
  own: OwnPart,
  fiat: bigint,
  rate: bigint | null,
): { taken: OwnPart; left: OwnPart } {
  if (fiat <= 0n || fiat > own.fiat) throw new RangeError(`cannot take fiat ${fiat} out of ${own.fiat}`);
  const rest = own.fiat - fiat;
  const exact = [whole.gross * fiat, whole.gross * rest] as const;
  const floors = exact.map((part) => part / whole.fiat);
  const over = own.gross - (floors[0] ?? 0n) - (floors[1] ?? 0n);
  const first = exact[0] % whole.fiat >= exact[1] % whole.fiat;
  const gross = (floors[0] ?? 0n) + (over === 2n || (over === 1n && first) ? 1n : 0n);
  const left = own.gross - gross;
  if (over < 0n || over > 2n) {
    throw new Error(`an own part of ${own.gross} sat does not fit ${own.fiat} of ${whole.fiat}`);
  }
  const charged = largestRemainder(own.commission, [
    { weight: fiat, cap: gross },
    { weight: rest, cap: left },
  ]);
  assertSum('commission', charged, own.commission);
  const commission = rate === null ? (charged[0] ?? 0n) : roundHalfUp(gross * rate, ONE);
  return {
    taken: { fiat, gross, commission },
    left: { fiat: rest, gross: left, commission: charged[1] ?? 0n },
  };
}
