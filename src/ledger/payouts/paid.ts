import { type SqlBool, sql } from 'kysely';
import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';

/** What has arrived since a moment, in satoshi, and in how many payouts. */
export interface PaidSince {
  payouts: bigint;
  clientSats: bigint;
  commissionSats: bigint;
}

export async function paidSince(db: Db, since: Instant): Promise<PaidSince> {
  const of = (kind: 'client' | 'commission') =>
    sql<bigint>`cast(coalesce(sum(case when ${sql<SqlBool>`payouts.kind = ${kind}`} then payments.sats else 0 end), 0) as bigint)`;
  return await db
    .selectFrom('payments')
    .innerJoin('payouts', 'payouts.id', 'payments.payout_id')
    .select([
      sql<bigint>`count(distinct payments.payout_id)`.as('payouts'),
      of('client').as('clientSats'),
      of('commission').as('commissionSats'),
    ])
    .where('payments.state', '=', 'settled')
    .where('payments.settled_at', '>=', since)
    .executeTakeFirstOrThrow();
}
