import { groupDigits } from '../../dca/money.ts';
import type { BridgeError } from '../../errors.ts';
import { wayOut } from '../../ledger/runs/clock-doubts.ts';
import { missing, type Status } from '../../ledger/status.ts';
import { type Instant, toMs } from '../../time.ts';
import { clean, counted, formatSats, formatTime, wrapped } from '../print.ts';
import { commandOf, errorInWords } from '../words.ts';

/** What `status` shows. */
export interface StatusView {
  version: string;
  ledger: { id: string; url: string; schema: number };
  status: Status;
  /** The run that holds the lease. */
  running: { id: bigint; kind: string; actor: string } | null;
  /** A run that neither goes on nor told how it ended. */
  brokenOff: bigint | null;
  /** Allocated sats that are not due yet. */
  waiting: bigint;
  /** Allocated sats that have been due for too long, and are in no payout. */
  overdue: { payouts: bigint; sats: bigint };
  /** What the source wallet holds, in sats, or why that is not known. */
  source: { balance: bigint } | { problem: BridgeError };
  /** `[lamassu] start_at`, and what is wrong with it. */
  start: { at: Instant; problem: BridgeError | null };
  /** What it lacks for what is due now; null where what it holds is not known. */
  short: bigint | null;
  /** Whether runs credit the source wallet. */
  creditSource: boolean;
  now: Instant;
}

