import { sql } from 'kysely';
import type { Db } from './store/open.ts';

/*
 * Whether anything changed since somebody looked: numbers that differ after each change, of the whole ledger or of
 * what is a client's own. They say nothing else.
 */

/** Of the whole ledger. */
export async function newestChange(db: Db): Promise<string> {
  const { rows } = await sql<{ log: bigint; run: bigint; ended: bigint; payment: bigint; states: string }>`
    select coalesce((select max(id) from log), 0) as log, coalesce((select max(id) from runs), 0) as run,
      (select count(*) from lease) as ended, coalesce((select max(id) from payments), 0) as payment,
      coalesce((select max(settled_at) from payouts), '') as states`.execute(db);
  return (
    rows.map(({ log, run, ended, payment, states }) => [log, run, ended, payment, states].join('.'))[0] ?? ''
  );
}

/** Of a client: nothing that happens to others shows in it. */
export async function newestChangeOf(db: Db, client: string): Promise<string> {
  const { rows } = await sql<{
    log: bigint;
    bought: bigint;
    payout: bigint;
    settled: string;
    states: string;
  }>`
    select coalesce((select max(l.id) from log as l where l.subject = ${`client ${client}`}), 0) as log,
      coalesce((select max(a.id) from allocations as a where a.client_id = r.id), 0) as bought,
      coalesce((select max(p.id) from payouts as p where p.recipient_id = r.id), 0) as payout,
      coalesce((select max(p.settled_at) from payouts as p where p.recipient_id = r.id), '') as settled,
      coalesce((select min(p.state) from payouts as p where p.recipient_id = r.id and p.state <> 'settled'), '')
        || (select count(*) from fundings as f where f.client_id = r.id)
        || '-' || (select cast(coalesce(sum(f.remaining), 0) as bigint) from fundings as f where f.client_id = r.id) as states
    from recipients as r where r.name = ${client}`.execute(db);
  return (
    rows.map(({ log, bought, payout, settled, states }) =>
      [log, bought, payout, settled, states].join('.'),
    )[0] ?? ''
  );
}
