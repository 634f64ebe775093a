import { groupDigits } from '../../dca/money.ts';
import type { DryRunView, PaidView, RunView } from '../../views/run.ts';
import {
  asWritten,
  clean,
  counted,
  formatSats,
  formatTime,
  shortId,
  table,
  wrapped,
} from '../terminal/print.ts';
import { inCommandWords } from '../terminal/words.ts';

/** What a run did, for the terminal. */
export function runPage(report: RunView, timezone: string): string {
  const { source, distributed } = report;
  return [
    source.failed
      ? unread(report)
      : `Read ${counted(source.read, 'row')} of Lamassu: ${counted(distributed.cash_outs, 'new cash-out')}, ${source.already_processed} known, ${source.to_review} newly in review.`,
    ...(distributed.cash_outs > 0
      ? [
          wrapped(
            `Distributed ${formatSats(distributed.gross_sats)}: ${formatSats(distributed.net_sats)} to clients, ` +
              `${formatSats(distributed.commission_sats)} commission, ${formatSats(distributed.own_sats)} own share.`,
          ),
        ]
      : []),
    ...unsharedLines(distributed),
    ...paidLines(report, timezone),
    ...(report.news.reviews > 0 ? ['Look at what waits for the operator: aio-dca review list'] : []),
  ].join('\n');
}

/** New recipients share from now on, so a backlog may contain commission without a recipient. */
function unsharedLines({ unshared_commission_sats: unshared }: RunView['distributed']): string[] {
  if (unshared === 0n) return [];
  return [
    wrapped(
      `${formatSats(unshared)} of the commission stay in the source wallet: its cash-outs were confirmed before it had a recipient (commission add --from).`,
    ),
  ];
}

function unread({ distributed: { cash_outs: cashOuts }, problems }: RunView): string {
  if (problems.some(({ code }) => code === 'ledger/restored' || code === 'ledger/in-use-elsewhere'))
    return 'Nothing was recorded.';
  if (cashOuts === 0) return 'Lamassu could not be read.';
  return `Lamassu could not be read to its end: ${counted(cashOuts, 'new cash-out')} until then.`;
}

/** What the paying half of a run did. */
export function paidLines(report: PaidView, timezone: string): string[] {
  const { payouts, news } = report;
  const open = [
    [payouts.planned, 'planned'],
    [payouts.deferred, 'deferred'],
    [payouts.unknown, 'unknown'],
    [payouts.held, 'held'],
  ].flatMap(([count, state]) => (count ? [`${count} ${state}`] : []));
  return [
    ...(payouts.sats_credited > 0n
      ? [`Credited the source wallet with ${formatSats(payouts.sats_credited)}.`]
      : []),
    `Paid ${counted(payouts.settled, 'payout')} with ${formatSats(payouts.sats_settled)}.${open.length > 0 ? ` Open: ${open.join(', ')}.` : ''}`,
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

/** What a run would do, for the terminal. */
export function dryRunPage(view: DryRunView, timezone: string): string {
  const { cash_outs: cashOuts, credit_sats: creditSats, payouts } = view.plan;
  const rows = cashOuts.flatMap((one) => {
    const cash = (amount: string) => `${groupDigits(amount)} ${one.currency}`;
    const of = [formatTime(one.confirmed_at, timezone), shortId(one.id)];
    return [
      ...one.allocations.map((part) => [
        ...of,
        part.client,
        cash(part.fiat),
        formatSats(part.net_sats),
        formatSats(part.commission_sats),
      ]),
      ...(one.own_gross_sats > 0n
        ? [
            [
              ...of,
              '(own share)',
              cash(one.own_fiat),
              formatSats(one.own_sats),
              formatSats(one.own_commission_sats),
            ],
          ]
        : []),
    ];
  });
  return [
    'Dry run: nothing was written, nothing was paid.',
    view.source.failed
      ? unread(view)
      : `${counted(view.source.read, 'row')} read, ${counted(cashOuts.length, 'new cash-out')}, ${view.source.to_review} would go to review.`,
    ...(rows.length > 0
      ? [table(['confirmed', 'cash-out', 'client', 'cash', 'net', 'commission'], rows)]
      : []),
    ...unsharedLines(view.distributed),
    ...(creditSats > 0n ? [`The source wallet would be credited with ${formatSats(creditSats)} first.`] : []),
    ...(payouts.length > 0
      ? [
          table(
            ['payout to', 'sats'],
            payouts.map((one) => [one.client, formatSats(one.sats)]),
          ),
        ]
      : ['Nothing would be paid.']),
    ...pauseLines(view, timezone),
    ...problemLines(view),
  ].join('\n');
}

function pauseLines({ pause }: PaidView, timezone: string): string[] {
  if (!pause) return [];
  const { by, at, reason, waiting_sats: sats } = pause;
  const since = formatTime(at, timezone);
  return [
    wrapped(
      `Paying is paused by ${clean(by)} since ${since}: ${clean(reason)}. ${formatSats(sats)} that could be paid wait.`,
    ),
    'It goes on with: aio-dca payouts resume',
  ];
}

function problemLines({ problems }: PaidView): string[] {
  return problems.map(
    ({ code, message, hint }) =>
      `${code}: ${clean(inCommandWords(message))}${hint ? `\n  ${asWritten(inCommandWords(hint))}` : ''}`,
  );
}
