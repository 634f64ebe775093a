import type { Db } from '../store/open.ts';
import { cashInWords, type LedgerFindings, type TableRow } from './findings.ts';

/** Checks every funding: its amounts, its status, and what its allocations spent. */
export async function verifyFundings(
  db: Db,
  digits: Map<string, number>,
  spent: Map<bigint, bigint>,
  findings: LedgerFindings,
): Promise<void> {
  const rows = await db
    .selectFrom('fundings')
    .leftJoin('recipients', 'recipients.id', 'fundings.client_id')
    .selectAll('fundings')
    .select(['recipients.kind', 'recipients.name', 'recipients.status as client_status'])
    .orderBy('fundings.id')
    .execute();
  for (const row of rows) {
    const what = `f${row.id}`;
    const money = (minor: bigint) => cashInWords(minor, row.currency, digits);
    findings.same(
      'funding/amount',
      what,
      money(row.amount),
      money(row.remaining + row.spent + row.withdrawn),
    );
    findings.same('funding/spent', what, money(row.spent), money(spent.get(row.id) ?? 0n));
    const wrong = whyNot(row);
    if (wrong) findings.add('funding/status', what, row.status, wrong);
    if (row.kind !== null && row.kind !== 'client') {
      findings.add('funding/client', what, `of ${row.name}`, `a ${row.kind} recipient`);
    }
    if (row.client_status === 'closed' && row.remaining !== 0n) {
      findings.add('client/closed', what, `${money(row.remaining)} left`, `${row.name} is closed`);
    }
  }
  findings.count('fundings', rows.length);
}

/** What contradicts a funding's status; null: nothing. */
function whyNot({ status, remaining, spent, withdrawn, deposited_at }: TableRow<'fundings'>): string | null {
  if (remaining < 0n || spent < 0n || withdrawn < 0n) return 'an amount below zero';
  const inMachine = status !== 'in_flight' && status !== 'cancelled';
  if (inMachine && deposited_at === null) return 'never deposited';
  if (!inMachine && deposited_at !== null) return `deposited at ${deposited_at}`;
  if (!inMachine && spent > 0n) return 'spent in part';
  if (status === 'deposited' && remaining === 0n) return 'nothing remains';
  if (status !== 'deposited' && status !== 'in_flight' && remaining > 0n) return 'something remains';
  return null;
}
