import { priceOf } from './price.ts';
import { roundHalfUp } from './split.ts';

/** What a client has in one currency, from what is settled. */
export interface Metrics {
  satsStacked: bigint;
  /** Minor units. */
  fiatSpent: bigint;
  /** Fiat per BTC received, in minor units, rounded half up; null before the first sat. */
  averageRate: bigint | null;
  /** Sats per one whole unit of the currency, ×100, rounded half up; null before the first fiat. */
  satsPerUnit: bigint | null;
}

/** From the sums over settled allocations: sats (net) and fiat in minor units of `digits` digits. */
export function metrics(settled: { sats: bigint; fiat: bigint; digits: number }): Metrics {
  const { sats, fiat, digits } = settled;
  return {
    satsStacked: sats,
    fiatSpent: fiat,
    averageRate: priceOf({ fiat, sats }),
    satsPerUnit: fiat > 0n ? roundHalfUp(sats * 10n ** BigInt(digits) * 100n, fiat) : null,
  };
}
