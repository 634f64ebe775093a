import { type SqlBool, sql } from 'kysely';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import type { Buyer } from './purchase-view.ts';

/** What a client bought in one local day or month, in one currency. Fiat in minor units. */
export interface PurchaseSum {
  /** `2026-11-21`, or `2026-11`. */
  of: string;
  currency: string;
  digits: number;
  purchases: number;
  fiat: bigint;
  gross: bigint;
  commission: bigint;
  net: bigint;
}

export type SumBy = 'day' | 'month';

/** Which local days: from one on, up to one; null: without that bound. */
export interface DayRange {
  from: string | null;
  to: string | null;
}

/** The sums of a client's purchases, oldest first, and within a day by currency. */
export async function purchaseSums(
  db: Db,
  { id: client }: Pick<Buyer, 'id'>,
  by: SumBy,
  { from, to }: DayRange,
): Promise<PurchaseSum[]> {
  const of = by === 'day' ? sql<string>`a.local_date` : sql<string>`substr(a.local_date, 1, 7)`;
  const rows = await db
    .selectFrom('fundings as f')
    .innerJoin('allocations as a', 'a.funding_id', 'f.id')
    .innerJoin('currencies as u', 'u.code', 'a.currency')
    .select([of.as('of'), 'a.currency', 'u.digits'])
    .select(sql<bigint>`cast(count(distinct a.cash_out_id) as bigint)`.as('purchases'))
    .select([sumOf('a.fiat').as('fiat'), sumOf('a.gross').as('gross')])
    .select([sumOf('a.commission').as('commission'), sumOf('a.net').as('net')])
    .where('f.client_id', '=', client)
    .$if(from !== null, (some) => some.where(sql<SqlBool>`a.local_date >= ${from}`))
    .$if(to !== null, (some) => some.where(sql<SqlBool>`a.local_date <= ${to}`))
    .groupBy([of, 'a.currency', 'u.digits'])
    .orderBy('of')
    .orderBy('a.currency')
    .execute();
  return rows.map((row) => ({
    ...row,
    ...{ digits: Number(row.digits), purchases: Number(row.purchases) },
  }));
}
