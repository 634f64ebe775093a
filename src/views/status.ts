import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { BridgeError } from '../errors.ts';
import type { OwnShares } from '../ledger/cash-outs/own-shares.ts';
import type { CashLeft, PausedCash } from '../ledger/fundings/cash-left.ts';
import { missing } from '../ledger/owed.ts';
import type { PaidSince } from '../ledger/payouts/paid.ts';
import type { Wait } from '../ledger/payouts/waits.ts';
import type { MonthTotals, Status } from '../ledger/status.ts';
import type { Names } from '../ledger/store/names-by-id.ts';
import { NEEDS, type Need, type NextStep } from '../monitoring/attention.ts';
import type { Instant } from '../time.ts';
import { cashLeftView, viewOfCashLeft } from './cash-left.ts';
import { entryView, viewOfEntry } from './clock.ts';
import { callView, fiat, instant, sats, text } from './fields.ts';
import { ownSharesView, viewOfOwnShares } from './own-share.ts';
import { viewOfWait, waitView } from './waits.ts';

/** The state of the ledger, and what needs the operator. */
export const statusView = z.object({
  version: z.string(),
  /** The time of this status. */
  at: instant,
  ledger: z.object({ id: z.string(), url: z.string(), schema: z.number() }),
  start_at: z.object({ at: instant, problem: text.nullable() }),
  mark: z.object({ confirmed_at: instant, id: z.string() }).nullable(),
  last_success_at: instant.nullable(),
  last_run: z
    .object({ run: z.string(), outcome: z.string(), finished_at: instant, problems: z.array(z.string()) })
    .nullable(),
  /** The next run by the schedule of the daemon, whether that goes on or not; null: it has none. */
  next_run_at: instant.nullable(),
  running: z.object({ run: z.string(), kind: z.string(), actor: z.string() }).nullable(),
  owed: z.object({ payouts: sats, sats, waiting_sats: sats, overdue_sats: sats }),
  /** Who waits for what: together these are `owed.sats`. */
  waits: z.array(waitView),
  /** Per machine and currency. */
  cash: z.array(cashLeftView),
  /** Cash that takes no part in cash-outs, for its client is paused. */
  paused_cash: z.array(z.object({ client: z.string(), remaining: fiat, currency: z.string() })),
  /** Of the cash-outs of the last 7 days. */
  own_shares: z.array(ownSharesView),
  /** What has arrived since the local day began. */
  paid_today: z.object({ day: z.string(), payouts: z.bigint(), client_sats: sats, commission_sats: sats }),
  deferred: z.array(z.object({ payout: z.string(), recipient: z.string(), sats, reason: z.string() })),
  paused: z.boolean(),
  pause: z.object({ at: instant, by: z.string(), reason: z.string() }).nullable(),
  /** Null if LNbits did not answer. */
  source_wallet: z.object({ balance_sats: sats, short_sats: sats }).nullable(),
  /** Why the balance is not known. */
  source_wallet_problem: text.nullable(),
  /** True if LNbits refused payments although the source wallet held enough, by what is known of its fee. */
  lnbits_wants_more: z.boolean(),
  credits: z.object({
    on: z.boolean(),
    credited_sats: sats,
    to_come_sats: sats,
    not_made: z.array(z.object({ id: z.string(), sats, reason: z.string().nullable() })),
  }),
  clock: z.object({ problem: text.nullable(), entries: z.array(entryView) }),
  attention: z.object({
    review: z.bigint(),
    held: z.bigint(),
    unknown: z.bigint(),
    stale: z.boolean(),
    aged: z.bigint(),
    contradicted: z.bigint(),
    credits: z.bigint(),
    clock: z.bigint(),
    overrun: z.boolean(),
    short_sats: sats.nullable(),
    broken_off: z.string().nullable(),
  }),
  /** The same as messages, with the remedy. */
  needs: z.array(
    z.object({
      code: z.enum(NEEDS),
      /** Since when, as far as it is known: of several, the oldest. */
      since: instant.nullable(),
      /** How many there are, or how many sats; null: it is one thing. */
      count: z.bigint().nullable(),
      /** What it is about, where it is one thing with a name. */
      subject: z.string().nullable(),
      what: z.string(),
      help: z.union([text, callView]),
    }),
  ),
  /** The step that comes next in a ledger that has nothing to do yet, or no client’s cash. */
  next: z.object({ what: z.string(), help: callView }).nullable(),
  /** The cash-outs of this month and of the last one, by local days; newest first. */
  months: z.array(
    z.object({
      month: z.string().describe('2026-11'),
      cash_outs: z.bigint(),
      net_sats: sats,
      commission_sats: sats,
      own_sats: sats,
    }),
  ),
  totals: z.object({
    cash_outs: z.bigint(),
    gross_sats: sats,
    commission_sats: sats,
    net_sats: sats,
    own_sats: sats,
    undelivered_sats: sats,
    settled_sats: sats,
    service_fee_sats: sats,
  }),
});

