import * as z from 'zod';
import { formatDecimal, formatRate, sum } from '../dca/money.ts';
import type { Changed, Spent } from '../ledger/fundings/history.ts';
import type { Past, PastCashOut } from '../ledger/fundings/late.ts';
import type { Funding } from '../ledger/fundings/view.ts';
import type { Instant } from '../time.ts';
import { fiat, instant, rate, sats } from './fields.ts';
import { type LastReading, lastReadingView, viewOfLastReading } from './last-reading.ts';

/** One lump of a client's cash. */
export const fundingView = z.object({
  id: z.string(),
  client: z.string(),
  /** Device id; null: it serves all machines. */
  machine: z.string().nullable(),
  machine_name: z.string().nullable(),
  currency: z.string(),
  amount: fiat,
  remaining: fiat,
  spent: fiat,
  withdrawn: fiat,
  /** Its own commission rate; null: the machine's, or what Lamassu charged. */
  rate: rate.nullable(),
  status: z.enum(['in_flight', 'deposited', 'exhausted', 'cancelled', 'withdrawn']),
  created_at: instant,
  deposited_at: instant.nullable(),
});

const changedView = z.object({
  at: instant,
  action: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
});

const spentView = z.object({
  at: instant,
  action: z.literal('spent'),
  cash_out: z.string(),
  confirmed_at: instant,
  fiat,
  net_sats: sats,
  payout: z.string().nullable(),
  settled: z.boolean(),
});

/** A funding with its history, in the order in which the ledger recorded it. */
export const shownFundingView = fundingView.extend({ history: z.array(z.union([spentView, changedView])) });

/** The part that a funding has, or would have, in a cash-out from before it was entered. */
const partView = z.object({
  id: z.string(),
  fiat,
  gross_sats: sats,
  commission_sats: sats,
  net_sats: sats,
});

/** A funding after it was entered, with the cash-outs since its deposit that were divided without it. */
export const enteredFundingView = fundingView.extend({
  past: z.object({
    cash_outs: z.int(),
    /** The operator's own share in these cash-outs before. */
    own_fiat: fiat,
    /** The funding's part of that share. */
    from_own: z.array(partView),
  }),
  /** The announced amount, if another one was counted. */
  announced: fiat.optional(),
});

/** A funding after a change before which Lamassu was read. */
export const checkedFundingView = fundingView.extend({ lamassu: lastReadingView });

/** A funding after an adjustment; Lamassu is not read if cash is added. */
export const adjustedFundingView = fundingView.extend({
  lamassu: lastReadingView.nullable(),
  /** When Lamassu was last read, now or before; null: never. Cash that came out since is not known. */
  last_read_at: instant.nullable(),
});

/** A funding after cash was taken out. */
export const withdrawnFundingView = checkedFundingView.extend({ taken: fiat });

/** A funding as it would be then. */
export const previewedWithdrawalView = withdrawnFundingView.extend({ digest: z.string() });

/** The cash-outs that a funding comes too late for, and what it would get of the operator's own share in each. */
export const pastView = z.object({
  currency: z.string(),
  cash_outs: z.array(partView.extend({ confirmed_at: instant, own_fiat: fiat })),
  digest: z.string(),
});

export type FundingView = z.output<typeof fundingView>;
export type ShownFundingView = z.output<typeof shownFundingView>;
export type EnteredFundingView = z.output<typeof enteredFundingView>;
export type CheckedFundingView = z.output<typeof checkedFundingView>;
export type AdjustedFundingView = z.output<typeof adjustedFundingView>;
export type PreviewedWithdrawalView = z.output<typeof previewedWithdrawalView>;
export type WithdrawnFundingView = z.output<typeof withdrawnFundingView>;
export type PastView = z.output<typeof pastView>;

export function viewOfFunding(one: Funding): FundingView {
  return {
    id: `f${one.id}`,
    client: one.client,
    machine: one.machine,
    machine_name: one.machineName,
    currency: one.currency,
    amount: formatDecimal(one.amount, one.digits),
    remaining: formatDecimal(one.remaining, one.digits),
    spent: formatDecimal(one.spent, one.digits),
    withdrawn: formatDecimal(one.withdrawn, one.digits),
    rate: one.rate === null ? null : formatRate(one.rate),
    status: one.status,
    created_at: one.created_at,
    deposited_at: one.deposited_at,
  };
}

export function viewOfShownFunding(one: Funding, history: (Changed | Spent)[]): ShownFundingView {
  return { ...viewOfFunding(one), history };
}

export function viewOfEnteredFunding(one: Funding, past: Past, announced = one.amount): EnteredFundingView {
  const { cashOuts, given } = past;
  return {
    ...viewOfFunding(one),
    past: {
      cash_outs: cashOuts.length,
      own_fiat: formatDecimal(sum(cashOuts.map((cashOut) => cashOut.ownFiat)), one.digits),
      from_own: cashOuts.filter(({ fiat }) => given && fiat > 0n).map((part) => viewOfPart(part, one)),
    },
    ...(announced !== one.amount && { announced: formatDecimal(announced, one.digits) }),
  };
}

export function viewOfCheckedFunding(after: Funding, reading: LastReading): CheckedFundingView {
  return { ...viewOfFunding(after), lamassu: viewOfLastReading(reading) };
}

export function viewOfAdjustedFunding(
  after: Funding,
  reading: LastReading | null,
  lastReadAt: Instant | null,
): AdjustedFundingView {
  return {
    ...viewOfFunding(after),
    lamassu: reading && viewOfLastReading(reading),
    last_read_at: reading?.readAt ?? lastReadAt,
  };
}

export function viewOfWithdrawnFunding(
  before: Funding,
  after: Funding,
  reading: LastReading,
): WithdrawnFundingView {
  const taken = formatDecimal(before.remaining - after.remaining, after.digits);
  return { ...viewOfCheckedFunding(after, reading), taken };
}

/** The preview without its digest. */
export function viewOfPast(funding: Funding, past: PastCashOut[]): Omit<PastView, 'digest'> {
  return {
    currency: funding.currency,
    cash_outs: past.map((one) => ({
      ...viewOfPart(one, funding),
      confirmed_at: one.confirmedAt,
      own_fiat: formatDecimal(one.ownFiat, funding.digits),
    })),
  };
}

function viewOfPart(one: PastCashOut, { digits }: Funding): z.output<typeof partView> {
  return {
    id: one.id,
    fiat: formatDecimal(one.fiat, digits),
    gross_sats: one.gross,
    commission_sats: one.commission,
    net_sats: one.net,
  };
}
