import { formatSats, groupDigits } from '../../dca/money.ts';
import { call, type Message, message } from '../../lib/message.ts';
import type {
  BackupView,
  ComparedSourceView,
  CopiedLedgerView,
  CopyPlanView,
  MigratedView,
  RecoveryView,
} from '../../views/ledger.ts';
import { counted, formatTime } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { commandOf } from '../terminal/words.ts';
import { fitted, wrapped } from '../terminal/wrap.ts';
import { differencesText } from './differences.ts';

export function migratedPage({ ledger: { id, url, schema } }: MigratedView): string {
  return `Ledger ${id} at ${url} has schema ${schema}.`;
}

export function backupPage({ ok, ledger, file, bytes, removed }: BackupView): string | Message {
  const copied = `Copied ledger ${ledger.id} to ${file}`;
  if (!ok) return message`${copied}, but its books do not balance: run ${call('verify')}.`;
  const sound = `${copied} (${groupDigits(`${bytes}`)} bytes); the copy is sound and its books balance.`;
  const { length } = removed;
  const fewer = length === 0 ? '' : ` Removed ${length} older ${length === 1 ? 'copy' : 'copies'}.`;
  return fitted(`${sound}${fewer}`, '  ');
}

export function copyQuestion({ from, to }: CopyPlanView): string {
  return `Move the ledger from ${from} to ${to}? The old one is retired.`;
}

export function copiedPage(view: CopiedLedgerView, configFile: string): Message {
  const { id, url } = view.ledger;
  const total = Object.values(view.rows ?? {}).reduce((sum, one) => sum + one, 0);
  const moved =
    view.rows === null
      ? `Finished: ledger ${id} is at ${url} now, and the old one is retired.`
      : `Moved ledger ${id} to ${url}: ${counted(total, 'row')}, compared one by one. The old one is retired.`;
  const books = view.ok
    ? 'Its books balance.'
    : message`Its books do not balance, and did not balance before either: run ${call('verify')}.`;
  return message`${moved}\n${books}\nSet [ledger] url = "${url}"${settings(view)} in ${configFile}.`;
}

/** The settings that have to change besides the URL. */
function settings({ settings: { password_file, tls, ca_file } }: CopiedLedgerView): string {
  const others = [
    ...(password_file ? ['its password_file'] : []),
    ...(tls === null ? [] : [`tls = "${tls}"`]),
    ...(ca_file ? ['its ca_file'] : []),
  ];
  return others.map((one) => ` and ${one}`).join('');
}

export function recoveryPage(view: RecoveryView, timezone: string): string {
  const { payments, cash_outs: cashOuts, payouts, held_credits: heldCredits, differences } = view;
  const { dry_run: dryRun } = view;
  if (payments === 0) {
    const nothing = 'Nothing to recover: the ledger knows every payment of its own that LNbits shows.';
    const next = view.other_runs === 0 && !view.former_wallets_accounted ? [] : [nextLine(dryRun)];
    return [nothing, ...otherLines(view), ...next].join('\n');
  }
  const state = dryRun || differences.length > 0 ? 'would be' : 'is now';
  const rows = payouts.map((one) => [
    one.id,
    one.recipient,
    formatSats(one.sats),
    one.state,
    one.payments.length,
  ]);
  const listed =
    payouts.length === 0 ? [] : [table(['payout', 'recipient', 'amount', state, 'payments'], rows)];
  if (differences.length > 0) {
    return [
      `LNbits shows ${counted(payments, 'payment')} that the ledger does not know, and not all of it fits. Nothing was written.`,
      ...(listed.length === 0 ? [] : ['What fits:', ...listed]),
      differencesText(differences, timezone),
    ].join('\n');
  }
  return [
    `${dryRun ? 'Would recover' : 'Recovered'} ${counted(payments, 'payment')} of ${counted(payouts.length, 'payout')}, after distributing ${counted(cashOuts, 'cash-out')} again.`,
    ...listed,
    ...(heldCredits === 0 ? [] : [heldLine(heldCredits)]),
    ...otherLines(view),
    nextLine(dryRun),
  ].join('\n');
}

function heldLine(credits: number): string {
  return `${counted(credits, 'credit')} of the source wallet held: LNbits may have made them already. Look for them in the wallet (${commandOf(call('credits.list', { state: 'held' }))}).`;
}

function nextLine(dryRun: boolean): string {
  return dryRun
    ? `To do it: ${commandOf(call('ledger.recover'))}`
    : `The next run goes on from here: ${commandOf(call('poll'))}`;
}

/** What LNbits shows besides the payments to recover. */
function otherLines(view: RecoveryView): string[] {
  const { dry_run: dryRun, other_runs: runs, foreign_labels: foreign } = view;
  return [
    ...(runs === 0
      ? []
      : [
          `${counted(runs, 'run')} of another copy, or made after the backup, ${dryRun ? 'would no longer stop' : runs === 1 ? 'no longer stops' : 'no longer stop'} this ledger. No other copy may be in use.`,
        ]),
    ...(view.former_wallets_accounted
      ? [
          `The clients’ wallets ${dryRun ? 'would not be asked' : 'are not asked'} any more whether another source wallet paid them.`,
        ]
      : []),
    ...(foreign === 0
      ? []
      : [
          `${counted(foreign, 'payment')} with this ledger’s id that it did not send: nothing is done about them.`,
        ]),
  ];
}

export function sourcePage(view: ComparedSourceView, timezone: string): string {
  const { source, was, is } = view;
  const state = view.accepted
    ? `Source "${source}" is bound to PostgreSQL system ${is} now.`
    : was === is
      ? `Source "${source}" is bound to PostgreSQL system ${is} already; nothing was written.`
      : `Dry run: nothing was written. Source "${source}" would be bound to PostgreSQL system ${is}, not ${was ?? 'any'} any more.`;
  return wrapped(`${state}\n${foundLine(view, timezone)}`);
}

export function sourceQuestion(view: ComparedSourceView, timezone: string): string {
  const { source, was, is } = view;
  const former = was === null ? '' : `, and not to ${was} any more`;
  return wrapped(`${foundLine(view, timezone)} Bind source "${source}" to PostgreSQL system ${is}${former}?`);
}

function foundLine(view: ComparedSourceView, timezone: string): string {
  const { cash_outs: cashOuts, newest, newest_confirmed_at: at } = view;
  if (newest === null || at === null) return 'The ledger has distributed nothing of it yet.';
  return `All ${counted(cashOuts, 'cash-out')} that the ledger distributed of it are there, up to ${newest} of ${formatTime(at, timezone)}.`;
}
