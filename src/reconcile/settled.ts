import type { Judgement } from '../lamassu/eligibility.ts';
import { actionsOf, actionWords } from '../lamassu/notes.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import { saysTheSame } from '../lib/same-columns.ts';

/** A cash-out as the ledger has it. */
export type RecordedCashOut = Schema['cash_outs'];
type EligibleCashOut = Extract<Judgement, { eligible: true }>['cashOut'];

/** The columns of a settled row that tell its amounts, and whether it is a cash-out to distribute. */
const BEARING = [
  ...(['device_id', 'crypto_code', 'crypto_atoms', 'received_crypto_atoms', 'fiat', 'fiat_code'] as const),
  ...(['status', 'dispense_confirmed', 'error', 'error_code', 'actions'] as const),
];

/**
 * How Lamassu contradicts a settlement by a change since then; null if nothing relevant changed, or if Lamassu now
 * confirms the settlement.
 */
export function sinceSettled(cashOut: RecordedCashOut, row: LamassuRow, today: Judgement): string | null {
  const then = JSON.parse(cashOut.lamassu ?? '{}') as Partial<LamassuRow>;
  const changed = BEARING.filter(
    (column) => column in then && bearing(column, then) !== bearing(column, row),
  );
  if (changed.length === 0 || (today.eligible && isSame(cashOut, today.cashOut))) return null;
  const changes = changed.map((column) =>
    column === 'actions'
      ? `of its notes is logged now: ${actionsOf(row)
          .map((one) => actionWords(one, row))
          .join(', ')}`
      : `${column} was ${then[column]}, is ${row[column]}`,
  );
  return [...changes, ...(today.eligible ? ['it is a sound cash-out now'] : [])].join('; ');
}

/** For an error, only whether there is one: its words do not matter here. */
function bearing(column: (typeof BEARING)[number], row: Partial<LamassuRow>): string | boolean | null {
  const value = row[column] ?? null;
  return column.startsWith('error') ? value === null : value;
}

function isSame({ machine, currency, fiat, gross }: RecordedCashOut, today: EligibleCashOut): boolean {
  return (
    machine === today.machine &&
    currency === today.currency &&
    fiat === today.fiat &&
    gross === today.distributed
  );
}

/** Whether the operator has accepted what Lamassu says of the row now. */
export async function isAccepted(db: Db, row: LamassuRow): Promise<boolean> {
  const review = await db
    .selectFrom('review')
    .select('lamassu')
    .where('cash_out_id', '=', row.id)
    .where('state', '=', 'dismissed')
    .executeTakeFirst();
  return review !== undefined && saysTheSame(review.lamassu, row);
}
