import * as z from 'zod';
import { formatDecimal, formatRate, SATS_PER_BTC } from '../dca/money.ts';
import { proportionOf } from '../dca/settlement.ts';
import { roundHalfUp } from '../dca/split.ts';
import type { Settlement } from '../ledger/cash-outs/settlement.ts';
import type { CashOutDetail } from '../ledger/cash-outs/view.ts';
import type { Voided } from '../ledger/cash-outs/void.ts';
import { cashOutDetailView, viewOfCashOutDetail } from './cash-outs.ts';
import { fiat, instant, price, rate, sats } from './fields.ts';

/** The origin of the figures. */
const proposalView = z.object({
  /** The sats paid for the cash that came out, and the commission that Lamassu charged on them. */
  gross_sats: sats,
  commission_sats: sats,
  commission_rate: rate,
  /** The clients' price of one BTC; null if all sats are commission. */
  price: price.nullable(),
  /** The price that the operator stated; the commission follows from it. */
  stated_price: price.nullable(),
  /** Lamassu's figures; null if Lamassu never saw it. */
  lamassu: z
    .object({
      says: z.string(),
      /** Null if it is not known. */
      asked_fiat: fiat.nullable(),
      paid_sats: sats.nullable(),
      dispensed_fiat: fiat.nullable(),
      at: instant,
      /** The column of Lamassu that `at` comes from. */
      at_from: z.enum(['confirmed_at', 'created', 'now']),
      /** Its dispenses in words. */
      dispenses: z.array(z.string()),
    })
    .nullable(),
  /** Lamassu's figures that differ from the stated ones. */
  overrides: z.object({ fiat: fiat.nullable(), gross_sats: sats.nullable(), commission: z.boolean() }),
  /** Why the currency may be wrong. */
  currency_doubt: z.string().nullable(),
});

/** A settlement: the cash-out as it is divided, or would be. */
export const settlementView = cashOutDetailView.extend({
  dry_run: z.boolean(),
  settled: z.boolean(),
  /** True if it was settled before with the same figures, and nothing was changed. */
  already_settled: z.boolean(),
  /** Null if it was settled before. */
  proposal: proposalView.nullable(),
  /** The digest of the preview. With it, only this division of these figures is written. */
  digest: z.string().nullable(),
});

export type SettlementView = z.output<typeof settlementView>;

/** A settlement that is undone, or would be. */
export const voidedView = z.object({
  id: z.string(),
  dry_run: z.boolean(),
  voided: z.boolean(),
  was: cashOutDetailView,
  /** The fundings that get their cash back. */
  fundings: z.array(
    z.object({
      funding: z.string(),
      client: z.string(),
      client_closing: z.boolean(),
      fiat,
      remaining: fiat,
    }),
  ),
  /** What happens to Lamassu's row: it is in review again, the next run distributes it, or there is none. */
  back: z.enum(['review', 'poll', 'none']),
  digest: z.string().nullable(),
});

export type VoidedView = z.output<typeof voidedView>;

/** Lamassu's figures of a cash-out to be settled. Fiat in minor units. */
export interface LamassuSays {
  says: string;
  partial: Parameters<typeof proportionOf>[0] & {
    cameOut: bigint | null;
    at: string;
    atFrom: 'confirmed_at' | 'created' | 'now';
  };
  dispenses: string[];
}

export function viewOfProposal(
  { cashOut, stated }: Settlement,
  lamassu: LamassuSays | null,
  currencyDoubt: string | null,
): z.output<typeof proposalView> {
  const { digits, distributed, commission } = cashOut;
  const decimal = (minor: bigint | null) => (minor === null ? null : formatDecimal(minor, digits));
  const principal = distributed - commission;
  const partial = lamassu?.partial;
  const usual = partial ? proportionOf(partial, cashOut.fiat) : null;
  const isOtherCash = stated.fiat && partial && partial.cameOut !== cashOut.fiat;
  const isOtherGross = stated.distributed !== undefined && usual !== stated.distributed;
  return {
    gross_sats: distributed,
    commission_sats: commission,
    // Whole satoshi may not meet a stated rate exactly.
    commission_rate: formatRate(stated.rate ?? roundHalfUp(commission * 100_000n, distributed)),
    price: principal === 0n ? null : decimal((cashOut.fiat * SATS_PER_BTC) / principal),
    stated_price: decimal(stated.price?.minor ?? null),
    lamassu: lamassu && {
      says: lamassu.says,
      asked_fiat: decimal(lamassu.partial.asked),
      paid_sats: lamassu.partial.gross,
      dispensed_fiat: decimal(lamassu.partial.cameOut),
      at: lamassu.partial.at,
      at_from: lamassu.partial.atFrom,
      dispenses: lamassu.dispenses,
    },
    overrides: {
      fiat: isOtherCash ? decimal(partial.cameOut) : null,
      gross_sats: isOtherGross ? usual : null,
      commission: lamassu !== null && cashOut.method === 'given',
    },
    currency_doubt: currencyDoubt,
  };
}

export function viewOfVoided({ was, fundings, back }: Voided) {
  const decimal = (minor: bigint) => formatDecimal(minor, was.cashOut.digits);
  return {
    id: was.cashOut.id,
    was: viewOfCashOutDetail(was),
    fundings: fundings.map((one) => ({
      funding: `f${one.id}`,
      client: one.client,
      client_closing: one.closing,
      fiat: decimal(one.fiat),
      remaining: decimal(one.remaining),
    })),
    back,
  };
}

/** A cash-out that was settled before with the same figures. */
export function viewOfSettledBefore(detail: CashOutDetail): SettlementView {
  return {
    ...viewOfCashOutDetail(detail),
    ...{ dry_run: false, settled: true, already_settled: true, proposal: null, digest: null },
  };
}
