import { type Kysely, sql } from 'kysely';

/**
 * Why a part of a cash-out became the operator's own share: which caps and pauses held clients' cash back at that
 * moment cannot be found out later. JSON; null: it had no own share, or an older version divided it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const run = (text: string) => sql.raw(text).execute(db);
  await run('alter table cash_outs add column own_reasons text');
  const kept = ['id', 'source', 'machine', 'begun_at_machine', 'confirmed_at', 'processed_at', 'local_date']
    .concat(
      'currency',
      'fiat',
      'gross',
      'undelivered',
      'method',
      'origin',
      'run_id',
      'lamassu',
      'own_reasons',
    )
    .map((name) => `old.${name} is distinct from new.${name}`);
  const only = `${kept.join(' or ')} or new.own_fiat >= old.own_fiat or new.own > old.own or new.net < old.net`;
  const message = 'a processed cash-out never changes, except that its own share goes to a client';
  if (postgres) {
    await run(`create or replace function cash_outs_are_final() returns trigger language plpgsql as
      $$ begin if ${only} then raise exception '${message}' using errcode = 'check_violation'; end if; return new; end $$`);
    return;
  }
  await run('drop trigger cash_outs_are_final');
  await run(`create trigger cash_outs_are_final before update on cash_outs when ${only}
    begin select raise(abort, '${message}'); end`);
}