export type StatusView = z.output<typeof statusView>;

/** The figures from which a status is made. */
export interface StatusParts {
  version: string;
  at: string;
  ledger: StatusView['ledger'];
  status: Status;
  running: { id: bigint; kind: string; actor: string } | undefined;
  brokenOff: bigint | null;
  waiting: bigint;
  overdue: { sats: bigint };
  sourceWallet: { balance: bigint } | { problem: BridgeError };
  start: { at: string; problem: BridgeError | null };
  short: bigint | null;
  creditSource: boolean;
  needs: Need[];
  next: NextStep | null;
  waits: Wait[];
  minimumSats: bigint;
  cash: CashLeft[];
  pausedCash: PausedCash[];
  ownShares: OwnShares[];
  names: Names;
  today: { day: string } & PaidSince;
  nextRun: Instant | null;
  months: ({ month: string } & MonthTotals)[];
}

export function viewOfStatus(parts: StatusParts): StatusView {
  const { version, at, ledger, status, running, sourceWallet, needs, next } = parts;
  const { mark, lastRun, owed, paused, attention, totals } = status;
  return {
    ...{ version, at, ledger, needs, next },
    start_at: { at: parts.start.at, problem: sentenceOf(parts.start.problem) },
    mark: mark && { confirmed_at: mark.confirmedAt, id: mark.id },
    last_success_at: status.lastSuccessAt,
    last_run: lastRun && {
      run: `r${lastRun.id}`,
      outcome: lastRun.outcome,
      finished_at: lastRun.finishedAt,
      problems: lastRun.problems,
    },
    next_run_at: parts.nextRun,
    running: running ? { run: `r${running.id}`, kind: running.kind, actor: running.actor } : null,
    owed: {
      payouts: owed.payouts,
      sats: owed.sats,
      waiting_sats: parts.waiting,
      overdue_sats: parts.overdue.sats,
    },
    waits: parts.waits.map((one) => viewOfWait(one, parts.minimumSats)),
    cash: parts.cash.map(viewOfCashLeft),
    paused_cash: parts.pausedCash.map(({ client, currency, digits, remaining }) => ({
      ...{ client, remaining: formatDecimal(remaining, digits), currency },
    })),
    own_shares: parts.ownShares.map((one) => viewOfOwnShares(one, parts.names)),
    paid_today: {
      ...{ day: parts.today.day, payouts: parts.today.payouts },
      ...{ client_sats: parts.today.clientSats, commission_sats: parts.today.commissionSats },
    },
    deferred: status.deferred.map(({ id, ...rest }) => ({ payout: `p${id}`, ...rest })),
    paused: paused !== null,
    pause: paused,
    source_wallet:
      'balance' in sourceWallet
        ? { balance_sats: sourceWallet.balance, short_sats: lacking(status, sourceWallet.balance) }
        : null,
    source_wallet_problem: 'problem' in sourceWallet ? sourceWallet.problem.sentence : null,
    lnbits_wants_more: status.wantsMore,
    credits: {
      on: parts.creditSource,
      credited_sats: status.credits.credited,
      to_come_sats: status.credits.toCome,
      not_made: status.credits.stuck.map(({ id, sats: amount, reason }) => ({
        ...{ id: `c${id}`, sats: amount, reason },
      })),
    },
    clock: { problem: sentenceOf(status.clock.problem), entries: status.clock.entries.map(viewOfEntry) },
    attention: {
      ...attention,
      short_sats: parts.short,
      broken_off: parts.brokenOff === null ? null : `r${parts.brokenOff}`,
    },
    months: parts.months.map(({ month, cashOuts, net, commission, own }) => ({
      ...{ month, cash_outs: cashOuts, net_sats: net, commission_sats: commission, own_sats: own },
    })),
    totals: {
      cash_outs: totals.cashOuts,
      gross_sats: totals.gross,
      commission_sats: totals.commission,
      net_sats: totals.net,
      own_sats: totals.own,
      undelivered_sats: totals.undelivered,
      settled_sats: totals.settled,
      service_fee_sats: (totals.feeMsat + 999n) / 1000n,
    },
  };
}

function sentenceOf(problem: BridgeError | null) {
  return problem === null ? null : problem.sentence;
}

/** What the wallet lacks even after the pending credits have arrived. */
function lacking({ owed, credits, fee, wantsMore }: Status, balance: bigint): bigint {
  return missing(owed.sats, { balance, toCome: credits.toCome, fee, wantsMore });
}
