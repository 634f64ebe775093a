import { formatSats, groupDigits } from '../../dca/money.ts';
import { countedReason, reasonInWords } from '../../lib/reason-words.ts';
import type { DryRunView, PaidView, RunView } from '../../views/run.ts';
import { asWritten, clean } from '../terminal/clean.ts';
import { counted, formatMachine, formatTime, shortId } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';
import { ownShareLines } from './own-share.ts';
import { waitLines } from './waits.ts';

/** What a run did, for the terminal. */
export function runPage(report: RunView, timezone: string): string {
  const { source, distributed } = report;
  return [
    source.failed
      ? unread(report)
      : wrapped(
          `Read ${counted(source.read, 'row')} of Lamassu: ${counted(distributed.cash_outs, 'new cash-out')}, ${source.already_processed} known, ${source.to_review} newly in review${notYet(source)}.`,
        ),
    ...(distributed.cash_outs > 0
      ? [
          wrapped(
            `Distributed ${formatSats(distributed.gross_sats)}: ${formatSats(distributed.net_sats)} to clients, ` +
              `${formatSats(distributed.commission_sats)} commission, ${formatSats(distributed.own_sats)} own share.`,
          ),
        ]
      : []),
    ...unsharedLines(distributed),
    ...ownLines(report),
    ...paidLines(report, timezone),
    ...reviewLines(report),
  ].join('\n');
}

/** Rows that are neither paid nor new in review, by reason. */
function notYet({ not_yet: reasons }: RunView['source']): string {
  const counts = Object.entries(reasons).map(([reason, count]) => countedReason(count, reason));
  return counts.length === 0 ? '' : `; not paid, or not yet: ${counts.join(', ')}`;
}

function ownLines({ own_shares: shares, dry_run: dryRun }: RunView): string[] {
  const rest = dryRun ? 'aio-dca poll --dry-run --json' : 'aio-dca cash-outs list';
  return shares.length === 0 ? [] : ['Own share:', ...ownShareLines(shares, rest)];
}

function reviewLines({ news: { reviews, rows }, dry_run: dryRun }: RunView): string[] {
  if (reviews === 0) return [];
  const lines = rows.map(({ id, machine, machine_name: name, reason, detail }) => {
    const at = machine === null ? '' : ` at ${formatMachine(machine, name)}`;
    return wrapped(`  ${shortId(id)}${at}: ${reasonInWords(reason)}, ${clean(detail)}`, { indent: '      ' });
  });
  const more = reviews - rows.length;
  return [
    dryRun ? 'Would go to review:' : 'Newly in review:',
    ...lines,
    ...(more > 0 ? [`  and ${counted(more, 'other')}`] : []),
    dryRun
      ? // A dry run writes nothing, so the list does not have them.
        'A run puts them into review. Until then, one of them: aio-dca review show ID'
      : 'Look at what waits for the operator: aio-dca review list',
  ];
}

function waitingLines(title: string, waits: PaidView['waits'], timezone: string): string[] {
  return waits.length === 0 ? [] : [title, ...waitLines(waits, timezone)];
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

/** What keeps sats from being due. */
const NOT_DUE: readonly PaidView['waits'][number]['reason'][] = ['fixed-time', 'minimum'];

/** What the paying half of a run did. */
export function paidLines(report: PaidView, timezone: string): string[] {
  const { payouts, news } = report;
  const open = [
    [payouts.planned, 'planned'],
    [payouts.deferred, 'deferred'],
    [payouts.unknown, 'unknown'],
    [payouts.held, 'held'],
  ].flatMap(([count, state]) => (count ? [`${count} ${state}`] : []));
  const isDue = open.length > 0 || report.waits.some(({ reason }) => !NOT_DUE.includes(reason));
  const paid =
    payouts.settled > 0
      ? `Paid ${counted(payouts.settled, 'payout')} with ${formatSats(payouts.sats_settled)}.`
      : isDue
        ? 'Nothing was paid.'
        : 'Nothing was due, so nothing was paid.';
  return [
    ...(payouts.sats_credited > 0n
      ? [`Credited the source wallet with ${formatSats(payouts.sats_credited)}.`]
      : []),
    `${paid}${open.length > 0 ? ` Open: ${open.join(', ')}.` : ''}`,
    ...(report.outcome === 'stopped'
      ? ['Asked to stop before it was done: the next run goes on from here.']
      : []),
    ...pauseLines(report, timezone),
    ...waitingLines('Waits:', report.waits, timezone),
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
  const heads = new Map<number, string>();
  const rows: string[][] = [];
  for (const one of cashOuts) {
    const cash = (amount: string) => `${groupDigits(amount)} ${one.currency}`;
    heads.set(
      rows.length,
      `${shortId(one.id)}, ${formatTime(one.confirmed_at, timezone)}, ${formatMachine(one.machine, one.machine_name)}`,
    );
    for (const part of one.allocations)
      rows.push([
        `  ${part.client ?? ''}`,
        cash(part.fiat),
        formatSats(part.net_sats),
        formatSats(part.commission_sats),
      ]);
    if (one.own_gross_sats > 0n)
      rows.push([
        '  own share',
        cash(one.own_fiat),
        formatSats(one.own_sats),
        formatSats(one.own_commission_sats),
      ]);
  }
  return [
    'Dry run: nothing was written, nothing was paid.',
    view.source.failed
      ? unread(view)
      : wrapped(
          `Read ${counted(view.source.read, 'row')} of Lamassu: ${counted(cashOuts.length, 'new cash-out')}, ${view.source.already_processed} known, ${view.source.to_review} would go to review${notYet(view.source)}.`,
        ),
    ...(rows.length > 0 ? [table(['cash-out', 'cash', 'net', 'commission'], rows, { heads })] : []),
    ...unsharedLines(view.distributed),
    ...ownLines(view),
    ...reviewLines(view),
    ...(creditSats > 0n ? [`The source wallet would be credited with ${formatSats(creditSats)} first.`] : []),
    ...(payouts.length > 0
      ? [
          table(
            ['payout to', 'sats'],
            payouts.map((one) => [one.client, formatSats(one.sats)]),
          ),
        ]
      : ['Nothing would be paid.']),
    ...(view.plan.no_clients
      ? [
          wrapped(
            'The ledger has no clients, so a run would refuse: every cash-out would be the operator’s. In a new ledger, add them; if there should be some, check [ledger] url.',
          ),
          'Next: aio-dca clients add NAME --wallet-key-file FILE',
        ]
      : []),
    ...pauseLines(view, timezone),
    ...waitingLines(
      'Would wait:',
      view.waits.filter(({ reason }) => reason !== 'next-run'),
      timezone,
    ),
    ...problemLines(view),
  ].join('\n');
}

function pauseLines({ pause }: PaidView, timezone: string): string[] {
  if (!pause) return [];
  const { by, at, reason, waiting_sats: sats } = pause;
  const since = formatTime(at, timezone);
  return [
    wrapped(
      `Paying is paused by ${clean(by)} since ${since}: ${clean(reason)}. ${sats === 0n ? 'Nothing waits to be paid.' : `${formatSats(sats)} that could be paid wait.`}`,
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
