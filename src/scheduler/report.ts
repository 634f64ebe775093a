import type { Division } from '../dca/allocate.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { BridgeError } from '../errors.ts';
import type { Pause } from '../operations/overview.ts';
import { type Instant, now } from '../time.ts';
import type { PayReport } from './pay.ts';
import type { ReadReport } from './read.ts';

export interface Totals {
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
  /** `failed`: Lamassu could not be read, or not to the end; or this is an older ledger, which records nothing. */
  source: ReadReport & { failed?: boolean };
  distributed: Totals;
  payouts: PayReport;
  /** The brake as it is at the end. */
  paused: Pause | null;
  problems: BridgeError[];
  /** What no earlier run has reported yet: rows in review, and payouts that became held or unknown. */
  news: { reviews: number; payouts: string[] };
  /** It read Lamassu to its end, and reached LNbits where there was something to pay: the bridge is not stale. */
  succeeded: boolean;
  /** The exit code, as INTERFACE says: 0, 2, 75 or 78. */
  exitCode: number;
}

/**
 * `ok`: everything was done. `attention`: done, and something new needs a person. `incomplete`: something could not
 * be done now, be it only that one wallet refused its payout; the next run goes on. `refused`: no retry will help.
 * `stopped`: it was asked to stop.
 */
export type Outcome = 'ok' | 'attention' | 'incomplete' | 'refused' | 'stopped';

export const noTotals = (): Totals => ({
  cashOuts: 0,
  gross: 0n,
  commission: 0n,
  net: 0n,
  own: 0n,
  unshared: 0n,
});

/** `sharedSince`: since when somebody receives the commission of a machine; '' for all others. */
export function add(
  totals: Totals,
  cashOut: CashOut,
  division: Division,
  sharedSince: ReadonlyMap<string, Instant> = new Map(),
): void {
  totals.cashOuts += 1;
  totals.gross += cashOut.gross;
  totals.commission += division.commission;
  totals.net += division.net;
  totals.own += division.own.net;
  const since = [sharedSince.get(cashOut.machine), sharedSince.get('')].filter((at) => at !== undefined);
  if (since.length > 0 && since.every((at) => cashOut.confirmedAt < at))
    totals.unshared += division.commission;
}

/** What a run amounts to: the outcome, and the exit code that goes with it. */
export function conclude(
  parts: Omit<PollReport, 'finishedAt' | 'outcome' | 'exitCode' | 'succeeded'> & { stopped: boolean },
): PollReport {
  const { stopped, ...rest } = parts;
  const exits = rest.problems.map((problem) => problem.exitCode);
  const refused = exits.includes(78);
  const incomplete = exits.includes(75) || rest.payouts.deferred > 0;
  const attention = exits.includes(2) || rest.news.reviews > 0 || rest.news.payouts.length > 0;
  const [outcome, exitCode]: [Outcome, number] = refused
    ? ['refused', 78]
    : stopped
      ? ['stopped', 75]
      : incomplete
        ? ['incomplete', 75]
        : attention
          ? ['attention', 2]
          : ['ok', 0];
  const succeeded = !stopped && rest.source.failed !== true && rest.payouts.reached;
  return { ...rest, finishedAt: now(), outcome, exitCode, succeeded };
}

/** What a run amounts to that an error ended; `failed` is a defect. */
export function endedBy(error: unknown): Outcome | 'failed' {
  if (!(error instanceof BridgeError)) return 'failed';
  return error.exitCode === 78 ? 'refused' : 'incomplete';
}

/** What the ledger keeps of a run. */
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
