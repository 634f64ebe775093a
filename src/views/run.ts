import * as z from 'zod';
import type { CashOut } from '../dca/cash-out.ts';
import { formatDecimal } from '../dca/money.ts';
import type { RecordedDivision } from '../ledger/cash-outs/ingest.ts';
import type { Names } from '../ledger/store/names-by-id.ts';
import type { Plan } from '../scheduler/dry-run.ts';
import type { PollReport } from '../scheduler/report.ts';
import { fiat, instant, problemView, sats, viewOfProblem } from './fields.ts';
import { causesView, ownSharesView, viewOfCauses, viewOfOwnShares } from './own-share.ts';
import { viewOfWait, waitView } from './waits.ts';

/** The report of a run, or of a dry run. */
export const runView = z.object({
  /** Null for a dry run. */
  run: z.string().nullable(),
  dry_run: z.boolean(),
  started_at: instant,
  finished_at: instant,
  outcome: z.enum(['ok', 'attention', 'incomplete', 'refused', 'stopped']),
  source: z.object({
    /** Why Lamassu could not be read, or not to the end. */
    failed: z.boolean(),
    read: z.number(),
    new: z.number(),
    already_processed: z.number(),
    to_review: z.number(),
    /** Rows that are not paid, or not yet, and not new in review: how many, by reason. */
    not_yet: z.record(z.string(), z.number()),
    mark: z.object({ confirmed_at: instant, id: z.string() }).nullable(),
  }),
  distributed: z.object({
    cash_outs: z.number(),
    gross_sats: sats,
    commission_sats: sats,
    net_sats: sats,
    own_sats: sats,
    unshared_commission_sats: sats,
  }),
  payouts: z.object({
    settled: z.number(),
    planned: z.number(),
    deferred: z.number(),
    unknown: z.number(),
    held: z.number(),
    sats_settled: sats,
    sats_credited: sats,
  }),
  paused: z.boolean(),
  pause: z.object({ at: instant, by: z.string(), reason: z.string(), waiting_sats: sats }).nullable(),
  problems: z.array(problemView),
  /** Who waits for what, as it is at the end. */
  waits: z.array(waitView),
  /** The own share of the cash-outs of this run, by machine, currency and reason. */
  own_shares: z.array(ownSharesView),
  /** News, which no earlier run has reported: rows in review, and payouts and credits that became held or unknown. */
  news: z.object({
    reviews: z.number(),
    /** The first of these rows. */
    rows: z.array(
      z.object({
        id: z.string(),
        machine: z.string().nullable(),
        machine_name: z.string().nullable(),
        reason: z.string(),
        detail: z.string(),
      }),
    ),
    payouts: z.array(z.string()),
  }),
});

export type RunView = z.output<typeof runView>;

/** A run that only pays. */
export const paidView = runView.omit({
  source: true,
  distributed: true,
  own_shares: true,
  dry_run: true,
});

export type PaidView = z.output<typeof paidView>;

const plannedCashOutView = z.object({
  id: z.string(),
  source: z.string(),
  machine: z.string(),
  machine_name: z.string().nullable(),
  confirmed_at: instant,
  processed_at: z.null(),
  fiat,
  currency: z.string(),
  gross_sats: sats,
  commission_sats: sats,
  net_sats: sats,
  own_gross_sats: sats,
  own_commission_sats: sats,
  own_sats: sats,
  undelivered_sats: sats,
  own_fiat: fiat,
  commission_method: z.string(),
  own_reasons: causesView,
  allocations: z.array(
    z.object({
      client: z.string().nullable(),
      funding: z.string(),
      fiat,
      gross_sats: sats,
      commission_sats: sats,
      net_sats: sats,
      payout: z.null(),
    }),
  ),
});

/** A dry run: the divisions that it would record, and the payouts that it would pay. */
export const dryRunView = runView.extend({
  plan: z.object({
    cash_outs: z.array(plannedCashOutView),
    credit_sats: sats,
    payouts: z.array(z.object({ client: z.string(), sats })),
    /** The ledger has no clients, so a run would refuse. */
    no_clients: z.boolean(),
  }),
});

export type DryRunView = z.output<typeof dryRunView>;

export function viewOfRun(report: PollReport, minimumSats: bigint): RunView {
  const { source, distributed, payouts, paused, news, names } = report;
  const nameOf = (machine: string | null) =>
    machine === null ? null : (names.machines.get(machine) ?? null);
  return {
    run: report.run === null ? null : `r${report.run}`,
    dry_run: report.run === null,
    started_at: report.startedAt,
    finished_at: report.finishedAt,
    outcome: report.outcome,
    source: {
      failed: source.failed === true,
      read: source.read,
      new: distributed.cashOuts,
      already_processed: source.alreadyProcessed,
      to_review: source.toReview,
      not_yet: source.notYet,
      mark: source.mark && { confirmed_at: source.mark.confirmedAt, id: source.mark.id },
    },
    distributed: {
      cash_outs: distributed.cashOuts,
      gross_sats: distributed.gross,
      commission_sats: distributed.commission,
      net_sats: distributed.net,
      own_sats: distributed.own,
      unshared_commission_sats: distributed.unshared,
    },
    payouts: {
      settled: payouts.settled,
      planned: payouts.planned,
      deferred: payouts.deferred,
      unknown: payouts.unknown,
      held: payouts.held,
      sats_settled: payouts.satsSettled,
      sats_credited: payouts.satsCredited,
    },
    paused: paused !== null,
    pause: paused && { at: paused.at, by: paused.by, reason: paused.reason, waiting_sats: paused.sats },
    problems: report.problems.map(viewOfProblem),
    waits: report.waits.map((one) => viewOfWait(one, minimumSats)),
    own_shares: report.ownShares.map((one) => viewOfOwnShares(one, names)),
    news: {
      ...{ reviews: news.reviews, payouts: news.payouts },
      rows: news.rows.map((row) => ({ ...row, machine_name: nameOf(row.machine) })),
    },
  };
}

export function viewOfDryRun(
  { report, cashOuts, creditSats, payouts, noClients }: Plan,
  minimumSats: bigint,
): DryRunView {
  return {
    ...viewOfRun(report, minimumSats),
    plan: {
      cash_outs: cashOuts.map(({ cashOut, division }) => viewOfPlanned(cashOut, division, report.names)),
      credit_sats: creditSats,
      payouts,
      no_clients: noClients,
    },
  };
}

function viewOfPlanned(
  cashOut: CashOut,
  division: RecordedDivision,
  names: Names,
): z.output<typeof plannedCashOutView> {
  const text = (minor: bigint) => formatDecimal(minor, cashOut.digits);
  return {
    id: cashOut.id,
    source: cashOut.source,
    machine: cashOut.machine,
    machine_name: names.machines.get(cashOut.machine) ?? null,
    confirmed_at: cashOut.confirmedAt,
    processed_at: null,
    fiat: text(cashOut.fiat),
    currency: cashOut.currency,
    gross_sats: cashOut.distributed,
    commission_sats: division.commission,
    net_sats: division.net,
    own_gross_sats: division.own.gross,
    own_commission_sats: division.own.commission,
    own_sats: division.own.net,
    undelivered_sats: 0n,
    own_fiat: text(division.own.fiat),
    commission_method: cashOut.method,
    own_reasons: viewOfCauses(division.causes, names),
    allocations: division.allocations.map((one) => ({
      client: names.recipients.get(one.client) ?? null,
      funding: `f${one.funding}`,
      fiat: text(one.fiat),
      gross_sats: one.gross,
      commission_sats: one.commission,
      net_sats: one.net,
      payout: null,
    })),
  };
}
