import type { Division } from '../../dca/allocate.ts';
import type { CashOut } from '../../dca/cash-out.ts';
import { formatDecimal } from '../../dca/money.ts';
import type { Plan } from '../../scheduler/dry-run.ts';
import type { PollReport } from '../../scheduler/report.ts';
import {
  asWritten,
  clean,
  counted,
  formatFiat,
  formatSats,
  formatTime,
  shortId,
  table,
  wrapped,
} from '../print.ts';
import { errorInWords } from '../words.ts';

/** `poll --json`, as docs and scripts know it. */
export function pollJson(report: PollReport) {
  const { source, distributed, payouts, paused } = report;
  return {
    run: report.run === null ? null : `r${report.run}`,
    dry_run: report.run === null,
    started_at: report.startedAt,
    finished_at: report.finishedAt,
    outcome: report.outcome,
    source: {
      read: source.read,
      new: distributed.cashOuts,
      already_processed: source.alreadyProcessed,
      to_review: source.toReview,
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
    problems: report.problems.map((problem) => ({ code: problem.code, ...errorInWords(problem) })),
  };
}

/** The plan of a dry run: what would be divided among whom, and what would be paid. */
export function planJson({ report, cashOuts, creditSats, payouts, clients }: Plan) {
  return {
    ...pollJson(report),
    plan: {
      cash_outs: cashOuts.map(({ cashOut, division }) => plannedJson(cashOut, division, clients)),
      credit_sats: creditSats,
      payouts,
    },
  };
}

function plannedJson(cashOut: CashOut, division: Division, clients: Plan['clients']) {
  const fiat = (minor: bigint) => formatDecimal(minor, cashOut.digits);
  return {
    id: cashOut.id,
    source: cashOut.source,
    machine: cashOut.machine,
    confirmed_at: cashOut.confirmedAt,
    processed_at: null,
    fiat: fiat(cashOut.fiat),
    currency: cashOut.currency,
    gross_sats: cashOut.gross,
    commission_sats: division.commission,
    net_sats: division.net,
    own_sats: division.own.net,
    undelivered_sats: 0,
    own_fiat: fiat(division.own.fiat),
    commission_method: cashOut.method,
    allocations: division.allocations.map((one) => ({
      client: clients.get(one.client) ?? null,
      funding: `f${one.funding}`,
      fiat: fiat(one.fiat),
      gross_sats: one.gross,
      commission_sats: one.commission,
      net_sats: one.net,
      payout: null,
    })),
  };
}

/** What a run did, for a person. */
export function pollText(report: PollReport, timezone: string): string {
  const { source, distributed } = report;
  return [
    source.failed
      ? unread(report)
      : `Read ${counted(source.read, 'row')} of Lamassu: ${counted(distributed.cashOuts, 'new cash-out')}, ${source.alreadyProcessed} known, ${source.toReview} newly in review.`,
    ...(distributed.cashOuts > 0
      ? [
          wrapped(
            `Distributed ${formatSats(distributed.gross)}: ${formatSats(distributed.net)} to clients, ` +
              `${formatSats(distributed.commission)} commission, ${formatSats(distributed.own)} own share.`,
          ),
        ]
      : []),
    ...unsharedLines(distributed),
    ...paidLines(report, timezone),
    ...(report.news.reviews > 0 ? ['Look at what waits for a person: aio-dca review list'] : []),
  ].join('\n');
}

/** Recipients hold from now on, and a backlog is from before. */
function unsharedLines({ unshared }: PollReport['distributed']): string[] {
  if (unshared === 0n) return [];
  return [
    wrapped(
      `${formatSats(unshared)} of the commission stay in the source wallet: confirmed before anybody received it (commission add --from).`,
    ),
  ];
}

function unread({ distributed: { cashOuts }, problems }: PollReport): string {
  if (problems.some(({ code }) => code === 'ledger/restored' || code === 'ledger/in-use-elsewhere'))
    return 'Nothing was recorded.';
  if (cashOuts === 0) return 'Lamassu could not be read.';
  return `Lamassu could not be read to the end: ${counted(cashOuts, 'new cash-out')} before that.`;
}

/** What the paying half of a run did. */
export function paidLines(report: PollReport, timezone: string): string[] {
  const { payouts, news } = report;
  const open = [
    [payouts.planned, 'planned'],
    [payouts.deferred, 'deferred'],
    [payouts.unknown, 'unknown'],
    [payouts.held, 'held'],
  ].flatMap(([count, state]) => (count ? [`${count} ${state}`] : []));
  return [
    ...(payouts.satsCredited > 0n
      ? [`Credited the source wallet with ${formatSats(payouts.satsCredited)}.`]
      : []),
    `Paid ${counted(payouts.settled, 'payout')} with ${formatSats(payouts.satsSettled)}.${open.length > 0 ? ` Open: ${open.join(', ')}.` : ''}`,
    ...pauseLines(report, timezone),
    ...problemLines(report),
    ...(news.payouts.some((id) => id.startsWith('p'))
      ? ['Look at what could not be settled: aio-dca payouts list']
      : []),
    ...(news.payouts.some((id) => id.startsWith('c'))
      ? ['Look at what could not be credited: aio-dca credits list']
      : []),
  ];
}

/** What a run would do, for a person. */
export function planText({ report, cashOuts, creditSats, payouts, clients }: Plan, timezone: string): string {
  const rows = cashOuts.flatMap(({ cashOut, division }) => {
    const fiat = (minor: bigint) => formatFiat(minor, cashOut.digits, cashOut.currency);
    const of = [formatTime(cashOut.confirmedAt, timezone), shortId(cashOut.id)];
    return [
      ...division.allocations.map((one) => [
        ...of,
        clients.get(one.client),
        fiat(one.fiat),
        formatSats(one.net),
        formatSats(one.commission),
      ]),
      ...(division.own.gross > 0n
        ? [
            [
              ...of,
              '(own share)',
              fiat(division.own.fiat),
              formatSats(division.own.net),
              formatSats(division.own.commission),
            ],
          ]
        : []),
    ];
  });
  return [
    'Dry run: nothing was written, nothing was paid.',
    report.source.failed
      ? unread(report)
      : `${counted(report.source.read, 'row')} read, ${counted(cashOuts.length, 'new cash-out')}, ${report.source.toReview} would go to review.`,
    ...(rows.length > 0
      ? [table(['confirmed', 'cash-out', 'client', 'cash', 'net', 'commission'], rows)]
      : []),
    ...unsharedLines(report.distributed),
    ...(creditSats > 0n ? [`The source wallet would be credited with ${formatSats(creditSats)} first.`] : []),
    ...(payouts.length > 0
      ? [
          table(
            ['payout to', 'sats'],
            payouts.map((one) => [one.client, formatSats(one.sats)]),
          ),
        ]
      : ['Nothing would be paid.']),
    ...pauseLines(report, timezone),
    ...problemLines(report),
  ].join('\n');
}

function pauseLines({ paused }: PollReport, timezone: string): string[] {
  if (!paused) return [];
  const { by, at, reason, sats } = paused;
  const since = formatTime(at, timezone);
  return [
    wrapped(
      `Paying is paused by ${clean(by)} since ${since}: ${clean(reason)}. ${formatSats(sats)} that could be paid wait.`,
    ),
    'It goes on with: aio-dca payouts resume',
  ];
}

function problemLines({ problems }: PollReport): string[] {
  return problems.map((problem) => {
    const { message, hint } = errorInWords(problem);
    return `${problem.code}: ${clean(message)}${hint ? `\n  ${asWritten(hint)}` : ''}`;
  });
}
