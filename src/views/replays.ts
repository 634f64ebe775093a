import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { Replayed } from '../ledger/clients/replay.ts';
import { fiat, sats } from './fields.ts';

const total = z.object({ purchases: z.int(), fiat, net_sats: sats });

/**
 * What a client's cash bought in a span of the past, and about what it would have bought otherwise. What would have
 * been has two significant digits: more would say how much cash of others was in the machine.
 */
export const replayView = z.object({
  currency: z.string(),
  /** Whether there were cash-outs to compare with; how many, concerns others. */
  compared: z.boolean(),
  was: total,
  would: total,
  /** Of `would`, the part of the added cash. */
  added: z.object({ fiat, net_sats: sats }),
});

export type ReplayView = z.output<typeof replayView>;

export function viewOfReplay(
  { currency, digits }: { currency: string; digits: number },
  was: Replayed,
  would: Replayed,
): ReplayView {
  const decimal = (minor: bigint) => formatDecimal(minor, digits);
  return {
    ...{ currency, compared: would.cashOuts > 0 },
    was: { purchases: was.purchases, fiat: decimal(was.fiat), net_sats: was.net },
    would: {
      ...{ purchases: would.purchases, fiat: decimal(about(would.fiat)), net_sats: about(would.net) },
    },
    added: { fiat: decimal(about(would.addedFiat)), net_sats: about(would.addedNet) },
  };
}

/** Rounded half up to two significant digits: 1,374 is about 1,400. */
export function about(amount: bigint): bigint {
  const scale = BigInt(`1${'0'.repeat(`${amount}`.slice(2).length)}`);
  return ((amount + scale / 2n) / scale) * scale;
}