/** `status --json`, as docs and scripts know it. */
export function statusJson(view: StatusView) {
  const { version, ledger, status, running, waiting, overdue, source, creditSource } = view;
  const { mark, lastRun, owed, paused, attention, totals } = status;
  return {
    version,
    ledger,
    start_at: {
      at: view.start.at,
      problem: (view.start.problem && errorInWords(view.start.problem).message) ?? null,
    },
    mark: mark && { confirmed_at: mark.confirmedAt, id: mark.id },
    last_success_at: status.lastSuccessAt,
    last_run: lastRun && {
      run: `r${lastRun.id}`,
      outcome: lastRun.outcome,
      finished_at: lastRun.finishedAt,
      problems: lastRun.problems,
    },
    running: running && { run: `r${running.id}`, kind: running.kind, actor: running.actor },
    owed: { payouts: owed.payouts, sats: owed.sats, waiting_sats: waiting, overdue_sats: overdue.sats },
    deferred: status.deferred.map(({ id, ...rest }) => ({ payout: `p${id}`, ...rest })),
    paused: paused !== null,
    pause: paused,
    source_wallet:
      'balance' in source
        ? { balance_sats: source.balance, short_sats: lacking(status, source.balance) }
        : null,
    credits: {
      on: creditSource,
      credited_sats: status.credits.credited,
      to_come_sats: status.credits.toCome,
      not_made: status.credits.stuck.map(({ id, sats, reason }) => ({ id: `c${id}`, sats, reason })),
    },
    clock: {
      problem: (status.clock.problem && errorInWords(status.clock.problem).message) ?? null,
      entries: status.clock.entries.map((doubt) => ({
        ...{ subject: doubt.subject, from: doubt.at, entered_at: doubt.expected },
        way_out: wayOut(doubt),
      })),
    },
    attention: {
      ...attention,
      short_sats: view.short,
      broken_off: view.brokenOff === null ? null : `r${view.brokenOff}`,
    },
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

/** What the wallet lacks, even once what is to be credited has arrived. */
function lacking({ owed, credits, fee, wantsMore }: Status, balance: bigint): bigint {
  return missing(owed.sats, { balance, toCome: credits.toCome, fee, wantsMore });
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
    ...(view.start.problem ? [pair('Start', errorInWords(view.start.problem).message)] : []),
    ['Mark', mark ? when(mark.confirmedAt) : 'nothing read yet'],
    ['Cash-outs', `${groupDigits(totals.cashOuts)} with ${formatSats(totals.gross)}`],
    [
      '',
      `${formatSats(totals.net)} net, ${formatSats(totals.commission)} commission, ${formatSats(totals.own)} own${totals.undelivered > 0n ? `, ${formatSats(totals.undelivered)} undelivered` : ''}`,
    ],
    [
      'Paid',
      `${formatSats(totals.settled)}${totals.feeMsat > 0n ? `, and ${formatSats((totals.feeMsat + 999n) / 1000n)} to LNbits as its service fee` : ''}`,
    ],
    [
      'Owed',
      `${formatSats(owed.sats)}, ${formatSats(waiting)} of it not due yet; ${counted(owed.payouts, 'open payout')}`,
    ],
    ...deferredLines(view),
    ['Source wallet', sourceText(view)],
    ...creditLines(view),
    ...(paused
      ? [pair('Paying', `paused by ${clean(paused.by)}, ${when(paused.at)}: ${clean(paused.reason)}`)]
      : []),
  ];
  return [
    ...lines.map(([label, text]) => wrapped(`${label.padEnd(15)}${text}`, { indent: ' '.repeat(15) })),
    '',
    ...attentionLines(view),
    ...(paused ? ['Paying goes on with: aio-dca payouts resume'] : []),
  ].join('\n');
}

function pair(label: string, text: string): [string, string] {
  return [label, text];
}

const DEFERRED_SHOWN = 5;

/** What is put off, each with its reason: one wallet that refuses is no outage, and must not be overlooked. */
function deferredLines({ status: { deferred } }: StatusView): [string, string][] {
  const lines = deferred
    .slice(0, DEFERRED_SHOWN)
    .map(
      ({ id, recipient, sats, reason }) => `p${id}, ${formatSats(sats)} to ${recipient}: ${clean(reason)}`,
    );
  const more = deferred.length - lines.length;
  if (more > 0) lines.push(`and ${counted(more, 'other')}: aio-dca payouts list --state deferred`);
  return lines.map((line, index) => pair(index === 0 ? 'Put off' : '', line));
}

function sourceText({ source, status }: StatusView): string {
  if ('problem' in source) return `not known: ${clean(errorInWords(source.problem).message)}`;
  const less = lacking(status, source.balance);
  const toCome = status.credits.toCome;
  const coming = toCome > 0n ? ` with the ${formatSats(toCome)} to be credited` : '';
  if (less === 0n) return `${formatSats(source.balance)}, enough for what is owed${coming}`;
  // What is not known is counted as 1 sat.
  if (less === 1n && status.wantsMore)
    return `${formatSats(source.balance)}, and LNbits wants more than is owed, as for a service fee`;
  return `${formatSats(source.balance)}, ${formatSats(less)} less than is owed`;
}

/** Crediting lets LNbits owe sats that it may not have: whoever has it on is told so each time. */
function creditLines({ source, creditSource, status }: StatusView): [string, string][] {
  const { credited, stuck } = status.credits;
  if (creditSource) {
    return [
      ['Crediting', `on, ${formatSats(credited)} so far: LNbits owes them,`],
      ['', 'so they must lie on its node'],
      ...stuck.map(({ id, sats, reason }) =>
        pair('', `c${id} of ${formatSats(sats)} could not be made: ${clean(reason ?? '')}`),
      ),
    ];
  }
  if (stuck.length > 0) {
    return stuck.flatMap(({ id, sats }, index) => [
      pair(
        index === 0 ? 'Crediting' : '',
        `off, so c${id} of ${formatSats(sats)} is not made. Switch it on again, or give it up:`,
      ),
      pair('', `aio-dca credits resolve c${id} --not-credited --reason "…"`),
    ]);
  }
  if (!('balance' in source) || lacking(status, source.balance) === 0n) return [];
  return [
    ['', 'Top it up; or, where the sats of cash-outs arrive on LNbits’ node but in'],
    ['', 'none of its wallets, see [lnbits] credit_source in docs/crediting.md'],
  ];
}

/** What needs a person: whether it does now, in words, and the command that helps. */
function needs({ status, overdue, short, start, brokenOff }: StatusView): [boolean, string, string][] {
  const {
    attention,
    lastRun,
    paused,
    credits: { stuck },
  } = status;
  const { review, held, unknown, stale, aged, credits, contradicted, overrun } = attention;
  const { clock } = status;
  const open = aged - overdue.payouts;
  const doubtful = credits - BigInt(stuck.length);
  return [
    [review > 0n, `${counted(review, 'row')} of Lamassu in review`, 'aio-dca review list'],
    [held > 0n, `${counted(held, 'payout')} held`, 'aio-dca payouts list --state held'],
    [
      unknown > 0n,
      `${counted(unknown, 'payout')} with an outcome not known`,
      'aio-dca payouts list --state unknown',
    ],
    [
      lastRun?.outcome === 'refused',
      'the last run was refused',
      'aio-dca poll says why, then aio-dca doctor',
    ],
    [
      lastRun?.outcome === 'failed' && (lastRun.kind === 'poll' || lastRun.kind === 'fixed'),
      'the last run ended in a defect',
      'aio-dca poll says which: report it',
    ],
    [
      lastRun?.problems.includes('lnbits/wallet-full') === true,
      'the source wallet holds more than LNbits allows',
      'aio-dca doctor says how much',
    ],
    [start.problem !== null, 'start_at is most likely a slip', 'correct it, or let it come'],
    [brokenOff !== null, `run r${brokenOff} broke off: killed, or a full disk`, 'aio-dca poll goes on'],
    [stale, 'no run has succeeded for too long', 'aio-dca poll, then aio-dca doctor'],
    [overrun, 'a run goes on for too long', 'aio-dca poll takes its place, or says who'],
    [clock.problem !== null, 'the clock of this host is wrong', 'aio-dca doctor, then timedatectl'],
    ...clock.entries.map((doubt): [boolean, string, string] => [
      true,
      `${clean(doubt.subject)} from ${doubt.at.slice(0, 16)}Z, a wrong clock`,
      commandOf(wayOut(doubt)),
    ]),
    [doubtful > 0n, `${counted(doubtful, 'credit')} of the source wallet in doubt`, 'aio-dca credits list'],
    [
      stuck.length > 0,
      `${counted(stuck.length, 'credit')} of the source wallet not made`,
      'aio-dca credits list --state intended',
    ],
    [contradicted > 0n, `${contradicted} given up that LNbits shows all the same`, 'aio-dca verify'],
    [open > 0n, `${counted(open, 'open payout')} for too long`, 'aio-dca payouts list --open'],
    [
      overdue.sats > 0n,
      `${formatSats(overdue.sats)} due for too long${paused ? ', but paused' : ''}`,
      paused ? 'aio-dca payouts resume' : 'aio-dca poll says why',
    ],
    [
      short !== null && short > 0n,
      short === 1n && status.wantsMore
        ? 'LNbits wants more than what is due'
        : `${formatSats(short ?? 0n)} missing for what is due`,
      'top the source wallet up',
    ],
  ];
}

/** Whether `status` exits 2. */
export function needsPerson(view: StatusView): boolean {
  return needs(view).some(([stands]) => stands);
}

function attentionLines(view: StatusView): string[] {
  const standing = needs(view).filter(([stands]) => stands);
  if (standing.length === 0) return ['Nothing needs a person.'];
  return ['Needs a person:', ...standing.map(([, what, command]) => `  ${what.padEnd(41)} ${command}`)];
}

/** `5 minutes ago`, in the largest unit that fits twice. */
function ago(at: Instant, now: Instant): string {
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
