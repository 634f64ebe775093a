import { type Selectable, type SqlBool, sql } from 'kysely';
import { type Act, type ReasonedAct, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

/*
 * Contradictions: LNbits shows something that the ledger gave up. A dead payment was debited or arrived, or a dropped
 * credit came late. An open contradiction needs the operator. What the operator knew when deciding is recorded as
 * closed, so only later changes are reported.
 */

export type Contradiction = Selectable<Schema['contradictions']>;

/** What it is about: a payout's payment or a credit, and what LNbits shows. */
export interface Contradicting {
  payment?: { id: bigint; payout_id: bigint };
  credit?: { id: bigint };
  hash: string;
  /** In words. */
  shown: string;
}

/** Oldest first, with the payout where it is a payment's. */
export async function openContradictions(db: Db): Promise<(Contradiction & { payout_id: bigint | null })[]> {
  return db
    .selectFrom('contradictions as c')
    .leftJoin('payments as p', 'p.id', 'c.payment_id')
    .selectAll('c')
    .select('p.payout_id')
    .where('c.closed_at', 'is', null)
    .orderBy('c.id')
    .execute();
}

/** The recorded contradictions of these payments or credits, open or closed. */
export async function contradictionsOf(
  db: Db,
  of: 'payment_id' | 'credit_id',
  ids: bigint[],
): Promise<Contradiction[]> {
  if (ids.length === 0) return [];
  return db.selectFrom('contradictions').selectAll().where(of, 'in', ids).execute();
}

/** The words of `shown` for a payment that arrived in a client's wallet, whole or not. */
const ARRIVED = ['arrived', 'wrong-amount'];

/**
 * Whether it was recorded with a payment that arrived. `shown` is kept as text, which only this and `knownOf` read.
 */
export function showsArrival({ shown }: Pick<Contradiction, 'shown'>): boolean {
  return ARRIVED.some((word) => shown.includes(word));
}

/** What the operator knew of a payment when deciding: that it arrived, or that it was only debited; null: nothing. */
export function knownOf(payment: 'payments.id') {
  const arrived = sql.join(
    ARRIVED.map((word) => sql<SqlBool>`x.shown like ${sql.lit(`%${word}%`)}`),
    sql` or `,
  );
  return sql<'arrived' | 'debited' | null>`(select min(case when ${arrived} then 'arrived' else 'debited' end)
    from contradictions as x where x.payment_id = ${sql.ref(payment)} and x.closed_at is not null)`;
}

/** Records a contradiction once. False if it is known, or the operator has decided about it. */
export async function contradict(trx: Trx, act: Act, found: Contradicting): Promise<boolean> {
  if (!(await insert(trx, act, found, { closed: false }))) return false;
  await record(trx, act, {
    ...{ action: found.payment ? 'payment contradicted' : 'credit contradicted' },
    subject: found.payment ? `p${found.payment.payout_id}` : `c${found.credit?.id}`,
    after: { payment_hash: found.hash, shown: found.shown },
  });
  return true;
}

/** Records as closed what the operator knew when deciding: it is not reported later. */
export async function keepEvidence(trx: Trx, act: ReasonedAct, found: Contradicting): Promise<void> {
  await insert(trx, act, found, { closed: true });
}

/** Closes the contradictions of a payment or credit. `booked`: its sats stay in the source wallet. Returns how many. */
export async function closeContradictions(
  trx: Trx,
  { at, actor, reason }: ReasonedAct,
  of: { payment: bigint } | { credit: bigint; hash?: string },
  { booked }: { booked: boolean },
): Promise<bigint> {
  const { numUpdatedRows } = await trx
    .updateTable('contradictions')
    .set({ closed_at: at, closed_by: actor, closed_reason: reason, booked: booked ? 1n : 0n })
    .where('closed_at', 'is', null)
    .$if('payment' in of, (query) => query.where('payment_id', '=', 'payment' in of ? of.payment : null))
    .$if('credit' in of, (query) => query.where('credit_id', '=', 'credit' in of ? of.credit : null))
    .$if('credit' in of && of.hash !== undefined, (query) =>
      query.where('payment_hash', '=', 'credit' in of ? (of.hash ?? '') : ''),
    )
    .executeTakeFirstOrThrow();
  return numUpdatedRows;
}

async function insert(
  trx: Trx,
  { at, actor, run, reason }: Act,
  { payment, credit, hash, shown }: Contradicting,
  { closed }: { closed: boolean },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('contradictions')
    .values({
      ...{ payment_id: payment?.id ?? null, credit_id: credit?.id ?? null, payment_hash: hash, shown },
      ...{ run_id: run, found_at: at },
      ...(closed ? { closed_at: at, closed_by: actor, closed_reason: reason ?? null } : {}),
    })
    .onConflict((conflict) => conflict.columns(['payment_hash', 'shown']).doNothing())
    .executeTakeFirstOrThrow();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}
