import { type Kysely, sql } from 'kysely';

/**
 * What the source wallet lacks for a payout, as a kind: sats, or a service fee of LNbits that is not known. Until now
 * only the reason said it, in words; of payouts that wait, those words are read here for the last time.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const text = postgres ? 'text collate "C"' : 'text';
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`alter table payouts add column lack ${text}
    check (lack in ('sats', 'fee'))`);
  const has = (words: string) => `lower(reason) like '%${words}%'`;
  const fee = has('the source wallet holds what is due by what is known, and lnbits wants more');
  await run(`update payouts set lack = case when ${fee} then 'fee' else 'sats' end
    where state in ('deferred', 'unknown')
      and (${has('source wallet holds')} or ${has('insufficient balance')})`);
}
