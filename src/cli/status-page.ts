import type { BridgeError } from '../errors.ts';
import type { Status } from '../ledger/status.ts';
import { type Instant, toMs } from '../time.ts';
import { clean, formatSats, formatTime } from './print.ts';

/** What `status` shows. */
export interface StatusView {
  version: string;
  ledger: { id: string; url: string; schema: number };
  status: Status;
  /** The run that holds the lease. */
  running: { id: bigint; kind: string; actor: string } | null;
  /** Allocated sats that are not due yet. */
  waiting: bigint;
  /** What the source wallet holds, in sats, or why that is not known. */
  source: { balance: bigint } | { problem: BridgeError };
  now: Instant;
}

/** `status --json`, as docs and scripts know it. */
export function statusJson({ version, ledger, status, running, waiting, source }: StatusView) {
  const { mark, lastRun, owed, paused, attention, totals } = status;
  return {
    version,
    ledger,
    mark: mark && { confirmed_at: mark.confirmedAt, id: mark.id },
    last_success_at: status.lastSuccessAt,
    last_run: lastRun && {
      run: `r${lastRun.id}`,
      outcome: lastRun.outcome,
      finished_at: lastRun.finishedAt,
    },
    running: running && { run: `r${running.id}`, kind: running.kind, actor: running.actor },
    owed: { payouts: owed.payouts, sats: owed.sats, waiting_sats: waiting },
    paused: paused !== null,
    pause: paused,
    source_wallet:
      'balance' in source
        ? { balance_sats: source.balance, short_sats: short(owed.sats, source.balance) }
        : null,
    attention,
    totals: {
      cash_outs: totals.cashOuts,
      gross_sats: totals.gross,
      commission_sats: totals.commission,
      net_sats: totals.net,
      own_sats: totals.own,
      settled_sats: totals.settled,
    },
  };
}

function short(owed: bigint, balance: bigint): bigint {
  return owed > balance ? owed - balance : 0n;
}

/** The same at a glance, what needs a person last. */
export function statusText(view: StatusView, timezone: string): string {
  const { version, ledger, status, running, waiting, now } = view;
  const { mark, lastSuccessAt, lastRun, paused, owed, totals } = status;
  const when = (at: Instant) => `${formatTime(at, timezone)}, ${ago(at, now)}`;
  const lines: [string, string][] = [
    ['aio-dca', `${version}, ledger ${ledger.id}, schema ${ledger.schema}`],
    ['', ledger.url],
    ['Last success', lastSuccessAt ? when(lastSuccessAt) : 'none yet'],
    ...(lastRun ? [pair('Last run', `r${lastRun.id} ${lastRun.outcome}, ${when(lastRun.finishedAt)}`)] : []),
    ...(running ? [pair('Going on now', `r${running.id}, ${running.kind} by ${clean(running.actor)}`)] : []),
    ['Mark', mark ? when(mark.confirmedAt) : 'nothing read yet'],
    ['Cash-outs', `${totals.cashOuts} with ${formatSats(totals.gross)}`],
    [
      '',
      `${formatSats(totals.net)} net, ${formatSats(totals.commission)} commission, ${formatSats(totals.own)} own`,
    ],
    ['Paid', formatSats(totals.settled)],
    [
      'Owed',
      `${formatSats(owed.sats)}, ${formatSats(waiting)} of it not due yet; ${owed.payouts} open payouts`,
    ],
    ['Source wallet', sourceText(view)],
    ...(paused
      ? [pair('Paying', `paused by ${clean(paused.by)}, ${when(paused.at)}: ${clean(paused.reason)}`)]
      : []),
  ];
  return [
    ...lines.map(([label, text]) => `${label.padEnd(15)}${text}`),
    '',
    ...attentionLines(status.attention),
    ...(paused ? ['Paying goes on with: aio-dca payouts resume'] : []),
  ].join('\n');
}

function pair(label: string, text: string): [string, string] {
  return [label, text];
}

function sourceText({ source, status: { owed } }: StatusView): string {
  if ('problem' in source) return `not known: ${clean(source.problem.message)}`;
  const missing = short(owed.sats, source.balance);
  if (missing === 0n) return `${formatSats(source.balance)}, enough for what is owed`;
  return `${formatSats(source.balance)}, ${formatSats(missing)} less than is owed`;
}

function attentionLines({ review, held, unknown, stale, aged }: Status['attention']): string[] {
  const needs: [boolean, string, string][] = [
    [review > 0n, `${review} rows of Lamassu in review`, 'aio-dca review list'],
    [held > 0n, `${held} payouts held`, 'aio-dca payouts list --state held'],
    [unknown > 0n, `${unknown} payouts whose outcome is not known`, 'aio-dca payouts list --state unknown'],
    [stale, 'no run has succeeded for too long', 'aio-dca poll, then aio-dca doctor'],
    [aged > 0n, `${aged} open payouts are too old`, 'aio-dca payouts list --open'],
  ];
  const standing = needs.filter(([stands]) => stands);
  if (standing.length === 0) return ['Nothing needs a person.'];
  return ['Needs a person:', ...standing.map(([, what, command]) => `  ${what.padEnd(42)}${command}`)];
}

/** `5 minutes ago`, in the largest unit that fits twice. */
function ago(at: Instant, now: Instant): string {
  const seconds = Math.trunc((toMs(now) - toMs(at)) / 1000);
  if (seconds < 0) return 'ahead of this clock';
  const units: [number, string][] = [
    [86_400, 'days'],
    [3_600, 'hours'],
    [60, 'minutes'],
  ];
  const [size, name] = units.find(([unit]) => seconds >= 2 * unit) ?? [1, 'seconds'];
  return `${Math.trunc(seconds / size)} ${name} ago`;
}
