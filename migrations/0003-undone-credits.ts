import { type Kysely, sql } from 'kysely';

/**
 * A settlement that is undone leaves the credits that never happened: only then are rows of `credit_members` deleted.
 * The words are those of 0001-ledger and 0002-operations.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const run = (text: string) => sql.raw(text).execute(db);
  const message = 'the set of a credit is fixed';
  const forbidden = `not exists (select 1 from credits where credits.id = old.credit_id and credits.state = 'dropped')
    or not exists (select 1 from voids where voids.cash_out_id = old.cash_out_id)
    or not exists (select 1 from settlements where settlements.cash_out_id = old.cash_out_id)`;
  if (postgres) {
    await run(`create or replace function credit_members_stay() returns trigger language plpgsql as
      $$ begin if ${forbidden} then raise exception '${message}' using errcode = 'check_violation'; end if; return old; end $$`);
    return;
  }
  await run('drop trigger credit_members_stay');
  await run(
    `create trigger credit_members_stay before delete on credit_members when ${forbidden} begin select raise(abort, '${message}'); end`,
  );
}
