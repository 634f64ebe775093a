import type { Division } from '../dca/allocate.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { BridgeError, type Kind } from '../errors.ts';
import type { RecordedDivision } from '../ledger/cash-outs/ingest.ts';
import type { addOwnShare, OwnShares } from '../ledger/cash-outs/own-shares.ts';
import type { Wait } from '../ledger/payouts/waits.ts';
import type { Names } from '../ledger/store/names-by-id.ts';
import type { Instant } from '../time.ts';
import type { ReviewNews } from './new-since.ts';
import type { PausedSats } from './paused-sats.ts';
import type { PayReport } from './pay-due.ts';
import type { ReadReport } from './read.ts';

export interface RunTotals {
  cashOuts: number;
  gross: bigint;
  commission: bigint;
  net: bigint;
  own: bigint;
  /** The part of the commission that nobody receives because its recipients came later. */
  unshared: bigint;
}

export interface PollReport {
  run: bigint | null;
  startedAt: string;
  finishedAt: string;
  outcome: Outcome;
  /**
   * `failed`: Lamassu could not be read, or not to its end; or this is an older copy of the ledger, which records
   *  nothing.
   */
  source: ReadReport & { failed?: boolean };
  distributed: RunTotals;
  payouts: PayReport;
  /** The pause as it is at the end. */
  paused: PausedSats | null;
  problems: BridgeError[];
  /** What no earlier run has reported yet: rows in review, and payouts that became held or unknown. */
  news: { reviews: number; rows: ReviewNews[]; payouts: string[] };
  ownShares: OwnShares[];
  /** Who waits for what, as it is at the end. */
  waits: Wait[];
  names: Names;
  /** It read Lamassu to its end, and reached LNbits where there was something to pay: the bridge is not stale. */
  succeeded: boolean;
}

/**
 * `ok`: everything was done. `attention`: done, and something new needs the operator. `incomplete`: something could not
 * be done now, perhaps only because one wallet refused its payout; the next run goes on. `refused`: no retry will help.
 * `stopped`: it was asked to stop.
 */
export type Outcome = 'ok' | 'attention' | 'incomplete' | 'refused' | 'stopped';

export const noRunTotals = (): RunTotals => ({
  cashOuts: 0,
  gross: 0n,
  commission: 0n,
  net: 0n,
  own: 0n,
  unshared: 0n,
});

/** `sharedSince`: the time from which the commission of a machine has a recipient; '' for all other machines. */
export function add(
  totals: RunTotals,
  cashOut: CashOut,
  division: Division,
  sharedSince: ReadonlyMap<string, Instant> = new Map(),
): void {
  totals.cashOuts += 1;
  totals.gross += cashOut.distributed;
  totals.commission += division.commission;
  totals.net += division.net;
  totals.own += division.own.net;
  const since = [sharedSince.get(cashOut.machine), sharedSince.get('')].filter((at) => at !== undefined);
  if (since.length > 0 && since.every((at) => cashOut.confirmedAt < at))
    totals.unshared += division.commission;
}

/** The operator's own share of one cash-out. */
export function ownShareOf(
  { machine, currency, digits }: CashOut,
  { own, causes }: RecordedDivision,
): Parameters<typeof addOwnShare>[1] {
  return { machine, currency, digits, causes, fiat: own.fiat, sats: own.net };
}

/** Whether a later run may succeed. */
function isForNow(kind: Kind): boolean {
  return kind === 'unavailable' || kind === 'busy' || kind === 'paused' || kind === 'changed';
}

/** The outcome of a run. */
export function conclude(
  parts: Omit<PollReport, 'outcome' | 'succeeded'> & { stopped: boolean },
): PollReport {
  const { stopped, ...rest } = parts;
  const kinds = rest.problems.map(({ kind }) => kind);
  const refused = kinds.includes('misconfigured');
  const incomplete = kinds.some(isForNow) || rest.payouts.deferred > 0;
  const attention = kinds.includes('attention') || rest.news.reviews > 0 || rest.news.payouts.length > 0;
  const outcome: Outcome = refused
    ? 'refused'
    : stopped
      ? 'stopped'
      : incomplete
        ? 'incomplete'
        : attention
          ? 'attention'
          : 'ok';
  const succeeded = !stopped && rest.source.failed !== true && rest.payouts.reached;
  return { ...rest, outcome, succeeded };
}

/** The outcome of a run that an error ended; `failed` is a defect. */
export function outcomeOf(error: unknown): Outcome | 'failed' {
  if (!(error instanceof BridgeError)) return 'failed';
  return error.kind === 'misconfigured' ? 'refused' : 'incomplete';
}

/** What the ledger records of a run. */
export function summaryOf(report: PollReport, needingPeople: string[], log: bigint): unknown {
  return {
    needing_people: needingPeople,
    log: Number(log),
    read: report.source.read,
    to_review: report.source.toReview,
    cash_outs: report.distributed.cashOuts,
    net_sats: Number(report.distributed.net),
    settled: report.payouts.settled,
    sats_settled: Number(report.payouts.satsSettled),
    problems: report.problems.map(({ code, message }) => ({ code, message })),
  };
}
