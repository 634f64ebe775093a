import { type Cash, fill, type Mode, type Priority } from './fill.ts';
import { ONE, sum } from './money.ts';
import { assertSum, largestRemainder, roundHalfUp } from './split.ts';

/** A funding that may serve this cash-out: deposited before it, of its currency, for its machine or for all. */
export interface EligibleFunding extends Cash {
  /** Its own commission rate, or its machine's, ×10^5; null: what Lamassu charged. */
  rate: bigint | null;
}

/** The part of one cash-out that falls on one funding: fiat in minor units, the others in sat. */
export interface Allocation {
  funding: bigint;
  client: bigint;
  mode: Mode;
  fiat: bigint;
  /** Its part of what is distributed, before commission. */
  gross: bigint;
  commission: bigint;
  /** gross − commission: what the client gets. */
  net: bigint;
}

/** A cash-out, divided to the last sat and minor unit. */
export interface Division {
  /** The fundings that gave cash, ordered by id. */
  allocations: Allocation[];
  /** The part that no client's cash covered: it stays in the source wallet, net of its commission. */
  own: { fiat: bigint; gross: bigint; commission: bigint; net: bigint };
  /** The whole commission, including that of the own part. */
  commission: bigint;
  /** All clients together. */
  net: bigint;
}

/**
 * Divides one cash-out over the fundings that may serve it, and gives the rest to the own part.
 *
 * Fiat goes as `fill` says. `distributed` is split over the fiat: each part is the gross of its allocation. The
 * commission is split likewise; a funding with a rate then pays its gross × rate, rounded half up, instead of its part
 * of the commission. Always: Σ net + commission + own net = distributed, and Σ fiat + own fiat = fiat. The order of
 * `fundings` does not matter.
 *
 * Throws if the books would not add up, if a commission would exceed its gross, or if an input is negative.
 */
export function allocate(input: {
  /** Minor units; more than 0. */
  fiat: bigint;
  /** What the layperson paid for this cash, in sat: `distributed` of the cash-out. */
  distributed: bigint;
  /** What Lamassu charged of it, in sat. */
  commission: bigint;
  fundings: readonly EligibleFunding[];
  /** By client: what is left of each fixed client's daily limit in this currency, in minor units. Absent: 0. */
  limitLeft: ReadonlyMap<bigint, bigint>;
  priority: Priority;
}): Division {
  const { fiat, distributed, commission, limitLeft, priority } = input;
  if (fiat <= 0n || commission < 0n || commission > distributed) {
    throw new RangeError(`cannot divide fiat ${fiat}, distributed ${distributed}, commission ${commission}`);
  }
  const taken = fill(fiat, input.fundings, limitLeft, priority);
  const ownFiat = fiat - sum(taken.values());
  if (ownFiat < 0n) throw new Error(`the fundings give ${-ownFiat} more than the ${fiat} that came out`);
  const fundings = input.fundings.filter(({ id }) => taken.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));

  // The own part is last in each list, so it loses every tie.
  const fiats = [...fundings.map(({ id }) => taken.get(id) ?? 0n), ownFiat];
  assertSum('fiat', fiats, fiat);
  const grosses = largestRemainder(
    distributed,
    fiats.map((weight) => ({ weight })),
  );
  const charged = largestRemainder(
    commission,
    fiats.map((weight, i) => ({ weight, cap: grosses[i] ?? 0n })),
  );

  const allocations = fundings.map(({ id, client, mode, rate }, i): Allocation => {
    const part = grosses[i] ?? 0n;
    const cost = rate === null ? (charged[i] ?? 0n) : roundHalfUp(part * rate, ONE);
    return {
      funding: id,
      client,
      mode,
      fiat: fiats[i] ?? 0n,
      gross: part,
      commission: cost,
      net: part - cost,
    };
  });
  const ownGross = grosses.at(-1) ?? 0n;
  const ownCommission = charged.at(-1) ?? 0n;
  const own = { fiat: ownFiat, gross: ownGross, commission: ownCommission, net: ownGross - ownCommission };

  const division = {
    allocations,
    own,
    commission: sum(allocations.map((a) => a.commission)) + own.commission,
    net: sum(allocations.map((a) => a.net)),
  };
  const negative = [...allocations, own].find(({ net }) => net < 0n);
  if (negative) throw new Error(`a commission of ${negative.commission} exceeds its gross ${negative.gross}`);
  assertSum('distributed', [division.net, division.commission, own.net], distributed);
  return division;
}
