import { formatSats, groupDigits } from '../../dca/money.ts';
import { call, isCall } from '../../lib/message.ts';
import { toMs } from '../../time.ts';
import type { StatusView } from '../../views/status.ts';
import { clean } from '../terminal/clean.ts';
import { counted, formatMachine, formatTime } from '../terminal/figures.ts';
import { padded } from '../terminal/grid.ts';
import { table } from '../terminal/table.ts';
import { commandOf, inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';
import { ownShareLines } from './own-share.ts';
import { waitLines } from './waits.ts';

/** The status on one page; what needs the operator comes last. */
export function statusPage(view: StatusView, timezone: string): string {
  const { version, ledger, last_run: lastRun, running, mark, owed, totals, pause, next, at: now } = view;
  const when = (at: string) => `${formatTime(at, timezone)}, ${ago(at, now)}`;
  const lines: [string, string][] = [
    ['aio-dca', `${version}, ledger ${ledger.id}, schema ${ledger.schema}`],
    ['', ledger.url],
    ['Last success', view.last_success_at ? when(view.last_success_at) : 'none yet'],
    ...(lastRun ? [pair('Last run', `${lastRun.run} ${lastRun.outcome}, ${when(lastRun.finished_at)}`)] : []),
    ...(running ? [pair('Going on now', `${running.run}, ${running.kind} by ${clean(running.actor)}`)] : []),
    ...(view.start_at.problem ? [pair('Start', inCommandWords(view.start_at.problem))] : []),
    [
      'Last cash-out',
      mark ? when(mark.confirmed_at) : view.last_success_at ? 'none since start_at' : 'nothing read yet',
    ],
    ...cashOutLines(view),
    ['Paid today', paidToday(view)],
    [
      'Paid in all',
      `${someSats(totals.settled_sats)}${totals.service_fee_sats > 0n ? `, and ${formatSats(totals.service_fee_sats)} to LNbits as its service fee` : ''}`,
    ],
    [
      'Owed',
      owed.sats === 0n && owed.payouts === 0n
        ? 'nothing'
        : `${formatSats(owed.sats)}, ${someSats(owed.waiting_sats)} of it not due yet; ${counted(owed.payouts, 'open payout')}`,
    ],
    ['Source wallet', sourceText(view)],
    ...creditLines(view),
    ...(pause
      ? [pair('Paying', `paused by ${clean(pause.by)}, ${when(pause.at)}: ${clean(pause.reason)}`)]
      : []),
  ];
  return [
    ...lines.map(([label, text]) => wrapped(`${label.padEnd(15)}${text}`, { indent: ' '.repeat(15) })),
    '',
    ...cashLines(view),
    ...pausedCashLines(view),
    ...(view.own_shares.length === 0
      ? []
      : ['Own share of the last 7 days:', ...ownShareLines(view.own_shares, 'aio-dca status --json')]),
    '',
    ...(view.waits.length === 0
      ? ['Nothing waits to be paid.']
      : ['Waits:', ...waitLines(view.waits, timezone)]),
    '',
    ...attentionLines(view),
    ...(next ? [`Next: ${next.what}: \`${commandOf(next.help)}\``] : []),
    ...(pause ? [`Paying is paused. It goes on with: ${commandOf(call('payouts.resume'))}`] : []),
  ].join('\n');
}

function cashOutLines({ totals }: StatusView): [string, string][] {
  if (totals.cash_outs === 0n) return [['Cash-outs', 'none yet']];
  const { net_sats: net, commission_sats: commission, own_sats: own, undelivered_sats: undelivered } = totals;
  const parts = `${formatSats(net)} net, ${formatSats(commission)} commission, ${formatSats(own)} own`;
  return [
    ['Cash-outs', `${groupDigits(totals.cash_outs)} with ${formatSats(totals.gross_sats)}`],
    ['', undelivered > 0n ? `${parts}, ${formatSats(undelivered)} undelivered` : parts],
  ];
}

function someSats(sats: bigint): string {
  return sats === 0n ? 'nothing' : formatSats(sats);
}

function paidToday({
  paid_today: { day, payouts, client_sats: clients, commission_sats: commission },
}: StatusView) {
  if (payouts === 0n) return `nothing (${day})`;
  const commissioned = commission === 0n ? '' : `, and ${formatSats(commission)} of commission`;
  return `${formatSats(clients)} to clients${commissioned}, in ${counted(payouts, 'payout')} (${day})`;
}

type CashInPlace = StatusView['cash'][number];

/** The clients' cash for each machine and currency. A column without any amount is left out. */
function cashLines({ cash }: StatusView): string[] {
  if (cash.length === 0) return ['No client has cash in a machine.'];
  const some = (amount: string) => (/[1-9]/.test(amount) ? groupDigits(amount) : null);
  const columns = [
    [
      'clients’ cash for',
      (one: CashInPlace) =>
        one.machine === null ? 'any machine' : formatMachine(one.machine, one.machine_name),
    ],
    ['', (one: CashInPlace) => one.currency],
    ['left', (one: CashInPlace) => groupDigits(one.remaining)],
    ['on its way', (one: CashInPlace) => some(one.in_flight)],
    ['out in 7 days', (one: CashInPlace) => some(one.dispensed_7_days)],
    ['own share', (one: CashInPlace) => some(one.own_7_days)],
  ] as const;
  const shown = columns.filter(([, cell]) => cash.some((one) => cell(one) !== null));
  return [
    table(
      shown.map(([title]) => title),
      cash.map((one) => shown.map(([, cell]) => cell(one))),
    ),
    ...(cash.some((one) => one.machine === null) && cash.some((one) => one.machine !== null)
      ? ['Cash for any machine can go out at each.']
      : []),
  ];
}

function pausedCashLines({ paused_cash: all }: StatusView): string[] {
  if (all.length === 0) return [];
  const each = all.map((one) => `${one.client} ${groupDigits(one.remaining)} ${one.currency}`);
  return [wrapped(`Paused, and not part of cash-outs: ${each.join(', ')}`)];
}

function pair(label: string, text: string): [string, string] {
  return [label, text];
}

function sourceText(view: StatusView): string {
  const { source_wallet: wallet, source_wallet_problem: problem, credits } = view;
  if (wallet === null) return `not known: ${clean(inCommandWords(problem ?? ''))}`;
  const { balance_sats: balance, short_sats: less } = wallet;
  const coming =
    credits.to_come_sats > 0n ? ` with the ${formatSats(credits.to_come_sats)} to be credited` : '';
  if (less === 0n) return `${formatSats(balance)}, enough for what is owed${coming}`;
  // A shortfall of unknown size is stored as 1 sat.
  if (less === 1n && view.lnbits_wants_more)
    return `${formatSats(balance)}, but LNbits asks for more than is owed, for example a service fee`;
  return `${formatSats(balance)}, ${formatSats(less)} less than is owed`;
}

/** Crediting can create sats that LNbits does not have: the status warns each time. */
function creditLines({ source_wallet: wallet, credits }: StatusView): [string, string][] {
  const { on, credited_sats: credited, not_made: stuck } = credits;
  if (on) {
    return [
      ['Crediting', `on, ${formatSats(credited)} so far: LNbits owes them, so they must lie on its node`],
      ...stuck.map(({ id, sats, reason }) =>
        pair('', `${id} of ${formatSats(sats)} could not be made: ${clean(reason ?? '')}`),
      ),
    ];
  }
  if (stuck.length > 0) {
    return stuck.flatMap(({ id, sats }, index) => [
      pair(
        index === 0 ? 'Crediting' : '',
        `off, so ${id} of ${formatSats(sats)} is not made. Switch it on again, or give it up:`,
      ),
      pair('', commandOf(call('credits.resolve', { id, not_credited: true, reason: null }))),
    ]);
  }
  if (wallet === null || wallet.short_sats === 0n) return [];
  return [
    [
      '',
      'Top it up; or, where the sats of cash-outs arrive on LNbits’ node but in none of its wallets, see [lnbits] credit_source in docs/crediting.md',
    ],
  ];
}

/** The last line never says more than what is known. */
function attentionLines({ needs, next, pause, waits, source_wallet: wallet }: StatusView): string[] {
  if (needs.length === 0) {
    if (pause) return [];
    if (wallet === null)
      return ['LNbits did not tell what the source wallet holds; nothing else is known to need you.'];
    if (waits.some(({ reason }) => reason === 'deferred' || reason === 'balance'))
      return ['No action required now: the next run tries again.'];
    return next ? [] : ['No action required.'];
  }
  return [
    'Needs the operator:',
    ...needs.map(
      ({ what, help }) =>
        `  ${padded(clean(what), 41)} ${isCall(help) ? commandOf(help) : inCommandWords(help).replaceAll('`', '')}`,
    ),
  ];
}

/** `5 minutes ago`, in the largest unit that fits twice. */
function ago(at: string, now: string): string {
  const seconds = Math.trunc((toMs(now) - toMs(at)) / 1000);
  if (seconds < 0) return 'ahead of this clock';
  const units: [number, string][] = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ];
  const [size, name] = units.find(([unit]) => seconds >= 2 * unit) ?? [1, 'second'];
  return `${counted(Math.trunc(seconds / size), name)} ago`;
}
