import type { Command } from 'commander';
import { formatDecimal } from '../dca/money.ts';
import type { Day, Sums } from '../reconcile/lamassu.ts';
import type { Reconciliation } from '../reconcile/reconcile.ts';
import { makeCli } from './context.ts';
import { differencesTable } from './pages/differences.ts';
import { counted, formatFiat, formatSats, table, wrapped } from './print.ts';
import { parseRange, type RangeOptions, rangeOptions } from './range.ts';

export function register(program: Command): void {
  rangeOptions(
    program
      .command('reconcile')
      .description('the ledger against LNbits and Lamassu, to the sat; exit 2 where they differ'),
  )
    .addHelpText(
      'after',
      '\nPayments are taken by when they were made, cash-outs by when they were confirmed. It changes nothing, unless\n' +
        '--book-fees is given.\n' +
        'What to do about each difference: docs/operations.md.\n' +
        '\nExamples:\n  aio-dca reconcile\n  aio-dca reconcile --from 2026-11-01 --to 2026-11-30 --json',
    )
    .option('--book-fees', 'first book what LNbits shows as its service fee of each payment')
    .action(async (options: RangeOptions & { bookFees?: boolean }, command: Command) => {
      const cli = makeCli(command);
      const config = await cli.config();
      const range = parseRange(options, config.timezone);
      const { bookEachFee, reconcile } = await import('../reconcile/reconcile.ts');
      if (options.bookFees) await cli.withLedger('write', (ledger) => bookEachFee(ledger, config, cli.actor));
      const found = await cli.withLedger('read', (ledger) => reconcile(ledger, config, cli.actor, range));
      cli.answer({ ...found, days: found.days.map(dayJson) }, text(found, config.timezone));
      if (!found.ok) process.exitCode = 2;
    });
}

function dayJson({ date, machine, currency, digits, ledger, lamassu }: Day) {
  const sums = ({ cashOuts, fiat, gross }: Sums) => ({
    cash_outs: cashOuts,
    fiat: formatDecimal(fiat, digits),
    gross_sats: gross,
  });
  return { date, machine, currency, ledger: sums(ledger), lamassu: sums(lamassu) };
}

function text({ ok, checked, differences, days }: Reconciliation, timezone: string): string {
  const count = (what: string) => checked[what] ?? 0n;
  const many = (what: string, noun: string) => counted(Number(count(what)), noun);
  const notes = [
    `LNbits: ${many('payments', 'payment')} in ${many('wallets', 'wallet')}. Settled ${formatSats(count('sats_settled'))}, debited ${formatSats(count('sats_debited'))}, credited ${formatSats(count('sats_credited'))}.`,
    `Lamassu: ${many('lamassu_rows', 'row')} against ${many('cash_outs', 'cash-out')} of the ledger.`,
    note(count('not_read_yet'), 'Newer than the last run, so not distributed yet'),
    note(
      count('waiting_for_a_person'),
      'Eligible, and waiting in review for a person (`aio-dca review list`)',
    ),
    note(count('external'), 'Settled by hand and never seen by Lamassu, so compared with LNbits only'),
    count('foreign_labels') === 0n
      ? null
      : `With this ledger’s id, but not sent by it, so nothing is done about it: ${many('foreign_labels', 'payment')}.`,
    note(count('other_sources'), 'Of other Lamassu servers, to be compared by their own bridges'),
  ].flatMap((line) => (line === null ? [] : [wrapped(line)]));
  if (ok) return [...notes, ...sumsTable(days), 'No difference.'].join('\n');
  return [
    ...notes,
    ...sumsTable(days),
    `${counted(differences.length, 'difference')}:`,
    differencesTable(differences, 'LNbits or Lamassu', timezone),
  ].join('\n');
}

function note(count: bigint, what: string): string | null {
  return count === 0n ? null : `${what}: ${counted(Number(count), 'cash-out')}.`;
}

/** The sums per machine; the days are in the JSON. */
function sumsTable(days: Day[]): string[] {
  if (days.length === 0) return [];
  const machines = Map.groupBy(days, ({ machine, currency }) => `${machine} ${currency}`);
  const rows = [...machines.values()].flatMap((ones) => {
    const [{ machine, currency, digits }] = ones as [Day];
    return (['ledger', 'lamassu'] as const).map((side) => {
      const total = (pick: (sums: Sums) => bigint) => ones.reduce((sum, one) => sum + pick(one[side]), 0n);
      return [
        machine,
        side,
        total((one) => BigInt(one.cashOuts)),
        formatFiat(
          total((one) => one.fiat),
          digits,
          currency,
        ),
        formatSats(total((one) => one.gross)),
      ];
    });
  });
  return [table(['machine', 'by', 'cash-outs', 'cash', 'gross'], rows)];
}
