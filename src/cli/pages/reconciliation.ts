import { formatDecimal, formatSats, groupDigits } from '../../dca/money.ts';
import { call } from '../../lib/message.ts';
import type { ReconciliationView } from '../../views/reconciliation.ts';
import { counted, formatMachine } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { commandOf } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';
import { differencesTable } from './differences.ts';

type DayView = ReconciliationView['days'][number];

export function reconciliationPage(
  { ok, checked, differences, days }: ReconciliationView,
  timezone: string,
): string {
  const count = (what: string) => checked[what] ?? 0n;
  const many = (what: string, noun: string) => counted(Number(count(what)), noun);
  const notes = [
    `LNbits: ${many('payments', 'payment')} in ${many('wallets', 'wallet')}. Settled ${formatSats(count('sats_settled'))}, debited ${formatSats(count('sats_debited'))}, credited ${formatSats(count('sats_credited'))}.`,
    `Lamassu: ${many('lamassu_rows', 'row')} against ${many('cash_outs', 'cash-out')} of the ledger.`,
    note(count('not_read_yet'), 'Newer than the last run, so not distributed yet'),
    note(
      count('waiting_for_a_person'),
      `Eligible, and waiting in review for the operator (\`${commandOf(call('review.list'))}\`)`,
    ),
    note(count('external'), 'Settled by hand and never seen by Lamassu, so compared with LNbits only'),
    count('foreign_labels') === 0n
      ? null
      : `With this ledger’s id, but not sent by it, so nothing is done about it: ${many('foreign_labels', 'payment')}.`,
    note(count('other_sources'), 'From other Lamassu servers, to be compared by their own bridges'),
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

/** The sums per machine; only the JSON has them per day. */
function sumsTable(days: DayView[]): string[] {
  if (days.length === 0) return [];
  const machines = Map.groupBy(days, ({ machine, currency }) => `${machine} ${currency}`);
  const rows = [...machines.values()].flatMap((ones) => {
    const [{ machine, machine_name: name, currency }] = ones as [DayView];
    return (['ledger', 'lamassu'] as const).map((side) => {
      const cash = decimalSum(ones.map((one) => one[side].fiat));
      return [
        formatMachine(machine, name),
        side,
        ones.reduce((sum, one) => sum + one[side].cash_outs, 0),
        `${groupDigits(cash)} ${currency}`,
        formatSats(ones.reduce((sum, one) => sum + one[side].gross_sats, 0n)),
      ];
    });
  });
  return [table(['machine', 'by', 'cash-outs', 'cash', 'gross'], rows)];
}

/** The sum of decimal amounts in one currency, all with the same number of digits. */
function decimalSum(amounts: string[]): string {
  const digits = amounts[0]?.split('.')[1]?.length ?? 0;
  return formatDecimal(
    amounts.reduce((sum, amount) => sum + BigInt(amount.replace('.', '')), 0n),
    digits,
  );
}
