import { sql } from 'kysely';
import { openContradictions } from '../payouts/contradictions.ts';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import { type LedgerFindings, sat } from './findings.ts';

/** Checks every credit of the source wallet: its cash-outs, and that nothing is credited twice. */
export async function verifyCredits(db: Db, findings: LedgerFindings): Promise<void> {
  const credits = await db.selectFrom('credits').selectAll().orderBy('id').execute();
  const rows = await db
    .selectFrom('credit_members')
    .select(['credit_id', sumOf('sats').as('sats')])
    .groupBy('credit_id')
    .execute();
  const sums = new Map(rows.map(({ credit_id, sats }) => [credit_id, sats] as const));
  for (const { id, state, sats, fee, reason, sent_at, seen, credited_at, payment_hash } of credits) {
    const what = `c${id}`;
    const members = sums.get(id) ?? 0n;
    // A credit that never happened loses settlements that are undone.
    if (state !== 'dropped' || members > sats - fee)
      findings.same('credit/sats', what, sat(sats - fee), sat(members));
    const wrong = {
      intended: payment_hash && `found by ${payment_hash}`,
      sending: (!sent_at || !seen) && 'not sent',
      unknown: (!sent_at || !seen) && 'not sent',
      credited: !credited_at ? 'no time' : !payment_hash && !reason && 'neither a payment nor a reason',
      held: !reason && 'no reason why',
      dropped: payment_hash && `found by ${payment_hash}`,
    }[state];
    if (wrong) findings.add('credit/state', what, state, wrong);
  }
  findings.count('credits', credits.length);
  for (const { credit_id, payout_id, payment_hash, shown } of await openContradictions(db)) {
    if (payout_id === null)
      findings.add('credit/contradicted', `c${credit_id}`, 'dropped', `${shown}: ${payment_hash}`);
    else findings.add('payment/contradicted', `payment ${payment_hash} of p${payout_id}`, 'dead', shown);
  }
  await verifyCovered(db, findings);
}

/** Checks that no cash-out is credited with more than it pays out, and no settlement that did not ask for a credit. */
async function verifyCovered(db: Db, findings: LedgerFindings): Promise<void> {
  const { rows } = await sql<{ id: string; covered: bigint; due: bigint; entitled: bigint }>`
    select c.id, cast(sum(m.sats + m.paid) as bigint) as covered,
      cast((select coalesce(sum(a.net), 0) from allocations as a where a.cash_out_id = c.id)
        + (select coalesce(sum(s.sats), 0) from commission_shares as s where s.cash_out_id = c.id) as bigint) as due,
      cast(case when c.origin = 'lamassu' then 1
        else coalesce((select s.credit from settlements as s where s.cash_out_id = c.id), 0) end as bigint) as entitled
    from credit_members as m
      join credits as k on k.id = m.credit_id
      join cash_outs as c on c.id = m.cash_out_id
    where k.state <> 'dropped'
    group by c.id, c.origin
    order by c.id`.execute(db);
  for (const { id, covered, due, entitled } of rows) {
    const what = `cash-out ${id}`;
    if (covered > due)
      findings.add('credit/twice', what, `${sat(covered)} credited`, `${sat(due)} to be paid`);
    if (entitled !== 1n) findings.add('credit/settlement', what, 'credited', 'settled without a credit');
  }
}
