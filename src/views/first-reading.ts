import * as z from 'zod';
import { formatDecimal, sum } from '../dca/money.ts';
import type { OwnShares } from '../ledger/cash-outs/own-shares.ts';
import type { Names } from '../ledger/store/names-by-id.ts';
import type { Instant } from '../time.ts';
import { fiat, instant, sats } from './fields.ts';
import { ownSharesView, viewOfOwnShares } from './own-share.ts';

/** What the first run would make the operator's own share, and why. */
export const firstReadingView = z.object({
  start_at: instant,
  cash_outs: z.number(),
  /** The cash that no client's cash covers. */
  own: z.array(z.object({ currency: z.string(), fiat })),
  own_sats: sats,
  /** The same by machine, currency and reason. */
  own_shares: z.array(ownSharesView),
  /** `poll` with it does nothing if the answer would be another meanwhile. */
  digest: z.string(),
});

export type FirstReadingView = z.output<typeof firstReadingView>;

export function viewOfFirstReading(
  startAt: Instant,
  own: OwnShares[],
  names: Names,
): Omit<FirstReadingView, 'digest'> {
  const currencies = [...new Map(own.map(({ currency, digits }) => [currency, digits]))];
  return {
    start_at: startAt,
    cash_outs: own.reduce((all, { cashOuts }) => all + cashOuts, 0),
    own: currencies.map(([currency, digits]) => {
      const parts = own.filter((one) => one.currency === currency).map((one) => one.fiat);
      return { currency, fiat: formatDecimal(sum(parts), digits) };
    }),
    own_sats: sum(own.map((one) => one.sats)),
    own_shares: own.map((one) => viewOfOwnShares(one, names)),
  };
}
